"""Bedrock's whole answers (ConverseResponse of the service model)."""

from typing import Any

import msgspec
from msgspec import Struct, field

from ownkey.domain.usage import Usage
from ownkey.wire.bedrock_converse.errors import ERRORS
from ownkey.wire.errors import ErrorKind, MalformedAnswer, WireError
from ownkey.wire.fields import Count, decode
from ownkey.wire.neutral import ANTHROPIC_REASONING, Answer, Part, Reasoning, Stop, StopReason, Text, ToolCall

_STOP_REASONS = {
    "end_turn": StopReason.END,
    "tool_use": StopReason.TOOL_USE,
    "max_tokens": StopReason.MAX_TOKENS,
    "stop_sequence": StopReason.STOP_SEQUENCE,
    "guardrail_intervened": StopReason.REFUSAL,
    "content_filtered": StopReason.REFUSAL,
    "model_context_window_exceeded": StopReason.CONTEXT_WINDOW,
}
_EXPLANATIONS = {
    "guardrail_intervened": "A guardrail of Amazon Bedrock intervened.",
    "content_filtered": "Amazon Bedrock's content filter withheld the answer.",
}
_MALFORMED = {
    "malformed_model_output": "The model wrote an answer that cannot be read.",
    "malformed_tool_use": "The model wrote a tool call that cannot be read.",
}
"""Stop reasons after which there is no answer to go on with."""


class _CacheDetail(Struct, rename="camel"):
    """`CacheDetail` of the service model: what was written to the cache for so long (`5m` or `1h`)."""

    ttl: str | None = None
    input_tokens: Count | None = None


class UsageShape(
    Struct,
    rename={
        "input": "inputTokens",
        "output": "outputTokens",
        "cache_read": "cacheReadInputTokens",
        "cache_write": "cacheWriteInputTokens",
        "cache_details": "cacheDetails",
    },
):
    """`TokenUsage` of the service model. `inputTokens` leaves out what was read from a cache or written to one (Bedrock
    User Guide, "Prompt caching"); domain usage includes both. Reasoning is part of `outputTokens`, not counted apart.
    """

    input: Count | None = None
    output: Count | None = None
    cache_read: Count | None = None
    cache_write: Count | None = None
    cache_details: list[_CacheDetail] | None = None


def to_usage(shape: UsageShape) -> Usage | None:
    """None when no count is given."""
    if shape.input is None and shape.output is None:
        return None
    cached, written = int(shape.cache_read or 0), int(shape.cache_write or 0)
    hours = sum(int(detail.input_tokens or 0) for detail in shape.cache_details or () if detail.ttl == "1h")
    total = int(shape.input or 0) + cached + written
    return Usage(total, int(shape.output or 0), cached, written, cache_write_hour_tokens=min(hours, written))


class _ReasoningText(Struct):
    text: str = ""
    signature: str | None = None


class _ReasoningContent(Struct):
    text: _ReasoningText | None = field(default=None, name="reasoningText")
    redacted: str | None = field(default=None, name="redactedContent")


class _ToolUse(Struct):
    id: str = field(default="", name="toolUseId")
    name: str = ""
    input: msgspec.Raw = msgspec.Raw()
    type: str | None = None


class _Cited(Struct):
    text: str | None = None


class _Citations(Struct):
    content: list[_Cited] | None = None


class _Block(Struct):
    """A content block; the fields of those that are translated."""

    text: str | None = None
    tool_use: _ToolUse | None = field(default=None, name="toolUse")
    reasoning: _ReasoningContent | None = field(default=None, name="reasoningContent")
    citations: _Citations | None = field(default=None, name="citationsContent")


class _Message(Struct):
    content: list[_Block]


class _Output(Struct):
    message: _Message | None = None


class _Response(Struct):
    output: _Output | None = None
    stop: str | None = field(default=None, name="stopReason")
    usage: UsageShape | None = None
    told: Any = field(default=None, name="message")


_RESPONSE = msgspec.json.Decoder(_Response)


def read(body: bytes) -> Answer:
    """The format names neither the answer nor the model."""
    response = decode(_RESPONSE, body)
    if response.output is None or response.output.message is None:
        told = ERRORS.read(200, body) if response.told is not None else None
        raise MalformedAnswer("the answer has no message", told)
    return Answer(
        id="",
        model="",
        parts=tuple(part for block in response.output.message.content for part in _parts(block)),
        stop=stop_of(response.stop),
        usage=to_usage(response.usage) if response.usage is not None else None,
    )


def stop_of(reason: str | None) -> Stop:
    """Raises MalformedAnswer where the model's output could not be read."""
    error = malformed(reason)
    if error is not None:
        raise MalformedAnswer(f"stopReason {reason}", error)
    known = reason or "end_turn"
    return Stop(_STOP_REASONS.get(known, StopReason.END), explanation=_EXPLANATIONS.get(known))


def malformed(reason: str | None) -> WireError | None:
    """The error that a stop reason tells, if it tells one."""
    text = _MALFORMED.get(reason or "")
    return WireError(ErrorKind.SERVER, text, 502, code=reason) if text else None


def _parts(block: _Block) -> list[Part]:
    """Nothing for what no translated request can ask for: images, results of the provider's own tools."""
    if block.text is not None:
        return [Text(block.text)]
    if block.tool_use is not None:
        return _call(block.tool_use)
    if block.reasoning is not None:
        return _reasoning(block.reasoning)
    if block.citations is not None:
        text = "".join(cited.text or "" for cited in block.citations.content or ())
        return [Text(text)] if text else []
    return []


def _call(use: _ToolUse) -> list[Part]:
    if use.type is not None:
        return []
    if not use.id or not use.name:
        raise MalformedAnswer("a toolUse without toolUseId or name")
    try:
        text = bytes(use.input).decode()
    except UnicodeDecodeError as error:
        raise MalformedAnswer("a toolUse input that is not UTF-8") from error
    return [ToolCall(use.id, use.name, "" if text == "null" else text)]


def _reasoning(content: _ReasoningContent) -> list[Part]:
    """Only Claude signs and withholds reasoning, and its signatures hold wherever it is served."""
    if content.redacted is not None:
        return [Reasoning(redacted=content.redacted, format=ANTHROPIC_REASONING)]
    if content.text is None:
        return []
    signature = content.text.signature or None
    return [Reasoning(content.text.text, signature, format=ANTHROPIC_REASONING if signature else None)]
