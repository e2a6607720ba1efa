"""Wire formats: what clients and providers say, to and from one neutral model. Pure: bytes and values only.

`FORMATS` has every format that clients speak, for requests that pass through. `CHAT_FORMATS` are those
of them that hold conversations in both directions. `CLIENT_CHATS` adds what is only read, `PROVIDER_CHATS`
what only providers speak: `translation` leads from each of the former to each of the latter.
"""

from ownkey.wire.errors import ErrorKind, Errors, MalformedAnswer, WireError
from ownkey.wire.fields import splice
from ownkey.wire.format import (
    ChatFormat,
    ClientChat,
    EventReader,
    Format,
    Observer,
    Outline,
    ProviderChat,
    Watched,
    Written,
)
from ownkey.wire.neutral import AnswerLabel
from ownkey.wire.registry import (
    CHAT_FORMATS,
    CLIENT_CHATS,
    FORMATS,
    PROVIDER_CHATS,
    PROVIDER_RERANKS,
    address_of,
    error_reader,
    event_type,
    ping_of,
)
from ownkey.wire.writing import StreamWriter

__all__ = [
    "CHAT_FORMATS",
    "CLIENT_CHATS",
    "FORMATS",
    "PROVIDER_CHATS",
    "PROVIDER_RERANKS",
    "AnswerLabel",
    "ChatFormat",
    "ClientChat",
    "ErrorKind",
    "Errors",
    "EventReader",
    "Format",
    "MalformedAnswer",
    "Observer",
    "Outline",
    "ProviderChat",
    "StreamWriter",
    "Watched",
    "WireError",
    "Written",
    "address_of",
    "error_reader",
    "event_type",
    "ping_of",
    "splice",
]
