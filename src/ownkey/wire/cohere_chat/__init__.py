"""Cohere's chat, version 2, which only providers speak."""

from collections.abc import Collection

from ownkey.domain.facts import NO_FACTS, Facts
from ownkey.domain.formats import WireFormat
from ownkey.wire.cohere_chat import answers, request_writing
from ownkey.wire.cohere_chat.stream_reading import CohereReader
from ownkey.wire.errors import ErrorReader
from ownkey.wire.format import Draft, ProviderChat
from ownkey.wire.neutral import Answer, Conversation


class CohereChat(ProviderChat):
    name = WireFormat.COHERE_CHAT
    errors = ErrorReader()
    hottest = 1.0

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

    def reader(self) -> CohereReader:
        return CohereReader()


COHERE_CHAT = CohereChat()
