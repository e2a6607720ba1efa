"""A client's JSON in one form: field names in camel case, and Google's Schema as JSON Schema.

Google reads `maxOutputTokens` and `max_output_tokens` alike (proto3 JSON), and takes a lone object where a list
belongs; its own documentation writes it so. In its Schema (an OpenAPI 3.0 dialect) types are upper case, `nullable`
stands for a union with null, and 64-bit numbers may come as strings. The other direction needs nothing: requests to
Gemini carry JSON Schema as it is.
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


_RENAMED = {"ref": "$ref", "defs": "$defs"}
_DROPPED = frozenset({"nullable", "propertyOrdering", "example"})
_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_SCHEMA_MAPS = frozenset({"properties", "$defs"})
_DEEPEST = 100


def json_schema(schema: dict[str, Any], where: str, depth: int = 0) -> dict[str, Any]:
    """`schema` (spelled in camel case) as JSON Schema. Raises InvalidRequest."""
    if depth > _DEEPEST:
        raise InvalidRequest(f"{where} nests too deeply.", param=where)
    written: dict[str, Any] = {}
    for given, value in schema.items():
        if value is None or given in _DROPPED:
            continue
        name = _RENAMED.get(given, given)
        if name == "type":
            written["type"] = value.lower() if isinstance(value, str) else value
        elif name in _COUNTS and isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
            written[name] = int(value)
        elif name in _SCHEMA_MAPS and isinstance(value, dict):
            inner = cast("dict[str, Any]", value)
            written[name] = {key: _schema(each, where, depth) for key, each in inner.items()}
        elif name == "anyOf" and isinstance(value, list):
            written[name] = [_schema(each, where, depth) for each in cast("list[Any]", value)]
        elif name in ("items", "additionalProperties"):
            written[name] = _schema(value, where, depth)
        elif not (name == "format" and value == "enum"):
            written[name] = value
    return _nullable(written) if schema.get("nullable") is True else written


def _schema(value: Any, where: str, depth: int) -> Any:
    return json_schema(cast("dict[str, Any]", value), where, depth + 1) if isinstance(value, dict) else value


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("enum"), list):
        schema["enum"] = [*schema["enum"], None]
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    elif "anyOf" in schema:
        schema["anyOf"] = [*schema["anyOf"], {"type": "null"}]
    return schema
