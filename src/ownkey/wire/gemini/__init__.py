"""Gemini's generateContent and streamGenerateContent."""

from collections.abc import Collection
from typing import Any, cast

from msgspec import Struct

from ownkey.domain.facts import NO_FACTS, Facts
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.fields import TokenLimit, read_request
from ownkey.wire.format import ChatFormat, Draft, Outline, plain_address
from ownkey.wire.gemini import answers, request_reading, request_writing
from ownkey.wire.gemini.errors import ERRORS
from ownkey.wire.gemini.stream_reading import ContentObserver, ContentReader
from ownkey.wire.gemini.stream_writing import ContentWriter
from ownkey.wire.gemini.usage import usage_of
from ownkey.wire.neutral import Answer, AnswerLabel, Conversation

_CONFIG = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "max_tokens": "maxOutputTokens",
    "stop": "stopSequences",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "response_format": "responseMimeType",
    "reasoning_effort": "thinkingConfig",
    "thinking": "thinkingConfig",
    "thinking.budget_tokens": "thinkingConfig.thinkingBudget",
    "thinking.display": "thinkingConfig.includeThoughts",
}
_PARTS = {
    "reasoning_content": ".thought",
    "thought_signature": ".thoughtSignature",
    # A picture or a file is `inlineData` or `fileData`; either way it is the part that is meant.
    "image_url.url": "",
    "file.file_data": "",
    "document.source": "",
    "file.filename": ".inlineData.displayName",
    "document.title": ".inlineData.displayName",
    "messages.content": "",
    "messages.tool_call_id": ".functionResponse",
    "is_error": ".functionResponse.response.error",
}


class _Config(Struct):
    maxOutputTokens: TokenLimit | None = None  # noqa: N815
    max_output_tokens: TokenLimit | None = None


class _Shape(Struct):
    """Both spellings, as Google reads both."""

    contents: list[Any] | dict[str, Any]
    generationConfig: _Config | None = None  # noqa: N815
    generation_config: _Config | None = None


class Gemini(ChatFormat):
    name = WireFormat.GEMINI
    errors = ERRORS
    messages = "contents"
    hottest = 2.0
    ping = ContentWriter.ping
    words = {
        **{name: f"generationConfig.{own}" for name, own in _CONFIG.items()},
        **{name: f"contents.parts{own}" for name, own in _PARTS.items()},
        "messages": "contents",
        "messages.prefill": "contents.prefill",
        "tools.name": "tools.functionDeclarations.name",
        "tool_choice": "toolConfig.functionCallingConfig",
    }

    def outline(self, parsed: dict[str, Any]) -> Outline:
        """The address names the model and says whether to stream, so the body tells neither."""
        shape = read_request(parsed, _Shape)
        config = shape.generationConfig or shape.generation_config or _Config()
        return Outline("", max_tokens=config.maxOutputTokens or config.max_output_tokens)

    def defaults(
        self,
        parsed: dict[str, Any],
        temperature: float | None,
        max_tokens: int | None,
    ) -> dict[str, Any]:
        name = "generation_config" if "generation_config" in parsed else "generationConfig"
        given = parsed.get(name)
        config = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
        changes: dict[str, Any] = {}
        if temperature is not None and config.get("temperature") is None:
            changes["temperature"] = temperature
        if max_tokens is not None and config.get("maxOutputTokens") is None and config.get("max_output_tokens") is None:
            changes["maxOutputTokens"] = max_tokens
        return {name: config | changes} if changes else {}

    def rename(self, parsed: dict[str, Any], model: str) -> dict[str, Any]:
        return {}

    def address(self, path: str, model: str, stream: bool) -> str:
        """`path` is `/models/{model}`; a model may be named as Google's lists name it, `models/gemini-…`."""
        verb = ":streamGenerateContent?alt=sse" if stream else ":generateContent"
        return plain_address(path, model.removeprefix("models/")) + verb

    def usage_of(self, body: bytes) -> Usage | None:
        return usage_of(body)

    def observer(self, request_wants_usage: bool) -> ContentObserver:
        return ContentObserver()

    def read_request(self, body: dict[str, Any]) -> Conversation:
        return request_reading.read(body)

    def write_request(
        self,
        conversation: Conversation,
        model: str,
        stream: bool,
        quirks: Collection[str] = (),
        facts: Facts = NO_FACTS,
    ) -> Draft:
        return request_writing.write(conversation, model)

    def read_answer(self, body: bytes) -> Answer:
        return answers.read(body)

    def write_answer(self, answer: Answer, label: AnswerLabel) -> bytes:
        return answers.write(answer, label)

    def reader(self) -> ContentReader:
        return ContentReader()

    def writer(self, label: AnswerLabel, include_usage: bool) -> ContentWriter:
        return ContentWriter(label)


GEMINI = Gemini()
