"""Cohere's chat, version 2.

Written from https://docs.cohere.com/v2/reference/chat and the types of the `cohere` package. Of a prompt's
tokens, `billed_units` leave out the few that Cohere adds.
"""

from collections.abc import Generator
from typing import Any, Literal

import msgspec
from msgspec import Struct

from ownkey.sandbox import tokens
from ownkey.sandbox.chat import LONGEST, ChatRequest, Finish, Reply, Tool
from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.exchange import Context, StreamEvent
from ownkey.sandbox.reading import invalid, read_json


class _Function(Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    arguments: str = ""


class _ToolCall(Struct):
    id: str
    function: _Function


class _Image(Struct):
    url: str


class _Part(Struct):
    type: Literal["text", "image_url", "thinking", "document"]
    text: str | None = None
    image_url: _Image | None = None
    thinking: str | None = None
    document: dict[str, Any] | None = None


class _Message(Struct):
    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[_Part] | None = None
    tool_calls: list[_ToolCall] | None = None
    tool_plan: str | None = None
    tool_call_id: str | None = None


class _Tool(Struct):
    function: _Function
    type: Literal["function"] = "function"


class _ResponseFormat(Struct):
    type: Literal["text", "json_object"]
    json_schema: dict[str, Any] | None = None


class _Thinking(Struct):
    type: Literal["enabled", "disabled"]
    token_budget: int | None = None


class _Body(Struct):
    model: str | None = None
    messages: list[_Message] | None = None
    stream: bool | None = None
    tools: list[_Tool] | None = None
    tool_choice: Literal["REQUIRED", "NONE"] | None = None
    documents: list[str | dict[str, Any]] | None = None
    response_format: _ResponseFormat | None = None
    max_tokens: int | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    p: float | None = None
    k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    thinking: _Thinking | None = None


_DECODER = msgspec.json.Decoder(_Body)
_encode = msgspec.json.Encoder().encode

_FINISH = {
    Finish.STOP: "COMPLETE",
    Finish.STOP_SEQUENCE: "STOP_SEQUENCE",
    Finish.LENGTH: "MAX_TOKENS",
    Finish.TOOL: "TOOL_CALL",
    Finish.REFUSAL: "COMPLETE",
}
_RANGES = (("p", 0.01, 0.99), ("k", 0, 500), ("frequency_penalty", 0, 1), ("presence_penalty", 0, 1))
_ADDED_TOKENS = 7
"""What Cohere adds to every prompt."""


def read(context: Context) -> ChatRequest:
    body = read_json(context.request.body, _DECODER, dotted=True)
    if not body.model:
        raise invalid("model", "invalid request: model is required")
    if not body.messages:
        raise invalid("messages", "invalid request: messages must be at least 1 item long")
    _check(body)
    chat = _converse(body.model, body.messages)
    chat.stream = body.stream is True
    chat.max_tokens = body.max_tokens
    chat.stop = body.stop_sequences or ()
    chat.input_tokens += tokens.count(_encode(body.documents).decode()) if body.documents else 0
    if body.tools:
        chat.input_tokens += tokens.count(_encode(body.tools).decode())
        offered = [Tool(tool.function.name, tool.function.parameters or {}) for tool in body.tools]
        chat.tools = () if body.tool_choice == "NONE" else offered
    if body.response_format is not None and body.response_format.type == "json_object":
        chat.output_schema = body.response_format.json_schema or {}
    return chat


def _check(body: _Body) -> None:
    for name, low, high in _RANGES:
        value: float | None = getattr(body, name)
        if value is not None and not low <= value <= high:
            raise invalid(name, f"invalid request: {name} must be between {low} and {high} inclusive.")
    if body.temperature is not None and body.temperature < 0:
        raise invalid("temperature", "invalid request: temperature must be non-negative.")
    if body.max_tokens is not None and not 1 <= body.max_tokens <= LONGEST:
        raise invalid("max_tokens", f"invalid request: max_tokens must be between 1 and {LONGEST} inclusive.")
    if body.stop_sequences is not None and len(body.stop_sequences) > 5:
        raise invalid("stop_sequences", "invalid request: at most 5 stop sequences are allowed.")
    if body.tool_choice is not None and not body.tools:
        raise invalid("tool_choice", "invalid request: tools must be set when tool_choice is.")
    wanted = body.response_format
    if wanted is not None and wanted.type == "json_object" and (body.tools or body.documents):
        raise invalid("response_format", "invalid request: cannot set response_format with tools or documents.")


def _converse(model: str, messages: list[_Message]) -> ChatRequest:
    """The question that a conversation asks. Raises Refused when tool results do not answer the calls before them."""
    prompt, last, size = "", 0, 0
    results: list[str] | None = None
    open_calls: set[str] = set()
    for message in messages:
        text, images = _text(message.content)
        counted = tokens.count(text)
        size += counted + images * tokens.IMAGE_TOKENS
        if message.role == "tool":
            if message.tool_call_id not in open_calls:
                raise _misplaced(f"tool call id {message.tool_call_id} not found in previous tool calls")
            open_calls.discard(message.tool_call_id)
            results = [*(results or ()), text]
            continue
        if open_calls:
            raise _misplaced("all tool calls must be followed by their tool results")
        results = None
        if message.role == "user":
            prompt, last = text, counted
        if message.tool_calls:
            open_calls = {call.id for call in message.tool_calls}
            size += sum(tokens.count(call.function.arguments) for call in message.tool_calls)
    if open_calls:
        raise _misplaced("all tool calls must be followed by their tool results")
    result = None if results is None else "\n".join(results)
    system_at = next((index for index, message in enumerate(messages) if message.role == "system"), None)
    return ChatRequest(
        model=model, prompt=prompt, prompt_tokens=last, input_tokens=size, tool_result=result, system_at=system_at
    )


def _misplaced(text: str) -> Refused:
    return invalid("messages", f"invalid request: {text}.")


def _text(content: str | list[_Part] | None) -> tuple[str, int]:
    """The text of all parts, and how many of them are images."""
    if content is None or isinstance(content, str):
        return content or "", 0
    texts = [part.text or "" for part in content]
    return "".join(texts), sum(part.type == "image_url" for part in content)


def _usage(chat: ChatRequest, reply: Reply) -> dict[str, Any]:
    """Counts are floats at Cohere."""
    asked, answered = float(chat.input_tokens), float(reply.reported_tokens())
    return {
        "billed_units": {"input_tokens": asked, "output_tokens": answered},
        "tokens": {"input_tokens": asked + _ADDED_TOKENS, "output_tokens": answered},
        "cached_tokens": float(reply.cached),
    }


def _call(context: Context, index: int, name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": f"{name}_{context.ident}{index}", "type": "function", "function": function}


def _plan(reply: Reply) -> str:
    return f"I will use {', '.join(call.name for call in reply.calls)}." if reply.calls else ""


def answer(context: Context, chat: ChatRequest, reply: Reply) -> bytes:
    message: dict[str, Any] = {"role": "assistant"}
    content: list[dict[str, Any]] = []
    if reply.thinking:
        content.append({"type": "thinking", "thinking": "".join(reply.thinking)})
    if reply.text or not reply.calls:
        content.append({"type": "text", "text": reply.text})
    if content:
        message["content"] = content
    if reply.calls:
        calls = [_call(context, index, call.name, call.arguments) for index, call in enumerate(reply.calls)]
        message |= {"tool_plan": _plan(reply), "tool_calls": calls}
    finish = _FINISH[reply.finish]
    return _encode({"id": context.ident, "message": message, "finish_reason": finish, "usage": _usage(chat, reply)})


def events(context: Context, chat: ChatRequest, reply: Reply) -> Generator[StreamEvent, None, None]:
    """message-start, the content blocks, the plan, the calls, message-end."""
    start: dict[str, Any] = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield 0, _event("message-start", id=context.ident, delta={"message": start})
    blocks = [("thinking", reply.thinking)] if reply.thinking else []
    if reply.text or not reply.calls:
        blocks.append(("text", reply.text_pieces()))
    for index, (kind, pieces) in enumerate(blocks):
        yield 0, _event("content-start", index=index, delta={"message": {"content": {"type": kind, kind: ""}}})
        for piece in pieces:
            yield 1, _event("content-delta", index=index, delta={"message": {"content": {kind: piece}}})
        yield 0, _event("content-end", index=index)
    for piece in tokens.split(_plan(reply)):
        yield 0, _event("tool-plan-delta", delta={"message": {"tool_plan": piece}})
    for index, call in enumerate(reply.calls):
        opened = _call(context, index, call.name, "")
        yield 0, _event("tool-call-start", index=index, delta={"message": {"tool_calls": opened}})
        for piece in tokens.split(call.arguments):
            delta = {"message": {"tool_calls": {"function": {"arguments": piece}}}}
            yield 1, _event("tool-call-delta", index=index, delta=delta)
        yield 0, _event("tool-call-end", index=index)
    end = {"finish_reason": _FINISH[reply.finish], "usage": _usage(chat, reply)}
    yield 0, _event("message-end", id=context.ident, delta=end)


def _event(kind: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), _encode({"type": kind, **fields}))


def error_event(context: Context, problem: Problem) -> bytes:
    """Cohere ends a stream that fails with its usual last event."""
    return _event("message-end", id=context.ident, delta={"finish_reason": "ERROR", "error": problem.message})
