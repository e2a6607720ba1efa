"""Ollama's chat put together."""

from ownkey.domain.formats import WireFormat
from ownkey.wire.format import OutgoingFormat, Source
from ownkey.wire.ollama_chat import answers, errors, requests
from ownkey.wire.ollama_chat.stream_reading import OllamaReader

OLLAMA_CHAT = OutgoingFormat(
    name=WireFormat.OLLAMA_CHAT,
    requests=requests,
    answers=answers,
    streams=Source(OllamaReader),
    errors=errors,
    hottest=2.0,
    event_type="application/x-ndjson",
)
