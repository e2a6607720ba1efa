"""Messages of `application/vnd.amazon.eventstream`, written as Amazon's services write them."""

import struct
from zlib import crc32

MEDIA_TYPE = "application/vnd.amazon.eventstream"

_TEXT = 7
"""The type of a header whose value is text."""


def message(headers: dict[str, str], payload: bytes) -> bytes:
    """One message with text headers."""
    block = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", _TEXT, len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    before = prelude + struct.pack(">I", crc32(prelude)) + block + payload
    return before + struct.pack(">I", crc32(before))


def event(kind: str, payload: bytes) -> bytes:
    return message(
        {":event-type": kind, ":content-type": "application/json", ":message-type": "event"},
        payload,
    )


def exception(kind: str, payload: bytes) -> bytes:
    """An error inside the stream; it is the last message."""
    return message(
        {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"},
        payload,
    )
