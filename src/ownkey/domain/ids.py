"""Identifiers: opaque strings with a prefix that names the kind, sortable by creation time."""

import os
import time
from typing import NewType

UserId = NewType("UserId", str)
CredentialId = NewType("CredentialId", str)
ApiKeyId = NewType("ApiKeyId", str)
SessionId = NewType("SessionId", str)
RequestId = NewType("RequestId", str)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: its characters sort as their values do."""


def encode_base32(value: int, length: int) -> str:
    """`value` in Crockford base 32, left-padded to `length` characters."""
    digits: list[str] = []
    for _ in range(length):
        digits.append(_ALPHABET[value & 31])
        value >>= 5
    return "".join(reversed(digits))


def new_id(prefix: str) -> str:
    """A fresh id such as `cred_01jd…`: 48 bits of milliseconds, then 80 random bits (as in ULID)."""
    value = (int(time.time() * 1000) << 80) | int.from_bytes(os.urandom(10))
    return f"{prefix}_{encode_base32(value, 26)}"
