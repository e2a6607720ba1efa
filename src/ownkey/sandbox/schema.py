"""The smallest JSON value that satisfies a JSON Schema, for tool arguments and structured output.

Understood: type, enum, const, properties, required, items, prefixItems, min/max of everything,
multipleOf, uniqueItems, format, pattern (from a list of common strings), anyOf, oneOf, allOf and
local $ref. An object that requires nothing gets all its properties, so that there is something to see.
"""

import re
from math import ceil, floor
from typing import Any, TypeAlias, cast

from ownkey.sandbox.errors import Problem, Refused

Schema: TypeAlias = dict[str, Any]

_MAX_DEPTH = 24
_MAX_STEPS = 5000
_SHOWN_DEPTH = 3
_FORMATS = {
    "date-time": "2024-01-01T00:00:00Z",
    "date": "2024-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "user@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_PATTERN_CANDIDATES = (
    *("sandbox", "a", "A", "0", "ab", "AB", "abc", "ABC", "123", "1234", "12345", "a1", "A1", "USD", "en", "en-US"),
    *("2024-01-01", "00:00", "1.0", "1.0.0", "#000000", "+15555550100", "user@example.com", "https://example.com/"),
)


_KINDS: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("properties",), dict),
    **dict.fromkeys(("required", "anyOf", "oneOf", "allOf", "prefixItems"), list),
    **dict.fromkeys(("minItems", "minLength", "maxLength", "minProperties"), int),
    **dict.fromkeys(("minimum", "maximum", "multipleOf"), (int, float)),
}
_LARGEST = 10_000


class Unsatisfiable(ValueError):
    """No instance was found: the schema recurses without end or asks for what this module cannot make."""


def minimal(schema: object) -> Any:
    """An instance of `schema`. Raises Unsatisfiable."""
    return _Maker(schema).instance(schema, 0)


class _Maker:
    """Makes one instance. `_steps` bounds the work on schemas that branch as they recurse."""

    def __init__(self, root: object) -> None:
        self._root = root
        self._steps = 0

    def instance(self, schema: object, depth: int) -> Any:
        self._steps += 1
        if depth > _MAX_DEPTH or self._steps > _MAX_STEPS:
            raise Unsatisfiable("the schema requires itself without end")
        if not isinstance(schema, dict):
            return {}
        node = self._flatten(cast("Schema", schema), depth)
        _check_keywords(node)
        if "const" in node:
            return node["const"]
        if isinstance(node.get("enum"), list) and node["enum"]:
            return node["enum"][0]
        branches = node.get("anyOf") or node.get("oneOf")
        if isinstance(branches, list):
            return self._first_possible(node, cast("list[object]", branches), depth)
        return self._of_type(_type_of(node), node, depth)

    def _flatten(self, schema: Schema, depth: int) -> Schema:
        """`schema` with its $ref and allOf merged in."""
        if "$ref" not in schema and "allOf" not in schema:
            return schema
        if depth > _MAX_DEPTH:
            raise Unsatisfiable("the schema refers to itself without end")
        _check_keywords(schema)
        merged: Schema = {}
        parts: list[object] = [*schema.get("allOf", ())]
        if "$ref" in schema:
            parts.append(self._resolve(str(schema["$ref"])))
        parts.append({key: value for key, value in schema.items() if key not in ("allOf", "$ref")})
        for part in parts:
            if isinstance(part, dict):
                _merge(merged, self._flatten(cast("Schema", part), depth + 1))
        return merged

    def _resolve(self, reference: str) -> object:
        if not reference.startswith("#"):
            raise Unsatisfiable(f"cannot follow {reference!r}")
        node: Any = self._root
        for step in reference[1:].split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, dict) or name not in node:
                raise Unsatisfiable(f"{reference!r} leads nowhere")
            node = cast("Schema", node)[name]
        return node

    def _first_possible(self, node: Schema, branches: list[object], depth: int) -> Any:
        base = {key: value for key, value in node.items() if key not in ("anyOf", "oneOf")}
        for branch in branches:
            merged = dict(base)
            try:
                if isinstance(branch, dict):
                    _merge(merged, self._flatten(cast("Schema", branch), depth + 1))
                return self.instance(merged, depth + 1)
            except Unsatisfiable:
                continue
        raise Unsatisfiable("no branch of the schema can be satisfied")

    def _of_type(self, kind: str, node: Schema, depth: int) -> Any:
        match kind:
            case "object":
                return self._object(node, depth)
            case "array":
                return self._array(node, depth)
            case "string":
                return _string(node)
            case "integer" | "number":
                return _number(node, whole=kind == "integer")
            case "boolean":
                return True
            case "null":
                return None
            case _:
                raise Unsatisfiable(f"unknown type {kind!r}")

    def _object(self, node: Schema, depth: int) -> dict[str, Any]:
        properties = cast("Schema", node.get("properties") or {})
        required = cast("list[str]", node.get("required") or [])
        made = {name: self.instance(properties.get(name, {}), depth + 1) for name in required}
        if not required and depth < _SHOWN_DEPTH:
            for name, schema in properties.items():
                try:
                    made[name] = self.instance(schema, depth + 1)
                except Unsatisfiable:
                    continue
        for number in range(len(made), int(node.get("minProperties", 0))):
            made[f"property_{number}"] = self.instance(node.get("additionalProperties"), depth + 1)
        return made

    def _array(self, node: Schema, depth: int) -> list[Any]:
        prefix = cast("list[object]", node.get("prefixItems") or [])
        made = [self.instance(schema, depth + 1) for schema in prefix]
        wanted = int(node.get("minItems", 0))
        items = node.get("items", {})
        choices: list[Any] = self._distinct_choices(items, depth) if node.get("uniqueItems") and wanted > 1 else []
        while len(made) < wanted:
            made.append(choices[len(made)] if len(made) < len(choices) else self.instance(items, depth + 1))
        return made

    def _distinct_choices(self, items: object, depth: int) -> list[Any]:
        if not isinstance(items, dict):
            return [{"item": number} for number in range(_MAX_DEPTH)]
        node = self._flatten(cast("Schema", items), depth)
        if "enum" in node:
            return node["enum"]
        first = self.instance(node, depth + 1)
        if isinstance(first, str):
            return [first, *(f"{first}{number}" for number in range(2, _MAX_DEPTH))]
        if isinstance(first, int | float) and not isinstance(first, bool):
            step = node.get("multipleOf", 1)
            return [first + step * number for number in range(_MAX_DEPTH)]
        return [first]


