"""Anthropic messages and count_tokens.

Written from https://docs.anthropic.com/en/api/messages and the types of the `anthropic` package.
Anthropic itself refuses calls without a version.
"""

from collections.abc import Generator, Sequence
from typing import Any, cast

import msgspec

from ownkey.sandbox import tokens
from ownkey.sandbox.behaviours import last_segment
from ownkey.sandbox.chat import LONGEST, ChatRequest, Finish, Reply, Tool
from ownkey.sandbox.errors import Problem, render
from ownkey.sandbox.exchange import Answer, Context, StreamEvent
from ownkey.sandbox.formats.anthropic_request import Body, check_signatures, measure, sign
from ownkey.sandbox.reading import invalid, read_json

VERSIONS = (b"2023-06-01", b"2026-10-21")

_DECODER = msgspec.json.Decoder(Body)
_encode = msgspec.json.Encoder().encode

_STOP_REASON = {
    Finish.STOP: "end_turn",
    Finish.STOP_SEQUENCE: "stop_sequence",
    Finish.LENGTH: "max_tokens",
    Finish.TOOL: "tool_use",
    Finish.REFUSAL: "refusal",
}


def read(context: Context) -> ChatRequest:
    body = _read_body(context)
    if body.max_tokens is None:
        raise invalid("max_tokens", "max_tokens: Field required")
    if not 0 <= body.max_tokens <= LONGEST:
        bound = "greater than or equal to 0" if body.max_tokens < 0 else f"less than or equal to {LONGEST}"
        raise invalid("max_tokens", f"max_tokens: Input should be {bound}")
    _check_sampling(body)
    if last_segment(body.model or "").startswith("think-"):
        check_signatures(body.messages or [])
    conversation = measure(body)
    chat = ChatRequest(
        model=body.model or "",
        prompt=conversation.prompt,
        prompt_tokens=None,
        input_tokens=conversation.tokens,
        tool_result=conversation.tool_result,
        system_at=0 if body.system else None,
        max_tokens=body.max_tokens,
        stream=body.stream is True,
        stop=body.stop_sequences or (),
    )
    if body.tools:
        _read_tools(body, chat)
    output = body.output_config.format if body.output_config and body.output_config.format else body.output_format
    if output is not None:
        chat.output_schema = output.schema or {}
    return chat


def count_tokens(context: Context) -> Answer:
    """POST …/messages/count_tokens."""
    return context.json({"input_tokens": measure(_read_body(context)).tokens})


def _read_body(context: Context) -> Body:
    if context.vendor.version_required:
        version = context.request.head.headers.get(b"anthropic-version")
        if version is None:
            raise invalid("anthropic-version", "anthropic-version: header is required")
        if version not in VERSIONS:
            shown = version.decode("latin-1")
            raise invalid("anthropic-version", f'anthropic-version: "{shown}" is not a valid version')
    body = read_json(context.request.body, _DECODER, dotted=True)
    if not body.model:
        raise invalid("model", "model: Field required")
    if body.messages is None:
        raise invalid("messages", "messages: Field required")
    if not body.messages:
        raise invalid("messages", "messages: at least one message is required")
    return body


def _check_sampling(body: Body) -> None:
    for name, value in (("temperature", body.temperature), ("top_p", body.top_p), ("top_k", body.top_k)):
        if value is None:
            continue
        if value < 0:
            raise invalid(name, f"{name}: Input should be greater than or equal to 0")
        if value > 1 and name != "top_k":
            raise invalid(name, f"{name}: Input should be less than or equal to 1")


def _read_tools(body: Body, chat: ChatRequest) -> None:
    tools = [Tool(tool.name, tool.input_schema or {}) for tool in body.tools or ()]
    choice: dict[str, Any] = body.tool_choice or {}
    chat.parallel = not choice.get("disable_parallel_tool_use", False)
    if choice.get("type") == "tool":
        chat.forced_tool = str(choice.get("name", ""))
        if all(tool.name != chat.forced_tool for tool in tools):
            raise invalid("tool_choice", f"tool_choice.name: Tool '{chat.forced_tool}' not found in provided tools")
    chat.tools = () if choice.get("type") == "none" else tools


def _input_usage(chat: ChatRequest, reply: Reply) -> dict[str, Any]:
    """Anthropic's `input_tokens` leaves out what was read from or written to the cache."""
    return {
        "input_tokens": chat.input_tokens - reply.cached - reply.cache_written,
        "cache_creation_input_tokens": reply.cache_written,
        "cache_read_input_tokens": reply.cached,
    }


