"""Changing a few top-level fields of a body while every other value keeps its bytes."""

from collections.abc import Mapping
from typing import Any

import msgspec

from ownkey.domain.errors import InvalidRequest
from ownkey.wire.fields import encode

_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ABSENT = object()


def splice(body: bytes, parsed: dict[str, Any], changes: Mapping[str, Any]) -> bytes:
    """`body` with the fields in `changes` set; `parsed` is the same body decoded.

    Returns `body` itself when nothing differs. The values of all other fields stay byte for byte;
    only the white space between top-level fields goes. Raises InvalidRequest.
    """
    differing = {name: value for name, value in changes.items() if not _same(parsed.get(name, _ABSENT), value)}
    if not differing:
        return body
    try:
        fields: dict[str, Any] = dict(_RAW.decode(body))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidRequest("The request body is not a JSON object.", operator=str(error)[:500]) from None
    fields.update(differing)
    return encode(fields)


def _same(old: object, new: object) -> bool:
    """Equal and of one type: 1, 1.0 and true differ in JSON."""
    return type(old) is type(new) and old == new
