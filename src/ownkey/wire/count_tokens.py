"""Token counts in Anthropic's, Google's and OpenAI's formats. Where a provider counts, they pass; else `counting`
estimates."""

from typing import Any, cast

import msgspec
from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire import anthropic_messages, gemini, openai_responses
from ownkey.wire.anthropic_messages.errors import ERRORS as ANTHROPIC_ERRORS
from ownkey.wire.anthropic_messages.stream_reading import MessageObserver
from ownkey.wire.counting import estimated_tokens
from ownkey.wire.fields import decode_or_none, read_request
from ownkey.wire.format import Format, Outline, plain_address
from ownkey.wire.gemini.embeddings import full_name
from ownkey.wire.gemini.errors import ERRORS as GOOGLE_ERRORS
from ownkey.wire.gemini.stream_reading import ContentObserver
from ownkey.wire.openai_chat.errors import ERRORS as OPENAI_ERRORS
from ownkey.wire.openai_responses.stream_reading import ResponseObserver

_ENCODE = msgspec.json.Encoder().encode
_NOTHING_USED = Usage()
_WRAPPED = ("generateContentRequest", "generate_content_request")


class _AnthropicCount(Struct):
    input_tokens: int


class _GeminiCount(Struct, rename="camel"):
    total_tokens: int


class _GeminiShape(Struct):
    """`contents` alone, or a whole request."""

    contents: list[Any] | dict[str, Any] | None = None
    generateContentRequest: dict[str, Any] | None = None  # noqa: N815
    generate_content_request: dict[str, Any] | None = None


_ANTHROPIC_COUNT = msgspec.json.Decoder(_AnthropicCount)
_GEMINI_COUNT = msgspec.json.Decoder(_GeminiCount)


def estimate_message(parsed: dict[str, Any]) -> bytes:
    """Raises InvalidRequest and UnsupportedField, as the message itself would."""
    conversation = anthropic_messages.ANTHROPIC_MESSAGES.read_request({**parsed, "max_tokens": 1, "stream": None})
    return _ENCODE({"input_tokens": estimated_tokens(conversation)})


def estimate_contents(parsed: dict[str, Any]) -> bytes:
    """Raises InvalidRequest and UnsupportedField, as the request itself would."""
    whole: object = parsed.get(_WRAPPED[0]) or parsed.get(_WRAPPED[1]) or parsed
    conversation = gemini.GEMINI.read_request(cast("dict[str, Any]", whole))
    return _ENCODE({"totalTokens": estimated_tokens(conversation)})


def estimate_input(parsed: dict[str, Any]) -> bytes:
    """Raises InvalidRequest and UnsupportedField, as the request itself would."""
    conversation = openai_responses.OPENAI_RESPONSES.read_request({**parsed, "stream": None})
    return _ENCODE({"object": "response.input_tokens", "input_tokens": estimated_tokens(conversation)})


class AnthropicCountTokens(Format):
    name = WireFormat.ANTHROPIC_COUNT_TOKENS
    errors = ANTHROPIC_ERRORS

    def outline(self, parsed: dict[str, Any]) -> Outline:
        """A count is never streamed and writes no tokens."""
        return Outline(anthropic_messages.outline(parsed).model, stream=False, max_tokens=0)

    def usage_of(self, body: bytes) -> Usage | None:
        return _usage_of(_ANTHROPIC_COUNT, body)

    def observer(self, request_wants_usage: bool) -> MessageObserver:
        return MessageObserver()

    estimate = staticmethod(estimate_message)


class GeminiCountTokens(Format):
    name = WireFormat.GEMINI_COUNT_TOKENS
    errors = GOOGLE_ERRORS

    def outline(self, parsed: dict[str, Any]) -> Outline:
        shape = read_request(parsed, _GeminiShape)
        if shape.contents is None and shape.generateContentRequest is None and shape.generate_content_request is None:
            raise InvalidRequest("contents is missing.", param="contents")
        return Outline("", max_tokens=0)

    def rename(self, parsed: dict[str, Any], model: str) -> dict[str, Any]:
        """A whole request inside names the model again."""
        wrapped = {key: cast("object", parsed.get(key)) for key in _WRAPPED}
        return {key: value | {"model": full_name(model)} for key, value in wrapped.items() if isinstance(value, dict)}

    def address(self, path: str, model: str, stream: bool) -> str:
        return plain_address(path, model.removeprefix("models/"))

    def usage_of(self, body: bytes) -> Usage | None:
        return _usage_of(_GEMINI_COUNT, body)

    def observer(self, request_wants_usage: bool) -> ContentObserver:
        return ContentObserver()

    estimate = staticmethod(estimate_contents)


class OpenAIInputTokens(Format):
    name = WireFormat.OPENAI_INPUT_TOKENS
    errors = OPENAI_ERRORS

    def outline(self, parsed: dict[str, Any]) -> Outline:
        model = openai_responses.OPENAI_RESPONSES.outline(parsed).model
        return Outline(model, stream=False, max_tokens=0)

    def usage_of(self, body: bytes) -> Usage | None:
        return _usage_of(_ANTHROPIC_COUNT, body)

    def observer(self, request_wants_usage: bool) -> ResponseObserver:
        return ResponseObserver()

    estimate = staticmethod(estimate_input)


def _usage_of(decoder: msgspec.json.Decoder[Any], body: bytes) -> Usage | None:
    """Counting uses nothing; None where the answer is no count."""
    return _NOTHING_USED if decode_or_none(decoder, body) is not None else None


ANTHROPIC_COUNT_TOKENS = AnthropicCountTokens()
GEMINI_COUNT_TOKENS = GeminiCountTokens()
OPENAI_INPUT_TOKENS = OpenAIInputTokens()
