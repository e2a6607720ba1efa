"""Messages, whole answers in both directions (anthropic.types.Message)."""

from typing import Any

import msgspec
from msgspec import Struct

from ownkey.domain.usage import Usage
from ownkey.wire.anthropic_messages.thinking import marked
from ownkey.wire.anthropic_messages.usage import UsageShape, from_usage, to_usage
from ownkey.wire.errors import MalformedAnswer, error_of_value
from ownkey.wire.fields import decode, object_raw
from ownkey.wire.neutral import (
    ANTHROPIC_REASONING,
    GEMINI_REASONING,
    Answer,
    AnswerLabel,
    Part,
    Reasoning,
    Refusal,
    Stop,
    StopReason,
    Text,
    ToolCall,
)

_ENCODE = msgspec.json.Encoder().encode

STOP_REASONS = {
    "end_turn": StopReason.END,
    "max_tokens": StopReason.MAX_TOKENS,
    "stop_sequence": StopReason.STOP_SEQUENCE,
    "tool_use": StopReason.TOOL_USE,
    "pause_turn": StopReason.PAUSE,
    "refusal": StopReason.REFUSAL,
    "model_context_window_exceeded": StopReason.CONTEXT_WINDOW,
}
NAMES = {reason: name for name, reason in STOP_REASONS.items()}


class StopDetails(Struct):
    explanation: str | None = None


class Block(Struct):
    """A content block of any type; the fields of those that are translated."""

    type: str
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw()


class _Message(Struct):
    content: list[Block] | None = None
    type: str = "message"
    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None
    usage: UsageShape | None = None
    error: Any = None


_MESSAGE = msgspec.json.Decoder(_Message)


def read(body: bytes) -> Answer:
    message = decode(_MESSAGE, body)
    if message.error is not None:
        error = error_of_value(200, {"error": message.error})
        raise MalformedAnswer("an error in an answer with status 200", error)
    if message.content is None:
        raise MalformedAnswer("the answer has no content")
    return Answer(
        id=message.id or "",
        model=message.model or "",
        parts=tuple(part for block in message.content if (part := _part(block)) is not None),
        stop=stop_of(message.stop_reason, message.stop_sequence, message.stop_details),
        usage=to_usage(message.usage) if message.usage is not None else None,
    )


def stop_of(reason: str | None, sequence: str | None, details: StopDetails | None) -> Stop:
    known = STOP_REASONS.get(reason or "end_turn", StopReason.END)
    return Stop(known, sequence, details.explanation if details is not None else None)


def _part(block: Block) -> Part | None:
    """None for the blocks of Anthropic's own tools, which no translated request can ask for."""
    if block.type == "text":
        return Text(block.text or "")
    if block.type == "thinking":
        return Reasoning(block.thinking or "", block.signature or None, format=ANTHROPIC_REASONING)
    if block.type == "redacted_thinking":
        return Reasoning(redacted=block.data or "", format=ANTHROPIC_REASONING)
    if block.type == "tool_use":
        if not block.id or not block.name:
            raise MalformedAnswer("a tool_use block without id or name")
        return ToolCall(block.id, block.name, input_text(block.input))
    return None


def input_text(raw: msgspec.Raw) -> str:
    """A call's input as it stands in the answer; empty when there is none."""
    try:
        text = bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise MalformedAnswer("a tool_use input that is not UTF-8") from error
    return "" if text == "null" else text


def write(answer: Answer, label: AnswerLabel) -> bytes:
    return _ENCODE(
        {
            "id": label.id,
            "type": "message",
            "role": "assistant",
            "model": label.model,
            "content": [block for part in answer.parts for block in _blocks(part)],
            "stop_reason": _stop_reason(answer),
            "stop_sequence": answer.stop.sequence,
            "usage": from_usage(answer.usage or Usage()),
        }
    )


def _stop_reason(answer: Answer) -> str:
    if answer.stop.reason is StopReason.END and any(isinstance(part, Refusal) for part in answer.parts):
        return NAMES[StopReason.REFUSAL]
    return NAMES[answer.stop.reason]


def _blocks(part: Part) -> list[dict[str, Any]]:
    if isinstance(part, Text | Refusal):
        return [{"type": "text", "text": part.text}]
    if isinstance(part, Reasoning):
        return _thinking(part)
    if isinstance(part, ToolCall):
        call = {"type": "tool_use", "id": part.id, "name": part.name, "input": object_raw(part.arguments)}
        return [call] if part.signature is None else [_redacted(marked(part.signature)), call]
    return []


def _redacted(data: str) -> dict[str, Any]:
    return {"type": "redacted_thinking", "data": data}


def _thinking(part: Reasoning) -> list[dict[str, Any]]:
    """The format demands a signature: reasoning of vendors that sign nothing gets an empty one."""
    signature, redacted = part.signature or "", part.redacted
    if part.format == GEMINI_REASONING:
        signature, redacted = signature and marked(signature), redacted and marked(redacted)
    elif part.format not in (None, ANTHROPIC_REASONING):
        signature, redacted = "", None
    if redacted is not None:
        return [_redacted(redacted)]
    if not part.text and not signature:
        return []
    return [{"type": "thinking", "thinking": part.text, "signature": signature}]
