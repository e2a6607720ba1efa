"""OpenAI's responses."""

from collections.abc import Collection
from typing import Any

from msgspec import Struct

from ownkey.domain.catalogue import Quirk
from ownkey.domain.facts import NO_FACTS, Facts
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.errors import WireError
from ownkey.wire.fields import TokenLimit, read_request
from ownkey.wire.format import ChatFormat, Draft, Outline
from ownkey.wire.neutral import Answer, AnswerLabel, Conversation
from ownkey.wire.openai_chat.errors import ERRORS
from ownkey.wire.openai_responses import answers, request_reading, request_writing
from ownkey.wire.openai_responses.stream_reading import ResponseObserver, ResponseReader
from ownkey.wire.openai_responses.stream_writing import ResponseWriter, failure
from ownkey.wire.openai_responses.usage import usage_of


class _Shape(Struct):
    model: str
    input: str | list[Any] | None = None
    stream: bool | None = None
    max_output_tokens: TokenLimit | None = None
    store: bool | None = None
    previous_response_id: str | None = None


class OpenAIResponses(ChatFormat):
    name = WireFormat.OPENAI_RESPONSES
    errors = ERRORS
    messages = "input"
    hottest = 2.0
    words = {
        "max_tokens": "max_output_tokens",
        "response_format": "text.format",
        "reasoning_effort": "reasoning.effort",
        "reasoning_content": "input.reasoning",
        "thinking": "reasoning",
        "thinking.display": "reasoning.summary",
        "image_url.url": "input.image_url",
        "image_url.detail": "input.image_url.detail",
        "file.file_data": "input.file_data",
        "messages": "input",
        "messages.prefill": "input.prefill",
        "messages.role": "input.role",
        "cache_control": "prompt_cache_breakpoint",
    }

    def outline(self, parsed: dict[str, Any]) -> Outline:
        """`input` may be absent: a prompt or a conversation that the provider keeps can stand for it."""
        shape = read_request(parsed, _Shape)
        return Outline(shape.model, bool(shape.stream), shape.max_output_tokens)

    def defaults(
        self,
        parsed: dict[str, Any],
        temperature: float | None,
        max_tokens: int | None,
    ) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if temperature is not None and parsed.get("temperature") is None:
            changes["temperature"] = temperature
        if max_tokens is not None and parsed.get("max_output_tokens") is None:
            changes["max_output_tokens"] = max_tokens
        return changes

    def adapt(self, parsed: dict[str, Any], quirks: Collection[str]) -> dict[str, Any]:
        """A provider that keeps no responses is not asked to."""
        return {"store": False} if Quirk.STATELESS_RESPONSES in quirks and parsed.get("store") is not False else {}

    def usage_of(self, body: bytes) -> Usage | None:
        return usage_of(body)

    def observer(self, request_wants_usage: bool) -> ResponseObserver:
        return ResponseObserver()

    def failure(self, error: WireError) -> bytes:
        return failure(error, 0)

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
        return request_writing.write(conversation, model, stream, quirks)

    def read_answer(self, body: bytes) -> Answer:
        return answers.read(body)

    def write_answer(self, answer: Answer, label: AnswerLabel) -> bytes:
        return answers.write(answer, label)

    def reader(self) -> ResponseReader:
        return ResponseReader()

    def writer(self, label: AnswerLabel, include_usage: bool) -> ResponseWriter:
        return ResponseWriter(label)


OPENAI_RESPONSES = OpenAIResponses()
