"""A provider's whole response into an Answer (openai.types.responses.Response)."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.wire.errors import MalformedAnswer, error_of_value
from ownkey.wire.fields import decode
from ownkey.wire.neutral import Answer, Part, Refusal, Stop, StopReason, Text, ToolCall
from ownkey.wire.openai_responses import reasoning
from ownkey.wire.openai_responses.usage import UsageShape, to_usage


class Piece(Struct):
    """A part of a message, or of a reasoning item's summary or content."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None


class Message(Struct):
    content: list[Piece] | None = None


class Call(Struct):
    name: str | None = None
    call_id: str | None = None
    id: str | None = None
    arguments: str | None = None


class Thought(Struct):
    summary: list[Piece] | None = None
    content: list[Piece] | None = None
    encrypted_content: str | None = None


class _Kind(Struct):
    type: str = ""


class Incomplete(Struct):
    reason: str | None = None


class _Response(Struct):
    id: str | None = None
    model: str | None = None
    status: str | None = None
    output: list[msgspec.Raw] | None = None
    usage: UsageShape | None = None
    incomplete_details: Incomplete | None = None
    error: Any = None


_RESPONSE = msgspec.json.Decoder(_Response)
_KIND = msgspec.json.Decoder(_Kind)
_MESSAGE = msgspec.json.Decoder(Message)
_CALL = msgspec.json.Decoder(Call)
_THOUGHT = msgspec.json.Decoder(Thought)


def read(body: bytes) -> Answer:
    response = decode(_RESPONSE, body)
    if response.error is not None:
        error = error_of_value(200, {"error": response.error})
        raise MalformedAnswer("an error in an answer with status 200", error)
    if response.output is None:
        raise MalformedAnswer("the answer has no output")
    parts = tuple(part for raw in response.output for part in _parts(bytes(raw)))
    incomplete = response.incomplete_details
    return Answer(
        id=response.id or "",
        model=response.model or "",
        parts=parts,
        stop=stop_of(
            response.status,
            incomplete.reason if incomplete is not None else None,
            any(isinstance(part, ToolCall) for part in parts),
        ),
        usage=to_usage(response.usage) if response.usage is not None else None,
    )


def stop_of(status: str | None, incomplete: str | None, calls_tools: bool) -> Stop:
    if status == "incomplete":
        return Stop(StopReason.REFUSAL if incomplete == "content_filter" else StopReason.MAX_TOKENS)
    return Stop(StopReason.TOOL_USE if calls_tools else StopReason.END)


def _parts(raw: bytes) -> list[Part]:
    """Nothing for the items of built-in tools, which no translated request can ask for."""
    kind = decode(_KIND, raw).type
    if kind == "message":
        return _message_parts(decode(_MESSAGE, raw).content or ())
    if kind == "function_call":
        call = decode(_CALL, raw)
        return [ToolCall(call_id(call), name_of(call), call.arguments or "")]
    if kind == "reasoning":
        thought = decode(_THOUGHT, raw)
        found = reasoning.unwrap(thought_text(thought), thought.encrypted_content)
        return [found] if found.text or found.signature or found.redacted else []
    return []


def _message_parts(content: Sequence[Piece]) -> list[Part]:
    parts: list[Part] = []
    for piece in content:
        if piece.refusal is not None:
            parts.append(Refusal(piece.refusal))
        elif piece.text is not None:
            parts.append(Text(piece.text))
    return parts


def thought_text(thought: Thought) -> str:
    return "\n\n".join(piece.text or "" for piece in thought.summary or thought.content or ())


def call_id(call: Call) -> str:
    """The id that the result must name. Raises MalformedAnswer."""
    found = call.call_id or call.id
    if not found:
        raise MalformedAnswer("a function call without an id")
    return found


def name_of(call: Call) -> str:
    if not call.name:
        raise MalformedAnswer("a function call without a name")
    return call.name
