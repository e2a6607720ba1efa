"""What OpenAI demands of the schemas of functions and of answers."""

from collections.abc import Callable, Iterator
from typing import TypeAlias, cast

from ownkey.sandbox.rules.rule import Asked, Json, Words, at, obj

Functions: TypeAlias = Callable[[Asked], Iterator[tuple[str, Json]]]
"""The functions of a request, each with its place."""
_AT_NO_ROOT = ("oneOf", "anyOf", "allOf", "enum", "not")


def wrong_root(functions: Functions) -> Callable[[Asked], Words | None]:
    """Broken by a function whose parameters are no object, or a combination."""

    def broken(asked: Asked) -> Words | None:
        for place, function in functions(asked):
            schema = function.get("parameters")
            kind = at(schema, "type")
            if not isinstance(schema, dict) or (kind == "object" and not any(name in schema for name in _AT_NO_ROOT)):
                continue
            wrong = (
                f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
                if kind != "object"
                else "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top "
                "level."
            )
            return {"place": place, "name": function.get("name"), "wrong": wrong}
        return None

    return broken


def _lack(schema: object) -> str | None:
    """What a strict schema lacks; None if nothing."""
    if isinstance(schema, list):
        return next((lack for inner in cast("list[object]", schema) if (lack := _lack(inner))), None)
    node = obj(schema)
    properties = obj(node.get("properties"))
    if node.get("type") == "object" or properties:
        if node.get("additionalProperties") is not False:
            return "'additionalProperties' is required to be supplied and to be false."
        missing = set(properties) - set(node.get("required") or ())
        if missing:
            return (
                "'required' is required to be supplied and to be an array including every key in properties. "
                f"Missing '{min(missing)}'."
            )
    inner = [*properties.values(), *obj(node.get("$defs")).values(), node.get("items"), node.get("anyOf")]
    return _lack(inner) if node else None


def loose_function(functions: Functions) -> Callable[[Asked], Words | None]:
    """Broken by a strict function whose schema lacks what a strict one must have."""

    def broken(asked: Asked) -> Words | None:
        for place, function in functions(asked):
            lack = _lack(function.get("parameters")) if function.get("strict") is True else None
            if lack:
                return {"place": place, "name": function.get("name"), "lack": lack}
        return None

    return broken


def loose_format(path: str) -> Callable[[Asked], Words | None]:
    """Broken by a strict schema of the answer, at a path, that lacks what a strict one must have."""

    def broken(asked: Asked) -> Words | None:
        wanted = at(asked.body, path)
        lack = _lack(at(wanted, "schema")) if at(wanted, "strict") is True else None
        return {"name": at(wanted, "name"), "lack": lack} if lack else None

    return broken
