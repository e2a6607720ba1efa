"""Cohere's chat put together."""

from ownkey.domain.formats import WireFormat
from ownkey.wire.cohere_chat import answers, errors, requests
from ownkey.wire.cohere_chat.stream_reading import CohereReader
from ownkey.wire.format import OutgoingFormat, Source

COHERE_CHAT = OutgoingFormat(
    name=WireFormat.COHERE_CHAT,
    requests=requests,
    answers=answers,
    streams=Source(CohereReader),
    errors=errors,
    hottest=1.0,
)
