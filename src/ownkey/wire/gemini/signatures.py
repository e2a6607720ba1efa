"""Thought signatures: Gemini's own go back as they came, those of other vendors travel inside a Gemini client's.

A Gemini client keeps `thoughtSignature` as opaque bytes, so Claude's signature can ride in it: base64 of
`ownkey-thought:` and a JSON object. Base64 comes in both alphabets, with padding or without (proto3 JSON).
"""

from base64 import b64decode, b64encode
from binascii import Error

import msgspec
from msgspec import Struct

from ownkey.wire.neutral import GEMINI_REASONING, Reasoning

_MARK = b"ownkey-thought:"
_MARK_ENCODED = b64encode(_MARK).decode()
_ALPHABET = str.maketrans("-_", "+/")


class _Foreign(Struct, omit_defaults=True):
    format: str | None = None
    signature: str | None = None
    redacted: str | None = None


_FOREIGN = msgspec.json.Decoder(_Foreign)


def standard_base64(data: str) -> str:
    """`data` in the alphabet and with the padding that every other vendor demands."""
    if "-" in data or "_" in data:
        data = data.translate(_ALPHABET)
    return data if len(data) % 4 == 0 else data.rstrip("=") + "=" * (-len(data.rstrip("=")) % 4)


def wrapped(signature: str | None, redacted: str | None, format_: str | None) -> str:
    """Another vendor's proof of thinking as a `thoughtSignature`."""
    foreign = _Foreign(format_, signature, redacted)
    return b64encode(_MARK + msgspec.json.encode(foreign)).decode()


def thought(text: str, signature: str | None) -> Reasoning:
    """A thought part of a client's: with Gemini's signature, another vendor's, or none."""
    if signature is not None and standard_base64(signature).startswith(_MARK_ENCODED):
        try:
            foreign = _FOREIGN.decode(b64decode(standard_base64(signature)).removeprefix(_MARK))
        except (Error, ValueError):
            return Reasoning(text, format=GEMINI_REASONING)
        return Reasoning(text, foreign.signature, foreign.redacted, foreign.format)
    return Reasoning(text, signature, format=GEMINI_REASONING)
