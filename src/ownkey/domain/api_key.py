"""Ownkey's own API keys: `ok_`, 256 random bits in base 62 (43 characters), CRC-32 of both in base 62 (6).

The checksum rejects a mistyped or truncated key without a look-up; it protects nothing else.
"""

from binascii import crc32

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX = "ok_"
_RANDOM_LENGTH = 43
_CHECKSUM_LENGTH = 6
LENGTH = len(PREFIX) + _RANDOM_LENGTH + _CHECKSUM_LENGTH


def mint_api_key(entropy: bytes) -> str:
    """The key built from 32 random bytes."""
    if len(entropy) != 32:
        raise ValueError("an API key needs 32 bytes of entropy")
    body = PREFIX + _base62(int.from_bytes(entropy), _RANDOM_LENGTH)
    return body + _checksum(body)


def is_api_key(text: str) -> bool:
    """Whether `text` has the form of an Ownkey key and its checksum holds."""
    if len(text) != LENGTH or not text.startswith(PREFIX) or not text.isascii():
        return False
    return _checksum(text[:-_CHECKSUM_LENGTH]) == text[-_CHECKSUM_LENGTH:]


def _checksum(body: str) -> str:
    return _base62(crc32(body.encode()), _CHECKSUM_LENGTH)


def _base62(value: int, length: int) -> str:
    digits: list[str] = []
    for _ in range(length):
        value, digit = divmod(value, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
