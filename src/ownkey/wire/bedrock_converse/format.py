"""Bedrock's Converse put together."""

from ownkey.domain.formats import WireFormat
from ownkey.wire.bedrock_converse import answers, errors, request_writing
from ownkey.wire.bedrock_converse.stream_reading import ConverseReader
from ownkey.wire.format import OutgoingFormat, Source, plain_address


def address(path: str, model: str, stream: bool) -> str:
    """`/model/{id}/converse`, for streams `/model/{id}/converse-stream`. The id may be an ARN."""
    plain = plain_address(path, model, stream)
    return f"{plain}-stream" if stream else plain


BEDROCK_CONVERSE = OutgoingFormat(
    name=WireFormat.BEDROCK_CONVERSE,
    requests=request_writing,
    answers=answers,
    streams=Source(ConverseReader),
    errors=errors,
    hottest=1.0,
    address=address,
    event_type="application/vnd.amazon.eventstream",
)
