"""A real PNG image of one colour (ISO/IEC 15948), small enough for every test."""

import struct
import zlib
from hashlib import sha256

_SIDE = 8
_TRUECOLOUR = 2


def picture(text: str) -> bytes:
    """Eight by eight points whose colour depends on `text`."""
    colour = sha256(text.encode()).digest()[:3]
    rows = (b"\0" + colour * _SIDE) * _SIDE
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, _TRUECOLOUR, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
