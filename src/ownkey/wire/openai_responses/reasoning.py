"""Reasoning in a responses item: a summary in words, and an opaque text that goes back unchanged.

`encrypted_content` is OpenAI's own. For reasoning of other vendors it carries, in a wrapping of ours,
the signature that they demand back; no client looks inside.
"""

import binascii
from base64 import b64decode, b64encode

import msgspec
from msgspec import Struct

from ownkey.wire.neutral import OPENAI_REASONING, Reasoning

_PREFIX = "ownkey.v1."


class _Wrapped(Struct, omit_defaults=True):
    signature: str | None = None
    redacted: str | None = None
    format: str | None = None


_DECODER = msgspec.json.Decoder(_Wrapped)
_ENCODE = msgspec.json.Encoder().encode


def wrap(signature: str | None, redacted: str | None, format_: str | None) -> str | None:
    """The `encrypted_content` that keeps these; None when there is nothing to keep."""
    if signature is None and redacted is None:
        return None
    if format_ == OPENAI_REASONING and redacted is not None:
        return redacted
    return _PREFIX + b64encode(_ENCODE(_Wrapped(signature, redacted, format_))).decode()


def unwrap(text: str, encrypted_content: str | None) -> Reasoning:
    """The reasoning of an item. A wrapping that was tampered with loses what it carried."""
    if encrypted_content is None:
        return Reasoning(text)
    if not encrypted_content.startswith(_PREFIX):
        return Reasoning(text, redacted=encrypted_content, format=OPENAI_REASONING)
    try:
        inner = b64decode(encrypted_content.removeprefix(_PREFIX), validate=True)
        wrapped = _DECODER.decode(inner)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        return Reasoning(text)
    return Reasoning(text, wrapped.signature, wrapped.redacted, wrapped.format)