def _usage(chat: ChatRequest, reply: Reply, output_tokens: int) -> dict[str, Any]:
    usage = {
        **_input_usage(chat, reply),
        "cache_creation": {"ephemeral_5m_input_tokens": reply.cache_written, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output_tokens,
        "service_tier": "standard",
    }
    if reply.thinking:
        usage["output_tokens_details"] = {"thinking_tokens": min(len(reply.thinking), output_tokens)}
    return usage


def _envelope(context: Context, chat: ChatRequest, usage: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"msg_{context.ident}",
        "type": "message",
        "role": "assistant",
        "model": chat.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": usage,
    }


def _tool_use(context: Context, index: int, name: str, arguments: object) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{context.ident}{index}", "name": name, "input": arguments}


def answer(context: Context, chat: ChatRequest, reply: Reply) -> bytes:
    content: list[dict[str, Any]] = []
    if reply.thinking:
        thinking = "".join(reply.thinking)
        content.append({"type": "thinking", "thinking": thinking, "signature": sign(thinking)})
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    for index, call in enumerate(reply.calls):
        content.append(_tool_use(context, index, call.name, _arguments(call.arguments)))
    message = _envelope(context, chat, _usage(chat, reply, reply.reported_tokens()))
    message["content"] = content
    message["stop_reason"] = _STOP_REASON[reply.finish]
    message["stop_sequence"] = reply.stop_sequence
    return _encode(message)


def _arguments(text: str) -> dict[str, Any]:
    """The arguments as an object; those that max_tokens broke off are left out."""
    try:
        return cast("dict[str, Any]", msgspec.json.decode(text))
    except msgspec.DecodeError:
        return {}


def events(context: Context, chat: ChatRequest, reply: Reply) -> Generator[StreamEvent, None, None]:
    """message_start, the content blocks with a ping after the first one's start, message_delta, message_stop."""
    output_tokens = reply.reported_tokens()
    usage = _usage(chat, reply, min(1, output_tokens))
    yield 0, _event(b"message_start", {"type": "message_start", "message": _envelope(context, chat, usage)})
    ping = _event(b"ping", {"type": "ping"})
    for index, (opening, deltas, signature) in enumerate(_blocks(context, reply)):
        start = {"type": "content_block_start", "index": index, "content_block": opening}
        yield 0, _event(b"content_block_start", start) + (b"" if index else ping)
        head, pieces = deltas
        before = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":%b' % (
            index,
            head,
        )
        for piece in pieces:
            yield 1, before + _encode(piece) + b"}}\n\n"
        if signature is not None:
            yield 0, before.removesuffix(head) + b'{"type":"signature_delta","signature":%b}}\n\n' % _encode(signature)
        yield 0, _event(b"content_block_stop", {"type": "content_block_stop", "index": index})
    final: dict[str, Any] = {
        "type": "message_delta",
        "delta": {
            "stop_reason": _STOP_REASON[reply.finish],
            "stop_sequence": reply.stop_sequence,
            "stop_details": None,
        },
        "usage": {**_input_usage(chat, reply), "output_tokens": output_tokens},
    }
    if reply.thinking:
        final["usage"]["output_tokens_details"] = {"thinking_tokens": len(reply.thinking)}
    yield 0, _event(b"message_delta", final)
    yield 0, _event(b"message_stop", {"type": "message_stop"})


_Block = tuple[dict[str, Any], tuple[bytes, Sequence[str]], str | None]


def _blocks(context: Context, reply: Reply) -> Generator[_Block, None, None]:
    """(content_block at its start, (opening of each delta, its pieces), signature) of each block."""
    if reply.thinking:
        opening = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = (b'{"type":"thinking_delta","thinking":', reply.thinking)
        yield opening, deltas, sign("".join(reply.thinking))
    pieces = reply.text_pieces()
    if pieces:
        yield {"type": "text", "text": ""}, (b'{"type":"text_delta","text":', pieces), None
    for index, call in enumerate(reply.calls):
        deltas = (b'{"type":"input_json_delta","partial_json":', tokens.split(call.arguments))
        yield _tool_use(context, index, call.name, {}), deltas, None


def _event(name: bytes, value: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name, _encode(value))


def error_event(context: Context, problem: Problem) -> bytes:
    return b"event: error\ndata: %b\n\n" % render(problem, context.vendor.shape, context.request_id)
