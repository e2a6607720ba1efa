"""OpenAI's text completions put together. Requests pass, or are read as a chat of one turn."""

from ownkey.domain.formats import WireFormat
from ownkey.wire.format import IncomingFormat, Sink
from ownkey.wire.openai_chat import errors, usage
from ownkey.wire.openai_chat.observe import ChunkObserver
from ownkey.wire.openai_chat.outline import ask_usage
from ownkey.wire.openai_chat.stream_writing import PING
from ownkey.wire.openai_completions import answers, outline, request_reading
from ownkey.wire.openai_completions.stream_writing import CompletionWriter

OPENAI_COMPLETIONS = IncomingFormat(
    name=WireFormat.OPENAI_COMPLETIONS,
    outline=outline.outline,
    defaults=outline.defaults,
    ask_usage=ask_usage,
    usage_of=usage.usage_of,
    observer=ChunkObserver,
    errors=errors,
    requests=request_reading,
    answers=answers,
    streams=Sink(writer=CompletionWriter, ping=PING),
    hottest=2.0,
)
