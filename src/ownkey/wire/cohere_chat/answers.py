"""Cohere's whole answers (cohere.V2ChatResponse)."""

import msgspec
from msgspec import Struct

from ownkey.domain.usage import Usage
from ownkey.wire.errors import ErrorKind, MalformedAnswer, WireError, read_error
from ownkey.wire.fields import Count, decode
from ownkey.wire.neutral import Answer, Part, Reasoning, Stop, StopReason, Text, ToolCall

PLAN = "cohere-tool-plan"
"""Reasoning that Cohere calls a tool plan: what the model means to do with the calls that follow."""
THINKING = "cohere-thinking"
"""Reasoning that Cohere calls thinking."""

_STOP_REASONS = {
    "COMPLETE": StopReason.END,
    "STOP_SEQUENCE": StopReason.STOP_SEQUENCE,
    "MAX_TOKENS": StopReason.MAX_TOKENS,
    "TOOL_CALL": StopReason.TOOL_USE,
}
_FAULTS = {"ERROR": (ErrorKind.SERVER, 502), "TIMEOUT": (ErrorKind.TIMEOUT, 504)}


class Tokens(Struct):
    input_tokens: Count | None = None
    output_tokens: Count | None = None


class UsageShape(Struct):
    """cohere.types.Usage. `billed_units` leave out what Cohere itself adds to a prompt, which `tokens` include. What is
    billed counts, since prices multiply it.
    """

    billed_units: Tokens | None = None
    tokens: Tokens | None = None
    cached_tokens: Count | None = None


def to_usage(shape: UsageShape) -> Usage | None:
    """None when no count is given. Cached tokens never exceed the input."""
    for counts in (shape.billed_units, shape.tokens):
        if counts is not None and not (counts.input_tokens is None and counts.output_tokens is None):
            asked = int(counts.input_tokens or 0)
            return Usage(asked, int(counts.output_tokens or 0), min(int(shape.cached_tokens or 0), asked))
    return None


class Content(Struct):
    """A content block of any type; the fields of those that are translated."""

    type: str | None = None
    text: str | None = None
    thinking: str | None = None


class Function(Struct):
    name: str | None = None
    arguments: str | None = None


class Call(Struct):
    id: str | None = None
    function: Function | None = None


class _Message(Struct):
    content: list[Content] | None = None
    tool_plan: str | None = None
    tool_calls: list[Call] | None = None


class _Response(Struct):
    message: _Message | str | None = None
    id: str | None = None
    finish_reason: str | None = None
    usage: UsageShape | None = None


_RESPONSE = msgspec.json.Decoder(_Response)


def read(body: bytes) -> Answer:
    """The format does not name the model."""
    response = decode(_RESPONSE, body)
    message = response.message
    if isinstance(message, str):
        raise MalformedAnswer("an error in an answer with status 200", read_error(200, body))
    if message is None:
        raise MalformedAnswer("the answer has no message")
    told = fault(response.finish_reason, None)
    if told is not None:
        raise MalformedAnswer(f"finish_reason {response.finish_reason}", told)
    parts = _parts(message)
    return Answer(
        id=response.id or "",
        model="",
        parts=parts,
        stop=stop_of(response.finish_reason, any(isinstance(part, ToolCall) for part in parts)),
        usage=to_usage(response.usage) if response.usage is not None else None,
    )


def stop_of(finish_reason: str | None, calls_tools: bool) -> Stop:
    reason = _STOP_REASONS.get(finish_reason or "COMPLETE", StopReason.END)
    return Stop(StopReason.TOOL_USE if calls_tools and reason is StopReason.END else reason)


def fault(finish_reason: str | None, told: str | None) -> WireError | None:
    """The error that a finish reason stands for; `told` are the provider's own words."""
    if finish_reason not in _FAULTS and not told:
        return None
    kind, status = _FAULTS.get(finish_reason or "ERROR", _FAULTS["ERROR"])
    return WireError(kind, told or "The provider broke off the answer.", status, code=finish_reason)


def call_of(call: Call) -> tuple[str, str, str]:
    """(id, name, arguments). Raises MalformedAnswer for a call without id or name."""
    if not call.id or call.function is None or not call.function.name:
        raise MalformedAnswer("a tool call without id or name")
    return call.id, call.function.name, call.function.arguments or ""


def _parts(message: _Message) -> tuple[Part, ...]:
    parts: list[Part] = []
    if message.tool_plan:
        parts.append(Reasoning(message.tool_plan, format=PLAN))
    for block in message.content or ():
        if block.thinking:
            parts.append(Reasoning(block.thinking, format=THINKING))
        elif block.text:
            parts.append(Text(block.text))
    parts += [ToolCall(*call_of(call)) for call in message.tool_calls or ()]
    return tuple(parts)
