"""OpenAI responses, whole and as typed events, as OpenAI and those compatible with it serve them."""

from collections.abc import Generator
from typing import Any

import msgspec

from ownkey.sandbox import tokens
from ownkey.sandbox.context import Context
from ownkey.sandbox.errors import Problem
from ownkey.sandbox.exchange import Beat
from ownkey.sandbox.formats.responses_request import read
from ownkey.sandbox.response_book import KeptResponse, account_of
from ownkey.sandbox.turn import Ask, Call, Finish, Reply

__all__ = ["answer", "error_event", "events", "read"]

_encode = msgspec.json.Encoder().encode

_REPEATED: dict[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "service_tier": "default",
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}


_CUT = {Finish.LENGTH: "max_output_tokens", Finish.REFUSAL: "content_filter"}
"""Why an answer is incomplete."""


def _begun(context: Context, ask: Ask) -> dict[str, Any]:
    request: dict[str, Any] = ask.request or {}
    response: dict[str, Any] = {
        "id": f"resp_{context.ident}",
        "object": "response",
        "created_at": int(context.request.at),
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": ask.model,
        "output": [],
        "usage": None,
    }
    for name, default in _REPEATED.items():
        response[name] = request.get(name) if request.get(name) is not None else default
    thinking: dict[str, Any] = request.get("reasoning") or {}
    response["reasoning"] = {"effort": thinking.get("effort"), "summary": thinking.get("summary")}
    return response


def _over(context: Context, ask: Ask, reply: Reply) -> dict[str, Any]:
    """The whole response, which is kept unless the request says otherwise."""
    cut = _CUT.get(reply.finish)
    response = _begun(context, ask) | {
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": cut} if cut else None,
        "output": _output(context, ask, reply, cut is not None),
        "usage": _usage(ask, reply),
    }
    request: dict[str, Any] = ask.request or {}
    if context.vendor.keeps_responses and request.get("store") is not False:
        context.scene.responses.put(account_of(context), KeptResponse(request["input"], response))
    return response


def _usage(ask: Ask, reply: Reply) -> dict[str, Any]:
    asked, answered = ask.input_tokens, reply.reported_tokens()
    return {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": reply.cached, "cache_write_tokens": reply.cache_written},
        "output_tokens": answered,
        "output_tokens_details": {"reasoning_tokens": len(reply.thinking)},
        "total_tokens": asked + answered,
    }


def _output(context: Context, ask: Ask, reply: Reply, cut: bool) -> list[dict[str, Any]]:
    status = "incomplete" if cut else "completed"
    output: list[dict[str, Any]] = []
    if reply.thinking:
        output.append(_thought(context, ask, "".join(reply.thinking)))
    if reply.text or not (reply.calls or reply.thinking):
        output.append(_message(context, len(output), [_text(reply.text)], status))
    for call in reply.calls:
        output.append(_call(context, len(output), call, call.arguments, status))
    return output


