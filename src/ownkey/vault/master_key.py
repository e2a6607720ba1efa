"""One master key: 32 random bytes and the public id that names them."""

import base64
import binascii
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand


class MasterKeyError(Exception):
    """A master key is missing, malformed, unsafe, or not the one this database needs; the text says what to do."""


_HOW = "it takes 32 random bytes in base64: `openssl rand -base64 32`"
_DISTINCT_BYTES = 10
"""Fewer distinct bytes in 32 random ones come up once in 10**20 keys: such a key was written by hand."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class MasterKey:
    """A 256-bit key. `id` (32 hexadecimal digits) is derived from it and reveals nothing about it.

    `retired_at` (Unix seconds) is set when nothing was wrapped under it any more: it only reads then.
    """

    id: str
    key: bytes
    retired_at: float | None = None

    def __repr__(self) -> str:
        return f"MasterKey({self.id})"


def master_key(key: bytes, retired_at: float | None = None) -> MasterKey:
    """The 32 bytes with their id: 16 bytes of HKDF-Expand-SHA-256 with the info `ownkey master key id`."""
    if len(key) != 32:
        raise ValueError("a master key has 32 bytes")
    return MasterKey(HKDFExpand(SHA256(), 16, b"ownkey master key id").derive(key).hex(), key, retired_at)


def decode_master_key(text: str, place: str, retired_at: float | None = None) -> MasterKey:
    """From base64. Raises MasterKeyError, which names `place` and never shows the text."""
    text = text.strip()
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MasterKeyError(f"{place} is not base64: {_HOW}") from None
    if len(key) != 32:
        raise MasterKeyError(f"{place} has {len(key)} bytes: {_HOW}")
    if base64.b64encode(key) != text.encode():
        # The last character has two bits that decoding passes over: one that was changed in them alone.
        raise MasterKeyError(f"{place} has a damaged last character: restore it from its backup")
    if len(set(key)) < _DISTINCT_BYTES:
        raise MasterKeyError(f"{place} is not random: {_HOW}")
    return master_key(key, retired_at)
