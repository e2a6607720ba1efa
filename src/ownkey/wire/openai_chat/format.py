"""OpenAI's chat completions put together."""

from ownkey.domain.formats import WireFormat
from ownkey.wire.format import ChatFormat
from ownkey.wire.openai_chat import answers, errors, outline, requests, usage
from ownkey.wire.openai_chat.observe import ChunkObserver
from ownkey.wire.openai_chat.streams import STREAMS

OPENAI_CHAT = ChatFormat(
    name=WireFormat.OPENAI_CHAT,
    outline=outline.outline,
    defaults=outline.defaults,
    ask_usage=outline.ask_usage,
    usage_of=usage.usage_of,
    observer=ChunkObserver,
    errors=errors,
    requests=requests,
    answers=answers,
    streams=STREAMS,
    hottest=2.0,
)
