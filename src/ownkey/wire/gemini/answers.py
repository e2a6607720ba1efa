"""generateContent's whole answers in both directions (google.genai.types.GenerateContentResponse)."""

from typing import Any

import msgspec
from msgspec import Struct

from ownkey.domain.usage import Usage
from ownkey.wire.errors import ErrorKind, MalformedAnswer, WireError
from ownkey.wire.fields import decode, object_raw
from ownkey.wire.gemini.errors import of_value
from ownkey.wire.gemini.thinking import wrapped
from ownkey.wire.gemini.usage import UsageShape, from_usage, to_usage
from ownkey.wire.neutral import (
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

_BROKEN = frozenset(
    {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE"}
)
"""Answers that the model or its server spoilt: there is nothing to go on with, and a second try may succeed."""

_STOP_REASONS = {
    "STOP": StopReason.END,
    "FINISH_REASON_UNSPECIFIED": StopReason.END,
    "MAX_TOKENS": StopReason.MAX_TOKENS,
    "CONTINUATION": StopReason.PAUSE,
    "TOO_MANY_TOOL_CALLS": StopReason.PAUSE,
}
"""Every other reason withholds an answer: SAFETY, RECITATION, LANGUAGE, BLOCKLIST, SPII, OTHER, …"""

FINISH_REASONS = {
    StopReason.END: "STOP",
    StopReason.MAX_TOKENS: "MAX_TOKENS",
    StopReason.STOP_SEQUENCE: "STOP",
    StopReason.TOOL_USE: "STOP",
    StopReason.REFUSAL: "SAFETY",
    StopReason.PAUSE: "STOP",
    StopReason.CONTEXT_WINDOW: "MAX_TOKENS",
}


class FunctionCall(Struct):
    name: str | None = None
    args: msgspec.Raw = msgspec.Raw()
    id: str | None = None


class AnswerPart(Struct, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: FunctionCall | None = None


class Content(Struct):
    parts: list[AnswerPart] | None = None


class Candidate(Struct, rename="camel"):
    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    index: int | None = None


class PromptFeedback(Struct, rename="camel"):
    block_reason: str | None = None
    block_reason_message: str | None = None


class Response(Struct, rename="camel"):
    """A whole answer, and each chunk of a streamed one."""

    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: UsageShape | None = None
    model_version: str | None = None
    response_id: str | None = None
    error: Any = None


RESPONSE = msgspec.json.Decoder(Response)


def check(response: Response) -> None:
    """Raise MalformedAnswer for what is no response: an error, or nothing of what one holds."""
    if response.error is not None:
        error = of_value(200, {"error": response.error})
        raise MalformedAnswer("an error in an answer with status 200", error)
    if response.candidates is None and response.prompt_feedback is None and response.usage_metadata is None:
        raise MalformedAnswer("neither candidates nor feedback nor usage")


def read(body: bytes) -> Answer:
    response = decode(RESPONSE, body)
    check(response)
    answer_id = response.response_id or ""
    candidate = next((each for each in response.candidates or () if not each.index), None)
    parts: list[Part] = []
    if candidate is not None and candidate.content is not None:
        for part in candidate.content.parts or ():
            _add(parts, part, answer_id)
    calls_tools = any(isinstance(part, ToolCall) for part in parts)
    return Answer(
        id=answer_id,
        model=response.model_version or "",
        parts=tuple(parts),
        stop=blocked(response.prompt_feedback) if candidate is None else stop_of(candidate, calls_tools),
        usage=to_usage(response.usage_metadata) if response.usage_metadata is not None else None,
    )


def blocked(feedback: PromptFeedback | None) -> Stop:
    """A prompt that Google blocked has no candidates. Raises MalformedAnswer when nothing says why there are none."""
    if feedback is None or feedback.block_reason is None:
        raise MalformedAnswer("no candidates and no reason for it")
    told = feedback.block_reason_message or f"The prompt was blocked: {feedback.block_reason}."
    return Stop(StopReason.REFUSAL, explanation=told)


def stop_of(candidate: Candidate, calls_tools: bool) -> Stop:
    """STOP is the reason for calls too. Raises MalformedAnswer for an answer that the model spoilt."""
    name = candidate.finish_reason or "STOP"
    if name in _BROKEN:
        detail = f": {candidate.finish_message}" if candidate.finish_message else ""
        message = f"The model wrote an answer that cannot be read ({name}){detail}"
        raise MalformedAnswer(name, WireError(ErrorKind.SERVER, message[:1000], 502, code=name))
    reason = _STOP_REASONS.get(name, StopReason.REFUSAL)
    if reason is StopReason.REFUSAL:
        return Stop(reason, explanation=candidate.finish_message or f"The answer was withheld: {name}.")
    return Stop(StopReason.TOOL_USE if calls_tools and reason is StopReason.END else reason)


def call_id(call: FunctionCall, answer_id: str, index: int) -> str:
    """Ids are optional at Google and everybody else's clients need one."""
    return call.id or f"call_{answer_id}_{index}"


def arguments(call: FunctionCall) -> str:
    """A call's arguments as they stand in the answer."""
    try:
        text = bytes(call.args).decode()
    except UnicodeDecodeError as error:
        raise MalformedAnswer("arguments that are not UTF-8") from error
    return "{}" if text in ("", "null") else text


def _add(parts: list[Part], part: AnswerPart, answer_id: str) -> None:
    """A signature beside a text stands before it; parts of Google's own tools, which nobody asked for, are left out."""
    signature = part.thought_signature
    if part.function_call is not None:
        call = part.function_call
        if not call.name:
            raise MalformedAnswer("a function call without a name")
        parts.append(ToolCall(call_id(call, answer_id, len(parts)), call.name, arguments(call), None, signature))
    elif part.thought:
        if part.text or signature:
            parts.append(Reasoning(part.text or "", signature, format=GEMINI_REASONING))
    else:
        if signature is not None:
            parts.append(Reasoning(redacted=signature, format=GEMINI_REASONING))
        if part.text:
            parts.append(Text(part.text))


def write(answer: Answer, label: AnswerLabel) -> bytes:
    parts = [written for part in answer.parts for written in _parts(part)]
    refused = any(isinstance(part, Refusal) for part in answer.parts) and answer.stop.reason is StopReason.END
    candidate: dict[str, Any] = {
        "content": {"parts": parts or [{"text": ""}], "role": "model"},
        "finishReason": FINISH_REASONS[StopReason.REFUSAL if refused else answer.stop.reason],
        "index": 0,
    }
    if answer.stop.explanation is not None:
        candidate["finishMessage"] = answer.stop.explanation
    usage = from_usage(answer.usage or Usage())
    answer_of = {"modelVersion": label.model, "responseId": label.id}
    return _ENCODE({"candidates": [candidate], "usageMetadata": usage} | answer_of)


def _parts(part: Part) -> list[dict[str, Any]]:
    if isinstance(part, Text | Refusal):
        return [{"text": part.text}]
    if isinstance(part, Reasoning):
        return thought_parts(part.text, part.signature, part.redacted, part.format)
    if isinstance(part, ToolCall):
        return [call_part(part.id, part.name, part.arguments, part.signature)]
    return []


def call_part(id_: str, name: str, text: str, signature: str | None) -> dict[str, Any]:
    part: dict[str, Any] = {"functionCall": {"id": id_, "name": name, "args": object_raw(text)}}
    return part if signature is None else part | {"thoughtSignature": signature}


def thought_parts(text: str, signature: str | None, redacted: str | None, format_: str | None) -> list[dict[str, Any]]:
    """A thought part; other vendors' signatures are wrapped, so that they come back with their vendor's name."""
    if format_ == GEMINI_REASONING:
        if redacted is not None:
            return [{"text": "", "thoughtSignature": redacted}]
    elif signature is not None or redacted is not None:
        signature = wrapped(signature, redacted, format_)
    part: dict[str, Any] = {"text": text, "thought": True}
    return [part if signature is None else part | {"thoughtSignature": signature}]
