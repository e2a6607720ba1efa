"""Wire formats: what clients and providers say, to and from one neutral model. Pure: bytes and values only.

`FORMATS` has every format, for requests that pass through; `CHAT_FORMATS` those that can be
translated into one another.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ownkey.domain.formats import WireFormat
from ownkey.wire import openai_embeddings
from ownkey.wire.anthropic_messages import answers as anthropic_answers
from ownkey.wire.anthropic_messages import errors as anthropic_errors
from ownkey.wire.anthropic_messages import outline as anthropic_outline
from ownkey.wire.anthropic_messages import requests as anthropic_requests
from ownkey.wire.anthropic_messages import usage as anthropic_usage
from ownkey.wire.anthropic_messages.observe import MessageObserver
from ownkey.wire.anthropic_messages.streams import STREAMS as ANTHROPIC_STREAMS
from ownkey.wire.errors import ErrorKind, MalformedAnswer, WireError
from ownkey.wire.format import (
    Answers,
    ChatFormat,
    Errors,
    EventReader,
    EventWriter,
    Format,
    Observer,
    Outline,
    Requests,
    Streams,
    Watched,
    Written,
)
from ownkey.wire.openai_chat import answers as openai_answers
from ownkey.wire.openai_chat import errors as openai_errors
from ownkey.wire.openai_chat import outline as openai_outline
from ownkey.wire.openai_chat import requests as openai_requests
from ownkey.wire.openai_chat import usage as openai_usage
from ownkey.wire.openai_chat.observe import ChunkObserver
from ownkey.wire.openai_chat.streams import STREAMS as OPENAI_STREAMS
from ownkey.wire.splice import splice

__all__ = [
    "CHAT_FORMATS",
    "FORMATS",
    "Answers",
    "ChatFormat",
    "ErrorKind",
    "Errors",
    "EventReader",
    "EventWriter",
    "Format",
    "MalformedAnswer",
    "Observer",
    "Outline",
    "Requests",
    "Streams",
    "Watched",
    "WireError",
    "Written",
    "splice",
]

_OPENAI_CHAT = ChatFormat(
    name=WireFormat.OPENAI_CHAT,
    outline=openai_outline.outline,
    defaults=openai_outline.defaults,
    ask_usage=openai_outline.ask_usage,
    usage_of=openai_usage.usage_of,
    observer=ChunkObserver,
    errors=openai_errors,
    requests=openai_requests,
    answers=openai_answers,
    streams=OPENAI_STREAMS,
    hottest=2.0,
)

_ANTHROPIC_MESSAGES = ChatFormat(
    name=WireFormat.ANTHROPIC_MESSAGES,
    outline=anthropic_outline.outline,
    defaults=anthropic_outline.defaults,
    ask_usage=anthropic_outline.ask_usage,
    usage_of=anthropic_usage.usage_of,
    observer=MessageObserver,
    errors=anthropic_errors,
    requests=anthropic_requests,
    answers=anthropic_answers,
    streams=ANTHROPIC_STREAMS,
    hottest=1.0,
)

_OPENAI_EMBEDDINGS = Format(
    name=WireFormat.OPENAI_EMBEDDINGS,
    outline=openai_embeddings.outline,
    defaults=openai_embeddings.defaults,
    ask_usage=openai_embeddings.ask_usage,
    usage_of=openai_usage.usage_of,
    observer=ChunkObserver,
    errors=openai_errors,
)

CHAT_FORMATS: Mapping[WireFormat, ChatFormat] = MappingProxyType(
    {chat.name: chat for chat in (_OPENAI_CHAT, _ANTHROPIC_MESSAGES)}
)

FORMATS: Mapping[WireFormat, Format] = MappingProxyType({**CHAT_FORMATS, _OPENAI_EMBEDDINGS.name: _OPENAI_EMBEDDINGS})
