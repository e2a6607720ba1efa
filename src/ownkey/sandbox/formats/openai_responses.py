"""OpenAI responses, whole and as typed events, as OpenAI and those compatible with it serve them."""

from collections.abc import Generator
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec

from ownkey.sandbox import tokens
from ownkey.sandbox.chat import Call, ChatRequest, Finish, Reply
from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.exchange import Answer, Context, StreamEvent
from ownkey.sandbox.formats.openai_responses_request import read
from ownkey.sandbox.reading import invalid
from ownkey.sandbox.state import StoredResponse

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


def _begun(context: Context, chat: ChatRequest) -> dict[str, Any]:
    request: dict[str, Any] = chat.request or {}
    response: dict[str, Any] = {
        "id": f"resp_{context.ident}",
        "object": "response",
        "created_at": int(context.request.at),
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": chat.model,
        "output": [],
        "usage": None,
    }
    for name, default in _REPEATED.items():
        response[name] = request.get(name) if request.get(name) is not None else default
    thinking: dict[str, Any] = request.get("reasoning") or {}
    response["reasoning"] = {"effort": thinking.get("effort"), "summary": thinking.get("summary")}
    return response


def _over(context: Context, chat: ChatRequest, reply: Reply) -> dict[str, Any]:
    """The whole response, which is kept unless the request says otherwise."""
    cut = _CUT.get(reply.finish)
    response = _begun(context, chat) | {
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": cut} if cut else None,
        "output": _output(context, chat, reply, cut is not None),
        "usage": _usage(chat, reply),
    }
    request: dict[str, Any] = chat.request or {}
    if context.vendor.keeps_responses and request.get("store") is not False:
        context.state.responses.put(context.account, StoredResponse(request["input"], response))
    return response


def _usage(chat: ChatRequest, reply: Reply) -> dict[str, Any]:
    asked, answered = chat.input_tokens, reply.reported_tokens()
    return {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": reply.cached, "cache_write_tokens": reply.cache_written},
        "output_tokens": answered,
        "output_tokens_details": {"reasoning_tokens": len(reply.thinking)},
        "total_tokens": asked + answered,
    }


def _output(context: Context, chat: ChatRequest, reply: Reply, cut: bool) -> list[dict[str, Any]]:
    status = "incomplete" if cut else "completed"
    output: list[dict[str, Any]] = []
    if reply.thinking:
        output.append(_thought(context, chat, "".join(reply.thinking)))
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


def _thought(context: Context, chat: ChatRequest, text: str) -> dict[str, Any]:
    """The summary is shown when asked for, the reasoning itself never but as a text that only OpenAI reads."""
    request: dict[str, Any] = chat.request or {}
    summary = [{"type": "summary_text", "text": text}] if _shows_summary(chat) else []
    item: dict[str, Any] = {"id": f"rs_{context.ident}", "type": "reasoning", "summary": summary}
    if "reasoning.encrypted_content" in (request.get("include") or ()):
        item["encrypted_content"] = f"sandbox-encrypted-{context.ident}"
    return item


def _shows_summary(chat: ChatRequest) -> bool:
    request: dict[str, Any] = chat.request or {}
    thinking: dict[str, Any] = request.get("reasoning") or {}
    return bool(thinking.get("summary"))


def answer(context: Context, chat: ChatRequest, reply: Reply) -> bytes:
    return _encode(_over(context, chat, reply))


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


def events(context: Context, chat: ChatRequest, reply: Reply) -> Generator[StreamEvent, None, None]:
    """Created, in progress, each item with its parts, and the whole response again."""
    write = _Numbered(context.vendor.extras == "openai" and chat.obfuscate).event
    begun = _begun(context, chat)
    yield 0, write("response.created", response=begun)
    yield 0, write("response.in_progress", response=begun)
    cut = reply.finish in _CUT
    for index, item in enumerate(_output(context, chat, reply, cut)):
        if item["type"] == "reasoning":
            yield from _thought_events(write, index, item, reply)
        elif item["type"] == "message":
            yield from _message_events(write, index, item, reply)
        else:
            yield from _call_events(write, index, item)
        yield 0, write("response.output_item.done", output_index=index, item=item)
    response = _over(context, chat, reply)
    yield 0, write(f"response.{response['status']}", response=response)


def _thought_events(write: Any, index: int, item: dict[str, Any], reply: Reply) -> Generator[StreamEvent, None, None]:
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


def _message_events(write: Any, index: int, item: dict[str, Any], reply: Reply) -> Generator[StreamEvent, None, None]:
    opened: dict[str, Any] = item | {"status": "in_progress", "content": []}
    yield 0, write("response.output_item.added", output_index=index, item=opened)
    here: dict[str, Any] = {"item_id": item["id"], "output_index": index, "content_index": 0}
    yield 0, write("response.content_part.added", **here, part=_text(""))
    for piece in reply.text_pieces():
        yield 1, write("response.output_text.delta", **here, delta=piece, logprobs=[])
    (part,) = item["content"]
    yield 0, write("response.output_text.done", **here, text=part["text"], logprobs=[])
    yield 0, write("response.content_part.done", **here, part=part)


def _call_events(write: Any, index: int, item: dict[str, Any]) -> Generator[StreamEvent, None, None]:
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


def get(context: Context) -> Answer:
    """GET …/responses/{id} and …/responses/{id}/input_items."""
    response_id, tail = _place(context)
    kept = _kept(context, response_id)
    if not tail:
        return context.json(kept.response)
    if tail != "input_items":
        raise _nothing(context)
    return context.json(_page(kept.items, context.request.head.query.decode("latin-1")))


def delete(context: Context) -> Answer:
    """DELETE …/responses/{id}."""
    response_id, tail = _place(context)
    if tail:
        raise _nothing(context)
    _kept(context, response_id)
    context.state.responses.delete(context.account, response_id)
    return context.json({"id": response_id, "object": "response", "deleted": True})


def cancel(context: Context) -> Answer:
    """POST …/responses/{id}/cancel: no simulated response runs in the background."""
    response_id, tail = _place(context)
    if tail != "cancel":
        raise _nothing(context)
    _kept(context, response_id)
    raise Refused(Problem(status=400, message="Cannot cancel a synchronous response."))


def _place(context: Context) -> tuple[str, str]:
    rest = context.plan.rest
    response_id, _, tail = rest[rest.rindex("responses/") + len("responses/") :].partition("/")
    return unquote(response_id), tail


def _kept(context: Context, response_id: str) -> StoredResponse:
    kept = context.state.responses.get(context.account, response_id)
    if kept is None:
        raise Refused(Problem(status=404, message=f"Response with id '{response_id}' not found."))
    return kept


def _nothing(context: Context) -> Refused:
    head = context.request.head
    text = f"Invalid URL ({head.method.decode('latin-1')} /{context.plan.rest})"
    return Refused(Problem(status=404, message=text))


def _page(items: list[dict[str, Any]], query: str) -> dict[str, Any]:
    asked = parse_qs(query)
    limit, order, after = (asked.get(name, [""])[-1] for name in ("limit", "order", "after"))
    if limit and not (limit.isdigit() and 1 <= int(limit) <= 100):
        raise invalid("limit", f"Invalid 'limit': expected a number from 1 to 100, but got {limit!r} instead.")
    rows = items if order == "asc" else items[::-1]
    if after:
        rows = rows[next((index + 1 for index, item in enumerate(rows) if item["id"] == after), 0) :]
    page = rows[: int(limit or 20)]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": len(rows) > len(page),
    }
