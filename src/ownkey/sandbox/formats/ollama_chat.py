"""Ollama's own chat: a JSON object a line instead of events.

Written from https://docs.ollama.com/api/chat and the types of the `ollama` package.
"""

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.chat import ChatRequest, Finish, Reply, Tool
from ownkey.sandbox.errors import Problem, render
from ownkey.sandbox.exchange import Answer, Context, StreamEvent
from ownkey.sandbox.reading import invalid, read_json

LINES = "application/x-ndjson"
VERSION = "0.35.0"


class _CalledFunction(Struct):
    name: str
    arguments: dict[str, Any]


class _ToolCall(Struct):
    function: _CalledFunction


class _Message(Struct):
    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[_ToolCall] | None = None
    tool_name: str | None = None


class _Function(Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class _Tool(Struct):
    function: _Function
    type: str = "function"


class _Options(Struct):
    num_predict: int | None = None
    stop: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    num_ctx: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


class _Body(Struct):
    """`stream` is true unless the client says otherwise."""

    model: str | None = None
    messages: list[_Message] | None = None
    stream: bool = True
    tools: list[_Tool] | None = None
    format: str | dict[str, Any] | None = None
    options: _Options | None = None
    think: bool | Literal["low", "medium", "high"] | None = None
    keep_alive: float | str | None = None


_DECODER = msgspec.json.Decoder(_Body)
_encode = msgspec.json.Encoder().encode

_REASONS = {
    Finish.STOP: "stop",
    Finish.STOP_SEQUENCE: "stop",
    Finish.LENGTH: "length",
    Finish.TOOL: "stop",
    Finish.REFUSAL: "stop",
}


def read(context: Context) -> ChatRequest:
    body = read_json(context.request.body, _DECODER, dotted=True)
    if not body.model:
        raise invalid("model", "model is required")
    options = body.options or _Options()
    chat = _converse(body.model, body.messages or [])
    chat.stream = body.stream
    chat.stop = options.stop or ()
    # Below zero Ollama writes without a limit.
    chat.max_tokens = options.num_predict if options.num_predict is not None and options.num_predict >= 0 else None
    if body.tools:
        chat.input_tokens += tokens.count(_encode(body.tools).decode())
        chat.tools = [Tool(tool.function.name, tool.function.parameters or {}) for tool in body.tools]
    if body.format:
        if isinstance(body.format, str) and body.format != "json":
            raise invalid("format", f'invalid format: {body.format!r}; expected "json" or a valid JSON Schema object')
        chat.output_schema = {} if isinstance(body.format, str) else body.format
    return chat


def _converse(model: str, messages: list[_Message]) -> ChatRequest:
    """The question that a conversation asks."""
    prompt, last, size = "", 0, 0
    results: list[str] | None = None
    for message in messages:
        counted = tokens.count(message.content)
        size += counted + len(message.images or ()) * tokens.IMAGE_TOKENS
        if message.role == "tool":
            results = [*(results or ()), message.content]
            continue
        results = None
        if message.role == "user":
            prompt, last = message.content, counted
        for call in message.tool_calls or ():
            size += tokens.count(_encode(call.function.arguments).decode())
    result = None if results is None else "\n".join(results)
    system_at = next((index for index, message in enumerate(messages) if message.role == "system"), None)
    return ChatRequest(
        model=model, prompt=prompt, prompt_tokens=last, input_tokens=size, tool_result=result, system_at=system_at
    )


def _line(context: Context, chat: ChatRequest, message: dict[str, Any], **more: Any) -> bytes:
    at = datetime.fromtimestamp(context.request.at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    full = {"role": "assistant", "content": ""} | message
    return _encode({"model": chat.model, "created_at": at, "message": full, "done": False} | more)


def _ending(chat: ChatRequest, reply: Reply) -> dict[str, Any]:
    """Durations are in nanoseconds."""
    return {
        "done": True,
        "done_reason": _REASONS[reply.finish],
        "total_duration": 3,
        "load_duration": 1,
        "prompt_eval_count": chat.input_tokens,
        "prompt_eval_duration": 1,
        "eval_count": reply.reported_tokens(),
        "eval_duration": 1,
    }


def _call(name: str, arguments: str) -> dict[str, Any]:
    """Arguments that the limit broke off are left out."""
    try:
        found: Any = msgspec.json.decode(arguments)
    except msgspec.DecodeError:
        found = {}
    return {"function": {"name": name, "arguments": found}}


def answer(context: Context, chat: ChatRequest, reply: Reply) -> bytes:
    message: dict[str, Any] = {"content": reply.text}
    if reply.thinking:
        message["thinking"] = "".join(reply.thinking)
    if reply.calls:
        message["tool_calls"] = [_call(call.name, call.arguments) for call in reply.calls]
    return _line(context, chat, message, **_ending(chat, reply))


def events(context: Context, chat: ChatRequest, reply: Reply) -> Generator[StreamEvent, None, None]:
    """A line for each piece of thinking and text, one for each call, and the last one with the counts."""
    for piece in reply.thinking:
        yield 1, _line(context, chat, {"thinking": piece}) + b"\n"
    for piece in reply.text_pieces():
        yield 1, _line(context, chat, {"content": piece}) + b"\n"
    for call in reply.calls:
        yield 1, _line(context, chat, {"tool_calls": [_call(call.name, call.arguments)]}) + b"\n"
    yield 0, _line(context, chat, {}, **_ending(chat, reply)) + b"\n"


def error_event(context: Context, problem: Problem) -> bytes:
    return render(problem, context.vendor.shape, context.request_id) + b"\n"


def version(context: Context) -> Answer:
    """GET /api/version."""
    return context.json({"version": VERSION})