def _message(context: Context, index: int, content: list[dict[str, Any]], status: str) -> dict[str, Any]:
    return {
        "id": f"msg_{context.ident}o{index}",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def _text(text: str) -> dict[str, Any]:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _call(context: Context, index: int, call: Call, arguments: str, status: str) -> dict[str, Any]:
    return {
        "id": f"fc_{context.ident}o{index}",
        "type": "function_call",
        "status": status,
        "call_id": f"call_{context.ident}{index}",
        "name": call.name,
        "arguments": arguments,
    }


def _thought(context: Context, ask: Ask, text: str) -> dict[str, Any]:
    """The summary is shown when asked for, the reasoning itself never but as a text that only OpenAI reads."""
    request: dict[str, Any] = ask.request or {}
    summary = [{"type": "summary_text", "text": text}] if _shows_summary(ask) else []
    item: dict[str, Any] = {"id": f"rs_{context.ident}", "type": "reasoning", "summary": summary}
    if "reasoning.encrypted_content" in (request.get("include") or ()):
        item["encrypted_content"] = f"sandbox-encrypted-{context.ident}"
    return item


def _shows_summary(ask: Ask) -> bool:
    request: dict[str, Any] = ask.request or {}
    thinking: dict[str, Any] = request.get("reasoning") or {}
    return bool(thinking.get("summary"))


def answer(context: Context, ask: Ask, reply: Reply) -> bytes:
    return _encode(_over(context, ask, reply))


class _Numbered:
    """Writes events with the numbers they must have."""

    def __init__(self, padded: bool) -> None:
        self._next = 0
        self._padded = padded

    def event(self, kind: str, **fields: Any) -> bytes:
        body: dict[str, Any] = {"type": kind, "sequence_number": self._next, **fields}
        self._next += 1
        if self._padded and kind.endswith(".delta"):
            body["obfuscation"] = "0" * (16 - len(fields["delta"]) % 16)
        return b"event: " + kind.encode() + b"\ndata: " + _encode(body) + b"\n\n"


def events(context: Context, ask: Ask, reply: Reply) -> Generator[Beat, None, None]:
    """Created, in progress, each item with its parts, and the whole response again."""
    write = _Numbered(context.vendor.extras == "openai" and ask.obfuscate).event
    begun = _begun(context, ask)
    yield 0, write("response.created", response=begun)
    yield 0, write("response.in_progress", response=begun)
    cut = reply.finish in _CUT
    for index, item in enumerate(_output(context, ask, reply, cut)):
        if item["type"] == "reasoning":
            yield from _thought_events(write, index, item, reply)
        elif item["type"] == "message":
            yield from _message_events(write, index, item, reply)
        else:
            yield from _call_events(write, index, item)
        yield 0, write("response.output_item.done", output_index=index, item=item)
    response = _over(context, ask, reply)
    yield 0, write(f"response.{response['status']}", response=response)


def _thought_events(write: Any, index: int, item: dict[str, Any], reply: Reply) -> Generator[Beat, None, None]:
    yield 0, write("response.output_item.added", output_index=index, item=item | {"summary": []})
    if not item["summary"]:
        return
    here: dict[str, Any] = {"item_id": item["id"], "output_index": index, "summary_index": 0}
    empty = {"type": "summary_text", "text": ""}
    yield 0, write("response.reasoning_summary_part.added", **here, part=empty)
    for piece in reply.thinking:
        yield 1, write("response.reasoning_summary_text.delta", **here, delta=piece)
    (part,) = item["summary"]
    yield 0, write("response.reasoning_summary_text.done", **here, text=part["text"])
    yield 0, write("response.reasoning_summary_part.done", **here, part=part)


def _message_events(write: Any, index: int, item: dict[str, Any], reply: Reply) -> Generator[Beat, None, None]:
    opened: dict[str, Any] = item | {"status": "in_progress", "content": []}
    yield 0, write("response.output_item.added", output_index=index, item=opened)
    here: dict[str, Any] = {"item_id": item["id"], "output_index": index, "content_index": 0}
    yield 0, write("response.content_part.added", **here, part=_text(""))
    for piece in reply.text_pieces():
        yield 1, write("response.output_text.delta", **here, delta=piece, logprobs=[])
    (part,) = item["content"]
    yield 0, write("response.output_text.done", **here, text=part["text"], logprobs=[])
    yield 0, write("response.content_part.done", **here, part=part)


def _call_events(write: Any, index: int, item: dict[str, Any]) -> Generator[Beat, None, None]:
    opened = item | {"status": "in_progress", "arguments": ""}
    yield 0, write("response.output_item.added", output_index=index, item=opened)
    here: dict[str, Any] = {"item_id": item["id"], "output_index": index}
    for piece in tokens.split(item["arguments"]):
        yield 1, write("response.function_call_arguments.delta", **here, delta=piece)
    yield 0, write("response.function_call_arguments.done", **here, arguments=item["arguments"])


def error_event(context: Context, problem: Problem) -> bytes:
    del context
    body = {
        "type": "error",
        "code": problem.code or problem.type,
        "message": problem.message,
        "param": problem.param,
        "sequence_number": 2,
    }
    return b"event: error\ndata: " + _encode(body) + b"\n\n"
