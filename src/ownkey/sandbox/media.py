"""Small real files: a picture, and sound."""

import struct
import zlib
from hashlib import sha256
from math import pi, sin

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


RATE = 24_000
"""Samples a second, as OpenAI's speech has."""
_HUM = 220
_LOUDNESS = 8_000
_MP3_FRAME = b"\xff\xf3\x44\xc4" + bytes(92)
"""MPEG-2 layer III, 32 kbit/s, 24 kHz, mono: 576 samples in 96 bytes, which all zero are silence."""
_MP3_SAMPLES = 576


def pcm(seconds: float) -> bytes:
    """A hum as signed 16-bit little-endian samples, one channel."""
    step = 2 * pi * _HUM / RATE
    samples = [int(_LOUDNESS * sin(step * index)) for index in range(int(seconds * RATE))]
    return struct.pack(f"<{len(samples)}h", *samples)


def wav(seconds: float) -> bytes:
    """The same in a RIFF file."""
    data = pcm(seconds)
    header = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    body = b"WAVE" + header + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def mp3(seconds: float) -> bytes:
    """Silence of about that length."""
    return _MP3_FRAME * max(1, round(seconds * RATE / _MP3_SAMPLES))
