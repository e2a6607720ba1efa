"""OpenAI's chat completions, which most providers and clients speak."""

from collections.abc import Collection
from typing import Any, cast

from msgspec import Struct

from ownkey.domain.facts import NO_FACTS, Facts
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.errors import WireError
from ownkey.wire.fields import TokenLimit, read_request
from ownkey.wire.format import ChatFormat, Draft, Outline
from ownkey.wire.neutral import Answer, AnswerLabel, Conversation
from ownkey.wire.openai_chat import answers, request_reading, request_writing
from ownkey.wire.openai_chat.errors import ERRORS
from ownkey.wire.openai_chat.stream_reading import ChunkObserver, ChunkReader
from ownkey.wire.openai_chat.stream_writing import ChunkWriter
from ownkey.wire.openai_chat.usage import usage_of


class _Shape(Struct):
    model: str
    messages: list[Any]
    stream: bool | None = None
    max_tokens: TokenLimit | None = None
    max_completion_tokens: TokenLimit | None = None


class OpenAIChat(ChatFormat):
    name = WireFormat.OPENAI_CHAT
    errors = ERRORS
    hottest = 2.0

    def outline(self, parsed: dict[str, Any]) -> Outline:
        shape = read_request(parsed, _Shape)
        limit = shape.max_completion_tokens if shape.max_completion_tokens is not None else shape.max_tokens
        return Outline(shape.model, bool(shape.stream), limit)

    def defaults(
        self,
        parsed: dict[str, Any],
        temperature: float | None,
        max_tokens: int | None,
    ) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if temperature is not None and parsed.get("temperature") is None:
            changes["temperature"] = temperature
        if max_tokens is not None and parsed.get("max_tokens") is None and parsed.get("max_completion_tokens") is None:
            changes["max_tokens"] = max_tokens
        return changes

    def ask_usage(self, parsed: dict[str, Any]) -> dict[str, Any]:
        return ask_usage(parsed)

    def usage_of(self, body: bytes) -> Usage | None:
        return usage_of(body)

    def broken_off(self, body: bytes) -> WireError | None:
        return answers.ends_in_error(body) if b'"error"' in body else None

    def observer(self, request_wants_usage: bool) -> ChunkObserver:
        return ChunkObserver(request_wants_usage)

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
        return request_writing.write(conversation, model, stream, facts)

    def read_answer(self, body: bytes) -> Answer:
        return answers.read(body)

    def write_answer(self, answer: Answer, label: AnswerLabel) -> bytes:
        return answers.write(answer, label)

    def reader(self) -> ChunkReader:
        return ChunkReader()

    def writer(self, label: AnswerLabel, include_usage: bool) -> ChunkWriter:
        return ChunkWriter(label, include_usage)


def ask_usage(parsed: dict[str, Any]) -> dict[str, Any]:
    """Top-level changes that make a stream report usage; none when the client asked for it itself."""
    if parsed.get("stream") is not True:
        return {}
    asked: object = parsed.get("stream_options")
    options = cast("dict[str, object]", asked) if isinstance(asked, dict) else {}
    if options.get("include_usage") is True:
        return {}
    return {"stream_options": {**options, "include_usage": True}}


OPENAI_CHAT = OpenAIChat()
