"""Google's Schema (an OpenAPI 3.0 dialect) into JSON Schema.

Types are upper case there, `nullable` stands for a union with null, and 64-bit numbers may come as strings.
The other way needs nothing: requests to Gemini carry JSON Schema as it is.
"""

from typing import Any, cast

from ownkey.domain.errors import InvalidRequest

_RENAMED = {"ref": "$ref", "defs": "$defs"}
_DROPPED = frozenset({"nullable", "propertyOrdering", "example"})
_COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_MAPS = frozenset({"properties", "$defs"})
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
        elif name in _MAPS and isinstance(value, dict):
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
