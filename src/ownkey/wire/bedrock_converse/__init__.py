"""Amazon Bedrock's Converse and ConverseStream, which only providers speak."""

from collections.abc import Collection

from ownkey.domain.facts import NO_FACTS, Facts
from ownkey.domain.formats import WireFormat
from ownkey.wire.bedrock_converse import answers, request_writing
from ownkey.wire.bedrock_converse.errors import ERRORS
from ownkey.wire.bedrock_converse.stream_reading import ConverseReader
from ownkey.wire.format import Draft, ProviderChat, plain_address
from ownkey.wire.neutral import Answer, Conversation


class BedrockConverse(ProviderChat):
    name = WireFormat.BEDROCK_CONVERSE
    errors = ERRORS
    hottest = 1.0
    event_type = "application/vnd.amazon.eventstream"

    def address(self, path: str, model: str, stream: bool) -> str:
        """`/model/{id}/converse`, for streams `/model/{id}/converse-stream`. The id may be an ARN."""
        plain = plain_address(path, model)
        return f"{plain}-stream" if stream else plain

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

    def reader(self) -> ConverseReader:
        return ConverseReader()


BEDROCK_CONVERSE = BedrockConverse()
