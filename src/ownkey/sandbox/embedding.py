"""Embeddings that are the same for the same text and near for texts that share words.

Feature hashing (https://en.wikipedia.org/wiki/Feature_hashing): each word adds ±1 at a few places that its
hash chooses, and the sum is scaled to length 1. The cosine of two texts is then about the share of words in common.
"""

import re
import struct
from functools import lru_cache
from hashlib import shake_128
from math import sqrt

_WORD = re.compile(r"\w+|[^\w\s]")
_PLACES = 16
"""How many dimensions a word touches: the more, the less chance matters."""


def vector(text: str | tuple[int, ...], dimensions: int) -> list[float]:
    """A unit vector in single precision, of a text or of token numbers."""
    return unpack(packed(text, dimensions))


def packed(text: str | tuple[int, ...], dimensions: int) -> bytes:
    """The same, as little-endian floats of four bytes."""
    words = _WORD.findall(text.lower()) if isinstance(text, str) else [f"#{number}" for number in text]
    sums = [0.0] * dimensions
    for word in words or [repr(text)]:
        for place, sign in _places(word):
            sums[place % dimensions] += sign
    if not any(sums):
        sums[len(words) % dimensions] = 1.0
    length = sqrt(sum(value * value for value in sums))
    return struct.pack(f"<{dimensions}f", *(value / length for value in sums))


def unpack(data: bytes) -> list[float]:
    """The values as single precision has them."""
    return list(struct.unpack(f"<{len(data) // 4}f", data))


@lru_cache(maxsize=8192)
def _places(word: str) -> tuple[tuple[int, float], ...]:
    """(place, sign): texts say the same words again and again."""
    numbers = struct.unpack(f"<{_PLACES}I", shake_128(word.encode()).digest(4 * _PLACES))
    return tuple((number >> 1, 1.0 if number & 1 else -1.0) for number in numbers)
