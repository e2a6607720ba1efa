"""Reading Google's JSON, whose field names may be in camel or in snake case; its own SDK mixes them."""

import re
from typing import Any, TypeVar, cast

import msgspec

from ownkey.sandbox.reading import read_json

Read = TypeVar("Read")

_OPAQUE = frozenset({"args", "response", "parametersJsonSchema", "responseJsonSchema"})
_UNDERSCORE = re.compile(r"(?<=[a-z0-9])_([a-z0-9])")
_ANY = msgspec.json.Decoder(dict[str, Any])


def read_spelled(body: bytes, decoder: "msgspec.json.Decoder[Read]") -> Read:
    """The body as the decoder's type. Raises Refused."""
    return read_json(msgspec.json.encode(_camel(read_json(body, _ANY))), decoder)


def _camel(value: Any, maps_names: bool = False) -> Any:
    if isinstance(value, list):
        return [_camel(inner) for inner in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for given, inner in cast("dict[str, Any]", value).items():
        name = given if maps_names else _UNDERSCORE.sub(lambda match: match[1].upper(), given)
        found[name] = inner if name in _OPAQUE else _camel(inner, maps_names=name == "properties")
    return found
