"""Anthropic's messages."""

from collections.abc import Collection
from typing import Any

from msgspec import Struct

from ownkey.domain.facts import NO_FACTS, Facts
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.anthropic_messages import answers, request_reading, request_writing
from ownkey.wire.anthropic_messages.errors import ERRORS
from ownkey.wire.anthropic_messages.request_shapes import TokenLimit
from ownkey.wire.anthropic_messages.stream_reading import MessageObserver, MessageReader
from ownkey.wire.anthropic_messages.stream_writing import MessageWriter, failure
from ownkey.wire.anthropic_messages.usage import usage_of
from ownkey.wire.errors import WireError
from ownkey.wire.fields import read_request
from ownkey.wire.format import ChatFormat, Draft, Outline
from ownkey.wire.neutral import Answer, AnswerLabel, Conversation


class _Shape(Struct):
    model: str
    messages: list[Any]
    max_tokens: TokenLimit | None = None
    stream: bool | None = None


class AnthropicMessages(ChatFormat):
    name = WireFormat.ANTHROPIC_MESSAGES
    errors = ERRORS
    hottest = 1.0
    ping = MessageWriter.ping
    words = {
        "stop": "stop_sequences",
        "user": "metadata.user_id",
        "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
        "response_format": "output_config.format",
        "reasoning_effort": "output_config.effort",
        "reasoning_content": "thinking",
        "image_url.url": "image.source",
        "file.file_data": "document.source",
        "file.filename": "document.title",
        "messages.tool_call_id": "messages.tool_use_id",
    }

    def outline(self, parsed: dict[str, Any]) -> Outline:
        return outline(parsed)

    def defaults(
        self,
        parsed: dict[str, Any],
        temperature: float | None,
        max_tokens: int | None,
    ) -> dict[str, Any]:
        """A preferred temperature above 1 lies outside Anthropic's scale and becomes 1."""
        changes: dict[str, Any] = {}
        if temperature is not None and parsed.get("temperature") is None:
            changes["temperature"] = min(temperature, 1.0)
        if max_tokens is not None and parsed.get("max_tokens") is None:
            changes["max_tokens"] = max_tokens
        return changes

    def usage_of(self, body: bytes) -> Usage | None:
        return usage_of(body)

    def observer(self, request_wants_usage: bool) -> MessageObserver:
        return MessageObserver()

    def failure(self, error: WireError) -> bytes:
        return failure(error)

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

    def reader(self) -> MessageReader:
        return MessageReader()

    def writer(self, label: AnswerLabel, include_usage: bool) -> MessageWriter:
        return MessageWriter(label)


def outline(parsed: dict[str, Any]) -> Outline:
    """`max_tokens` may be absent here: a default may still fill it in."""
    shape = read_request(parsed, _Shape)
    return Outline(shape.model, bool(shape.stream), shape.max_tokens)


ANTHROPIC_MESSAGES = AnthropicMessages()
