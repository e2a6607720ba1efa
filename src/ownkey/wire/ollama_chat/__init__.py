"""Ollama's chat, which only providers speak."""

from collections.abc import Collection

from ownkey.domain.facts import NO_FACTS, Facts
from ownkey.domain.formats import WireFormat
from ownkey.wire.errors import ErrorReader
from ownkey.wire.format import Draft, ProviderChat
from ownkey.wire.neutral import Answer, Conversation
from ownkey.wire.ollama_chat import answers, request_writing
from ownkey.wire.ollama_chat.stream_reading import OllamaReader


class OllamaChat(ProviderChat):
    name = WireFormat.OLLAMA_CHAT
    errors = ErrorReader()
    hottest = 2.0
    event_type = "application/x-ndjson"

    def write_request(
        self,
        conversation: Conversation,
        model: str,
        stream: bool,
        quirks: Collection[str] = (),
        facts: Facts = NO_FACTS,
    ) -> Draft:
        return request_writing.write(conversation, model, stream)

    def read_answer(self, body: bytes) -> Answer:
        return answers.read(body)

    def reader(self) -> OllamaReader:
        return OllamaReader()


OLLAMA_CHAT = OllamaChat()
