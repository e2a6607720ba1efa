"""One spelling for a client's JSON: Google reads `maxOutputTokens` and `max_output_tokens` alike (proto3 JSON).

Google also takes a lone object where a list belongs, and its own documentation writes it so.
"""

import re
from typing import Any, cast

from ownkey.domain.errors import InvalidRequest

_OPAQUE = frozenset(
    {"args", "response", "parametersJsonSchema", "responseJsonSchema", "partMetadata", "labels", "default", "example"}
)
"""Fields whose insides are the client's own JSON, not Google's."""
_MAPS = frozenset({"properties", "defs"})
"""Fields of a Schema whose keys are the client's own names."""
_LISTS = frozenset({"contents", "parts", "tools", "functionDeclarations", "safetySettings", "requests"})
_UNDERSCORE = re.compile(r"(?<=[a-z0-9])_([a-z0-9])")


def spelled(body: dict[str, Any]) -> dict[str, Any]:
    """`body` with its field names in camel case. Raises InvalidRequest for a field given in both spellings."""
    try:
        return _fields(body)
    except RecursionError:
        raise InvalidRequest("The request nests too deeply.") from None


def _fields(fields: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for given, value in fields.items():
        name = _UNDERSCORE.sub(_upper, given) if "_" in given else given
        if name in found:
            raise InvalidRequest(f"{name} is given twice, in two spellings.", param=name)
        found[name] = _value(name, value)
    return found


def _upper(match: re.Match[str]) -> str:
    return match[1].upper()


def _value(name: str, value: Any) -> Any:
    if name in _OPAQUE:
        return value
    if isinstance(value, dict):
        inner = cast("dict[str, Any]", value)
        if name in _MAPS:
            return {key: _value("", schema) for key, schema in inner.items()}
        return [_fields(inner)] if name in _LISTS else _fields(inner)
    if isinstance(value, list):
        return [_value("", inner) for inner in cast("list[Any]", value)]
    return value
