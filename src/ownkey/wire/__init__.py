"""Wire formats: what clients and providers say, to and from one neutral model. Pure: bytes and values only.

`FORMATS` has every format that clients speak, for requests that pass through. `CHAT_FORMATS` are those
of them that hold conversations in both directions. `CLIENT_CHATS` adds what is only read, `PROVIDER_CHATS`
what only providers speak: `translation` leads from each of the former to each of the latter.
"""

from ownkey.wire.errors import ErrorKind, MalformedAnswer, WireError
from ownkey.wire.format import (
    Answers,
    ChatFormat,
    Errors,
    EventReader,
    EventWriter,
    Format,
    Observer,
    OutgoingFormat,
    Outline,
    ProviderChat,
    Requests,
    Streams,
    Watched,
    Written,
)
from ownkey.wire.registry import (
    CHAT_FORMATS,
    CLIENT_CHATS,
    FORMATS,
    PROVIDER_CHATS,
    address_of,
    error_reader,
    event_type,
    ping_of,
)
from ownkey.wire.splice import splice

__all__ = [
    "CHAT_FORMATS",
    "CLIENT_CHATS",
    "FORMATS",
    "PROVIDER_CHATS",
    "Answers",
    "ChatFormat",
    "ErrorKind",
    "Errors",
    "EventReader",
    "EventWriter",
    "Format",
    "MalformedAnswer",
    "Observer",
    "OutgoingFormat",
    "Outline",
    "ProviderChat",
    "Requests",
    "Streams",
    "Watched",
    "WireError",
    "Written",
    "address_of",
    "error_reader",
    "event_type",
    "ping_of",
    "splice",
]
