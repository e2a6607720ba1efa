"""The journal's bytes on disk.

    segment = header frame*
    header  = "OKJOURNL" version:u32 crc:u32          crc over the 12 bytes before it
    frame   = 0xC1 0xC1 length:u32 crc:u32 payload    crc over the payload, little-endian throughout
    payload = msgpack [kind, RequestRecord]           kind 0 = start, 1 = settle

Neither msgpack nor UTF-8 ever uses the byte 0xC1 as a first byte or inside text, so no string a client or provider
chose can imitate a frame when a damaged segment is searched for the next sound one.
"""

from collections.abc import Iterator
from struct import Struct as Layout
from typing import Final
from zlib import crc32

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from ownkey.domain.usage import RequestRecord

FORMAT_VERSION: Final = 1
START: Final = 0
SETTLE: Final = 1

_MAGIC: Final = b"OKJOURNL"
_HEADER: Final = Layout("<8sII")
HEADER_SIZE: Final = _HEADER.size

_MARKER: Final = 0xC1C1
_MARKER_BYTES: Final = b"\xc1\xc1"
_FRAME: Final = Layout("<HII")
_FRAME_SIZE: Final = _FRAME.size
_pack: Final = _FRAME.pack
_unpack: Final = _FRAME.unpack_from
_encode: Final = msgspec.msgpack.Encoder().encode
_LARGEST: Final = 2**63 - 1
_LONGEST: Final = 1e15
_decode: Final = msgspec.msgpack.Decoder(tuple[int, RequestRecord]).decode


class Frame(Struct, frozen=True):
    """One sound frame: `kind` is START or SETTLE."""

    kind: int
    record: RequestRecord


class Damage(Struct, frozen=True):
    """Bytes that hold no sound frame. `torn` when they are the end of a write that never finished."""

    offset: int
    length: int
    torn: bool


class UnknownFormat(Exception):
    """The segment was written by a later version of the format; nothing in it may be touched."""


def encode_header() -> bytes:
    head = _HEADER.pack(_MAGIC, FORMAT_VERSION, 0)[:12]
    return head + crc32(head).to_bytes(4, "little")


def encode_frame(kind: int, record: RequestRecord) -> bytes:
    """One whole frame. Raises UnicodeEncodeError or OverflowError for what msgpack cannot hold."""
    payload = _encode((kind, record))
    return _pack(_MARKER, len(payload), crc32(payload)) + payload


def storable(record: RequestRecord) -> RequestRecord:
    """`record` itself when any store takes it, else a copy.

    Clients and providers choose model names, error texts and token counts: NUL characters and lone
    surrogates become U+FFFD, whole numbers are clamped to 64 bits, times that are not finite become 0.
    """
    changed = {name: kept for name, value in asdict(record).items() if (kept := _storable_value(value)) != value}
    return replace(record, **changed) if changed else record


def _storable_value(value: object) -> object:
    if isinstance(value, str):
        readable = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        return readable.replace("\0", "\ufffd").replace("\\u0000", "\\ufffd")
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return max(-_LARGEST, min(_LARGEST, value))
    if isinstance(value, float) and not -_LONGEST <= value <= _LONGEST:
        return 0.0
    return value


def read_segment(data: bytes) -> Iterator[Frame | Damage]:
    """Every frame of a whole segment, and what could not be read. Raises UnknownFormat.

    A damaged header costs nothing but the report: frames prove themselves.
    """
    header = encode_header()
    if len(data) < HEADER_SIZE and header.startswith(data):
        if data:
            yield Damage(0, len(data), torn=True)
        return
    head = data[:12]
    if crc32(head) == int.from_bytes(data[12:HEADER_SIZE], "little") and head.startswith(_MAGIC):
        version = int.from_bytes(head[8:], "little")
        if version != FORMAT_VERSION:
            raise UnknownFormat(f"segment format {version}, this server reads {FORMAT_VERSION}")
        yield from scan(data, HEADER_SIZE)
    else:
        yield from scan(data, 0)


def scan(data: bytes, offset: int, only: int | None = None) -> Iterator[Frame | Damage]:
    """The frames from `offset` on; `only` skips the other kind without decoding it."""
    end = len(data)
    while offset < end:
        after = _end_of_frame(data, offset)
        if after is None:
            resume = _next_sound(data, offset + 1)
            yield Damage(offset, (resume or end) - offset, torn=resume is None and _is_torn(data, offset))
            offset = resume or end
            continue
        if only is None or data[offset + _FRAME_SIZE + 1] == only:
            yield _read_frame(data, offset, after)
        offset = after


def _read_frame(data: bytes, offset: int, after: int) -> Frame | Damage:
    try:
        kind, record = _decode(data[offset + _FRAME_SIZE : after])
    except msgspec.MsgspecError:
        return Damage(offset, after - offset, torn=False)
    return Frame(kind, record)


def _end_of_frame(data: bytes, offset: int) -> int | None:
    """Where the frame at `offset` ends, or None when there is no whole and sound one."""
    start = offset + _FRAME_SIZE
    if start > len(data):
        return None
    marker, length, crc = _unpack(data, offset)
    after = start + length
    if marker != _MARKER or length < 2 or after > len(data) or crc32(data[start:after]) != crc:
        return None
    return after


def _next_sound(data: bytes, offset: int) -> int | None:
    while (offset := data.find(_MARKER_BYTES, offset)) >= 0:
        if _end_of_frame(data, offset) is not None:
            return offset
        offset += 1
    return None


def _is_torn(data: bytes, offset: int) -> bool:
    """True for a beginning of a frame that the end of the file cuts, and for zeros: a grown file never filled."""
    rest = len(data) - offset
    if rest < _FRAME_SIZE:
        return True
    marker, length, _ = _unpack(data, offset)
    return (marker == _MARKER and length > rest - _FRAME_SIZE) or not any(data[offset:])