def _check_keywords(node: Schema) -> None:
    """Raises Unsatisfiable for a schema that is none, or that asks for very much."""
    for keyword, kind in _KINDS.items():
        if keyword in node:
            value = node[keyword]
            if not isinstance(value, kind) or isinstance(value, bool):
                raise Unsatisfiable(f"{keyword} has the wrong type")
            if kind is int and not 0 <= value <= _LARGEST:
                raise Unsatisfiable(f"{keyword} is negative or too large")
    if not all(isinstance(name, str) for name in node.get("required", ())):
        raise Unsatisfiable("required must hold strings")
    if node.get("multipleOf", 1) <= 0:
        raise Unsatisfiable("multipleOf must be positive")


def _merge(into: Schema, part: Schema) -> None:
    for key, value in part.items():
        if key == "properties":
            into[key] = {**into.get(key, {}), **value}
        elif key == "required":
            into[key] = [*into.get(key, ()), *value]
        else:
            into[key] = value


def _type_of(node: Schema) -> str:
    declared = node.get("type")
    if isinstance(declared, list) and declared:
        declared = cast("list[object]", declared)[0]
    if isinstance(declared, str):
        return declared
    for keyword, implied in (("properties", "object"), ("required", "object"), ("items", "array")):
        if keyword in node:
            return implied
    return "number" if "minimum" in node or "maximum" in node else "string"


def _string(node: Schema) -> str:
    shortest = int(node.get("minLength", 0))
    longest = int(node.get("maxLength", max(shortest, 7)))
    if isinstance(node.get("format"), str) and node["format"] in _FORMATS:
        return _FORMATS[node["format"]]
    if isinstance(node.get("pattern"), str):
        return _matching(node["pattern"], shortest, int(node.get("maxLength", 1000)))
    return "sandbox".ljust(shortest, "x")[: max(longest, shortest)]


def _matching(pattern: str, shortest: int, longest: int) -> str:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise Unsatisfiable(f"cannot read the pattern {pattern!r}") from error
    lengths = sorted({shortest, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 32, 36, 40, 64})
    runs = (letter * length for length in lengths if length for letter in "aA0")
    explosive = re.search(r"\)[*+{]", pattern) is not None
    for candidate in (*_PATTERN_CANDIDATES, *_FORMATS.values(), *runs):
        if explosive and len(candidate) > 16:
            continue
        if shortest <= len(candidate) <= longest and expression.search(candidate):
            return candidate
    raise Unsatisfiable(f"no string found for the pattern {pattern!r}")


def _number(node: Schema, *, whole: bool) -> int | float:
    try:
        return _within_bounds(node, whole=whole)
    except OverflowError as error:
        raise Unsatisfiable("the bounds are too large") from error


def _within_bounds(node: Schema, *, whole: bool) -> int | float:
    low, high = node.get("minimum"), node.get("maximum")
    step = node.get("multipleOf", 1 if whole else None)
    nudge = step or 0.5
    if _is_number(node.get("exclusiveMinimum")):
        low = node["exclusiveMinimum"] + nudge if not whole else floor(node["exclusiveMinimum"]) + 1
    if _is_number(node.get("exclusiveMaximum")):
        high = node["exclusiveMaximum"] - nudge if not whole else ceil(node["exclusiveMaximum"]) - 1
    value: int | float = 1
    if low is not None and value < low:
        value = low
    if high is not None and value > high:
        value = high
    if step:
        value = ceil(value / step) * step
        if high is not None and value > high:
            value = floor(high / step) * step
    return int(value) if whole else value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def instance_of(schema: dict[str, Any]) -> Any:
    """Raises Refused for a schema that nothing satisfies."""
    try:
        return minimal(schema)
    except Unsatisfiable as error:
        raise Refused(Problem(status=400, message=f"Invalid schema: {error}.", param="schema")) from error
