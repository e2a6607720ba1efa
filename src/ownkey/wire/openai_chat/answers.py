"""Chat completions, whole answers in both directions (openai.types.chat.ChatCompletion)."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.wire.errors import MalformedAnswer, WireError, broken, error_of_value
from ownkey.wire.fields import decode, decode_or_none
from ownkey.wire.neutral import (
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
from ownkey.wire.openai_chat.request_reading import merge_details
from ownkey.wire.openai_chat.request_shapes import ReasoningDetail
from ownkey.wire.openai_chat.usage import Place, from_usage, reported

_ENCODE = msgspec.json.Encoder().encode

STOP_REASONS = {
    "stop": StopReason.END,
    "length": StopReason.MAX_TOKENS,
    "tool_calls": StopReason.TOOL_USE,
    "function_call": StopReason.TOOL_USE,
    "content_filter": StopReason.REFUSAL,
}
FINISH_REASONS = {
    StopReason.END: "stop",
    StopReason.MAX_TOKENS: "length",
    StopReason.STOP_SEQUENCE: "stop",
    StopReason.TOOL_USE: "tool_calls",
    StopReason.REFUSAL: "content_filter",
    StopReason.PAUSE: "stop",
    StopReason.CONTEXT_WINDOW: "length",
}


DONE = b"data: [DONE]\n\n"
"""The end mark of a stream. None follows an error."""


class Piece(Struct):
    """An entry of `content` where a provider sends a list (Mistral's reasoning models)."""

    type: str = "text"
    text: str | None = None
    thinking: "list[Piece] | str | None" = None


class _Function(Struct):
    name: str
    arguments: str = ""


class _Call(Struct):
    function: _Function
    id: str | None = None


class _Message(Struct):
    content: str | list[Piece] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[ReasoningDetail] | None = None
    tool_calls: list[_Call] | None = None


class Ending(Struct):
    """Why a choice ended. OpenRouter puts an error beside `finish_reason: "error"`, others do not."""

    finish_reason: str | None = None
    error: Any = None


class _Choice(Place, kw_only=True):
    message: _Message
    finish_reason: str | None = None
    error: Any = None


class _Completion(Place):
    choices: list[_Choice] | None = None
    id: str | None = None
    model: str | None = None
    x_groq: Place | None = None
    error: Any = None


class _Ended(Struct):
    choices: list[Ending] | None = None


_ENDED = msgspec.json.Decoder(_Ended)
_COMPLETION = msgspec.json.Decoder(_Completion)


def read(body: bytes) -> Answer:
    completion = decode(_COMPLETION, body)
    if completion.error is not None:
        error = error_of_value(200, {"error": completion.error})
        raise MalformedAnswer("an error in an answer with status 200", error)
    if not completion.choices:
        raise MalformedAnswer("the answer has no choices")
    choice = completion.choices[0]
    if (error := broken_off(choice.finish_reason, choice.error)) is not None:
        raise MalformedAnswer("finish_reason error", error)
    answer_id = completion.id or ""
    parts = _parts(choice.message, answer_id)
    return Answer(
        id=answer_id,
        model=completion.model or "",
        parts=parts,
        stop=stop_of(choice.finish_reason, any(isinstance(part, ToolCall) for part in parts)),
        usage=reported(completion, completion.x_groq, completion.choices),
    )


def ends_in_error(body: bytes) -> WireError | None:
    """The error by which a whole answer ends, None where there is none that can be read."""
    ended = decode_or_none(_ENDED, body)
    errors = (broken_off(choice.finish_reason, choice.error) for choice in (ended and ended.choices) or ())
    return next(filter(None, errors), None)


def broken_off(finish_reason: str | None, error: object) -> WireError | None:
    """The error of a choice that ended in one."""
    if finish_reason != "error":
        return None
    return broken("The provider broke off the answer.") if error is None else error_of_value(200, {"error": error})


def stop_of(finish_reason: str | None, calls_tools: bool) -> Stop:
    """A forced call ends with `stop` at OpenAI; the call itself tells more."""
    reason = STOP_REASONS.get(finish_reason or "stop", StopReason.END)
    return Stop(StopReason.TOOL_USE if calls_tools and reason is StopReason.END else reason)


def call_id(given: str | None, answer_id: str, index: int) -> str:
    """The id of a tool call; some providers leave it out."""
    return given or f"call_{answer_id}_{index}"


def pieces(content: list[Piece]) -> tuple[str, str]:
    """The reasoning and the text in a list of content."""
    reasoning = text = ""
    for piece in content:
        text += piece.text or ""
        if isinstance(piece.thinking, str):
            reasoning += piece.thinking
        elif piece.thinking:
            reasoning += pieces(piece.thinking)[1]
    return reasoning, text


def _parts(message: _Message, answer_id: str) -> tuple[Part, ...]:
    reasoning, text = pieces(message.content) if isinstance(message.content, list) else ("", message.content or "")
    thoughts = merge_details(message.reasoning_details or ())
    reasoning = message.reasoning_content or message.reasoning or reasoning
    if not thoughts and reasoning:
        thoughts = [Reasoning(reasoning)]
    parts: list[Part] = list(thoughts)
    if text:
        parts.append(Text(text))
    if message.refusal:
        parts.append(Refusal(message.refusal))
    for index, call in enumerate(message.tool_calls or ()):
        parts.append(ToolCall(call_id(call.id, answer_id, index), call.function.name, call.function.arguments))
    return tuple(parts)


def write(answer: Answer, label: AnswerLabel) -> bytes:
    choice = {
        "index": 0,
        "message": _message(answer),
        "logprobs": None,
        "finish_reason": FINISH_REASONS[answer.stop.reason],
    }
    completion: dict[str, Any] = {
        "id": label.id,
        "object": "chat.completion",
        "created": label.created,
        "model": label.model,
        "choices": [choice],
    }
    if answer.usage is not None:
        completion["usage"] = from_usage(answer.usage)
    return _ENCODE(completion)


def _message(answer: Answer) -> dict[str, Any]:
    texts = [part.text for part in answer.parts if isinstance(part, Text)]
    refusals = [part.text for part in answer.parts if isinstance(part, Refusal)]
    thoughts = [part for part in answer.parts if isinstance(part, Reasoning)]
    calls = [_call(part) for part in answer.parts if isinstance(part, ToolCall)]
    if not refusals and answer.stop.explanation:
        refusals = [answer.stop.explanation]
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(texts) if texts or not (calls or refusals) else None,
        "refusal": "\n".join(refusals) if refusals else None,
    }
    if thoughts:
        reasoning = "".join(part.text for part in thoughts)
        message["reasoning_content"] = reasoning or None
        message["reasoning_details"] = reasoning_details(thoughts)
    if calls:
        message["tool_calls"] = calls
    return message


def _call(part: ToolCall) -> dict[str, Any]:
    call: dict[str, Any] = {"id": part.id}
    if part.freeform:
        call |= {"type": "custom", "custom": {"name": part.name, "input": part.arguments}}
    else:
        call |= {"type": "function", "function": {"name": part.name, "arguments": part.arguments or "{}"}}
    return call | signed(part.signature)


def signed(signature: str | None) -> dict[str, Any]:
    """Gemini's signature of a call, where Google's compatible surface puts it; clients send it back there."""
    return {"extra_content": {"google": {"thought_signature": signature}}} if signature is not None else {}


def reasoning_details(thoughts: Sequence[Reasoning]) -> list[dict[str, Any]]:
    """Reasoning as OpenRouter writes it: a client that sends it back returns signatures unchanged."""
    details: list[dict[str, Any]] = []
    for index, part in enumerate(thoughts):
        if part.redacted is not None:
            detail: dict[str, Any] = {"type": "reasoning.encrypted", "data": part.redacted}
        else:
            detail = {"type": "reasoning.text", "text": part.text}
            if part.signature is not None:
                detail["signature"] = part.signature
        if part.format is not None:
            detail["format"] = part.format
        detail["index"] = index
        details.append(detail)
    return details
