"""`application/vnd.amazon.eventstream`, read incrementally (Smithy, "Amazon Event Stream Specification").

    4 bytes  length of the whole message      ┐ the prelude, and
    4 bytes  length of the headers            │ in 4 more bytes
    4 bytes  CRC-32 of the eight before       ┘ its checksum
    …        headers: length and name, type, value
    …        payload
    4 bytes  CRC-32 of everything before

All numbers are big-endian. The checksums are those of zlib.
"""

import struct
from collections.abc import Callable
from zlib import crc32

from msgspec import Struct

from ownkey.wire.errors import MalformedAnswer
from ownkey.wire.sse import MAX_EVENT

_PRELUDE = struct.Struct(">III")
_CHECKSUM = struct.Struct(">I")
_OVERHEAD = _PRELUDE.size + _CHECKSUM.size
_MOST_HEADERS = 128 * 1024
"""Bytes of headers in one message, as the specification bounds them."""

HeaderValue = str | bytes | int | bool


class Message(Struct, frozen=True):
    """One message. Times are milliseconds of Unix time, UUIDs their 16 bytes."""

    headers: dict[str, HeaderValue]
    payload: bytes

    def text(self, name: str) -> str:
        """The header if it is text, else nothing."""
        value = self.headers.get(name)
        return value if isinstance(value, str) else ""


class EventStreamParser:
    """Splits a byte stream into messages, wherever the bytes were cut.

    `oversized` is set when a message exceeds `limit` bytes; nothing is parsed after that. It is known from the
    first twelve bytes, so that no more than `limit` are ever held.
    """

    __slots__ = ("_held", "_limit", "oversized")

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self.oversized = False
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes, in order. Raises MalformedAnswer, and is not to be fed after that."""
        messages: list[Message] = []
        if self.oversized:
            return messages
        held = self._held
        held += data
        begin = 0
        while len(held) - begin >= _PRELUDE.size:
            total, headers = self._prelude(begin)
            if self.oversized:
                held.clear()
                return messages
            end = begin + total
            if len(held) < end:
                break
            messages.append(_message(bytes(held[begin:end]), headers))
            begin = end
        if begin:
            del held[:begin]
        return messages

    @property
    def rest(self) -> bytes:
        """The bytes of a message that is not complete yet."""
        return bytes(self._held)

    def _prelude(self, begin: int) -> tuple[int, int]:
        total, headers, checksum = _PRELUDE.unpack_from(self._held, begin)
        if crc32(self._held[begin : begin + 8]) != checksum:
            raise MalformedAnswer("a message whose prelude does not match its checksum")
        if headers > _MOST_HEADERS or total < _OVERHEAD + headers:
            raise MalformedAnswer(f"a message of {total} bytes with {headers} of headers")
        self.oversized = total > self._limit
        return total, headers


def _message(data: bytes, headers: int) -> Message:
    (checksum,) = _CHECKSUM.unpack_from(data, len(data) - _CHECKSUM.size)
    if crc32(data[: -_CHECKSUM.size]) != checksum:
        raise MalformedAnswer("a message that does not match its checksum")
    begin = _PRELUDE.size
    return Message(_headers(data[begin : begin + headers]), data[begin + headers : -_CHECKSUM.size])


def _headers(data: bytes) -> dict[str, HeaderValue]:
    found: dict[str, HeaderValue] = {}
    at = 0
    try:
        while at < len(data):
            name_end = at + 1 + data[at]
            name = data[at + 1 : name_end].decode()
            read = _READERS[data[name_end]]
            value, at = read(data, name_end + 1)
            if at > len(data) or name in found:
                raise MalformedAnswer("a header that is cut off or comes twice")
            found[name] = value
    except (IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise MalformedAnswer(f"a header that cannot be read: {type(error).__name__}") from None
    return found


_Read = Callable[[bytes, int], tuple[HeaderValue, int]]


def _number(layout: str) -> _Read:
    codec = struct.Struct(layout)

    def read(data: bytes, at: int) -> tuple[HeaderValue, int]:
        return codec.unpack_from(data, at)[0], at + codec.size

    return read


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    end = at + 2 + int.from_bytes(data[at : at + 2])
    if len(data) < end:
        raise IndexError
    return data[at + 2 : end], end


def _string(data: bytes, at: int) -> tuple[str, int]:
    value, end = _bytes(data, at)
    return value.decode(), end


def _uuid(data: bytes, at: int) -> tuple[bytes, int]:
    if len(data) < at + 16:
        raise IndexError
    return data[at : at + 16], at + 16


_READERS: dict[int, _Read] = {
    0: lambda _, at: (True, at),
    1: lambda _, at: (False, at),
    2: _number(">b"),
    3: _number(">h"),
    4: _number(">i"),
    5: _number(">q"),
    6: _bytes,
    7: _string,
    8: _number(">q"),
    9: _uuid,
}
"""By the byte that tells a value's type."""
