"""JSON Schemas in the dialect that a provider accepts.

Each function returns the schema itself where nothing needs to change. All work grows with the size of the schema
alone: references are followed a fixed number of times and nodes are visited with a stack, so that a schema that
refers to itself, or is thousands of levels deep, ends like any other.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

Schema = dict[str, Any]

_COMBINATORS = ("allOf", "anyOf", "oneOf")
_MOST_FOLLOWED = 32
_MOST_COMPARED = 64
"""Variants of one property among which a further one is looked for; beyond that it may stand there twice."""
_MAPS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
"""Keywords whose value maps names to schemas."""
_DATA = frozenset({"default", "const", "enum", "examples", "example", "required"})
"""Keywords whose value is data, even where it looks like a schema."""
_OLD_DEFS, _DEFS = "#/definitions/", "#/$defs/"


def object_at_root(schema: Schema) -> Schema:
    """The schema with `type: object` and without `anyOf`, `oneOf`, `allOf`, `not`, `enum` or `$ref` at its root.

    Properties of all branches are merged. A property is required where the root, a branch of `allOf` or every branch
    of `anyOf` or `oneOf` requires it; which branches exclude each other is lost.
    """
    if schema.get("type") == "object" and not any(name in schema for name in (*_COMBINATORS, "$ref", "not", "enum")):
        return schema
    merged = _Merger(schema).merge(schema, _MOST_FOLLOWED)
    kind = merged.get("type")
    if kind is None or (isinstance(kind, list) and "object" in kind):
        merged["type"] = "object"
    if merged["type"] == "object":
        merged.setdefault("properties", {})
    for name in ("not", "enum"):
        merged.pop(name, None)
    return merged


class _Merger:
    """Merges the branches of one schema. Each reference is followed once, and so no work is done twice."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._followed: set[str] = set()

    def merge(self, node: Schema, depth: int) -> Schema:
        """`node` with its reference and its branches merged into it. What `node` says itself takes precedence."""
        result = {name: value for name, value in node.items() if name not in _COMBINATORS and name != "$ref"}
        if depth == 0:
            return result
        target = self._target(node.get("$ref"))
        if target is not None:
            _add(result, self.merge(target, depth - 1), required=True)
        for branch in _schemas(node.get("allOf")):
            _add(result, self.merge(branch, depth - 1), required=True)
        for name in ("anyOf", "oneOf"):
            branches = [self.merge(branch, depth - 1) for branch in _schemas(node.get(name))]
            branches = [branch for branch in branches if branch.get("type") != "null"]
            for branch in branches:
                _add(result, branch, required=False)
            if branches:
                required = set(_required(branches[0]))
                _require(result, required.intersection(*map(_required, branches[1:])))
        return result

    def _target(self, reference: object) -> Schema | None:
        """What a reference within the schema leads to, the first time."""
        if not isinstance(reference, str) or reference in self._followed:
            return None
        self._followed.add(reference)
        return resolved(self._root, reference)


def resolved(root: Schema, reference: str) -> Schema | None:
    """The schema at a JSON pointer below `root` (`#/$defs/Box`), None for anything else."""
    if not reference.startswith("#"):
        return None
    found: Any = root
    for step in reference[1:].split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        found = cast("Schema", found).get(name) if isinstance(found, dict) else None
    return cast("Schema", found) if isinstance(found, dict) and found is not root else None


def _schemas(value: object) -> Iterator[Schema]:
    for each in cast("list[object]", value) if isinstance(value, list) else ():
        if isinstance(each, dict):
            yield cast("Schema", each)


def _required(schema: Schema) -> list[str]:
    given: object = schema.get("required")
    names = cast("list[object]", given) if isinstance(given, list) else []
    return [name for name in names if isinstance(name, str)]


def _require(result: Schema, names: set[str]) -> None:
    known = _required(result)
    more = sorted(names - set(known))
    if more:
        result["required"] = [*known, *more]


def _add(result: Schema, branch: Schema, *, required: bool) -> None:
    """Add a branch's properties, and what else it says and `result` does not. A property that both have and that
    differs may be either."""
    for name, value in branch.items():
        if name in ("properties", "$defs", "definitions") and isinstance(value, dict):
            known: object = result.get(name)
            into = dict(cast("Schema", known)) if isinstance(known, dict) else {}
            for inner, schema in cast("Schema", value).items():
                into[inner] = _either(into.get(inner), schema) if name == "properties" else into.get(inner, schema)
            result[name] = into
        elif name == "required":
            if required:
                _require(result, set(_required(branch)))
        elif name == "additionalProperties":
            # Each branch excludes the others' properties: only the root's own word holds for all.
            continue
        else:
            result.setdefault(name, value)


def _either(known: Any, schema: Any) -> Any:
    """A schema that takes what one of the two takes."""
    if known is None or known == schema:
        return schema
    choices: object = cast("Schema", known)["anyOf"] if isinstance(known, dict) and [*known] == ["anyOf"] else None
    if isinstance(choices, list):
        choices = cast("list[Any]", choices)
        known_already = len(choices) < _MOST_COMPARED and schema in choices
        return {"anyOf": choices if known_already else [*choices, schema]}
    return {"anyOf": cast("list[Any]", [known, schema])}


def bare_references(schema: Schema) -> Schema:
    """The schema with nothing beside a `$ref` but keys that begin with `$`, as Gemini demands.

    A root that consists of a reference takes in what it refers to; `definitions` become `$defs`.
    """
    if not any(_ill_placed(node) for node in _nodes(schema)):
        return schema
    root = schema
    reference: object = schema.get("$ref")
    if isinstance(reference, str) and _ill_placed(schema):
        target = resolved(schema, reference)
        if target is not None:
            root = {name: value for name, value in schema.items() if name != "$ref"}
            root = root | {name: value for name, value in target.items() if name not in root}
    copy = _copied(root, _kept)
    if "definitions" in copy:
        copy["$defs"] = copy.pop("definitions") | copy.get("$defs", {})
    return copy


def _ill_placed(node: Schema) -> bool:
    reference: object = node.get("$ref")
    if not isinstance(reference, str):
        return False
    return reference.startswith(_OLD_DEFS) or any(not name.startswith("$") for name in node)


def _kept(node: Schema) -> Schema:
    reference: object = node.get("$ref")
    if not isinstance(reference, str):
        return node
    kept = {name: value for name, value in node.items() if name.startswith("$")}
    if reference.startswith(_OLD_DEFS):
        kept["$ref"] = _DEFS + reference.removeprefix(_OLD_DEFS)
    return kept


def _nodes(schema: Schema) -> Iterator[Schema]:
    """The schema and every schema within."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        yield node
        for name, value in node.items():
            waiting += _within(name, value)


def _within(name: str, value: object) -> list[Schema]:
    """The schemas that stand in a keyword's value."""
    if name in _DATA:
        return []
    if isinstance(value, dict):
        inner = cast("Schema", value)
        if name not in _MAPS:
            return [inner]
        return [cast("Schema", each) for each in inner.values() if isinstance(each, dict)]
    return list(_schemas(value))


def _copied(schema: Schema, kept: Callable[[Schema], Schema]) -> Schema:
    """A copy whose every node is as `kept` leaves it; data is shared with the original."""
    root = dict(kept(schema))
    waiting = [root]

    def fresh(node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        new = dict(kept(cast("Schema", node)))
        waiting.append(new)
        return new

    while waiting:
        node = waiting.pop()
        for name, value in node.items():
            if name in _DATA:
                continue
            if isinstance(value, list):
                node[name] = [fresh(each) for each in cast("list[object]", value)]
            elif isinstance(value, dict) and name in _MAPS:
                node[name] = {key: fresh(each) for key, each in cast("Schema", value).items()}
            else:
                node[name] = fresh(value)
    return root


_MOST_INLINED = 20_000
_DEEPEST = 100
"""Nodes and levels of an inlined schema beyond which any value is allowed."""


def inlined(schema: Schema) -> Schema:
    """The schema with what its references lead to in their place, for targets that know no `$ref`.

    Where a schema refers to itself, and where it would become too large, any value is allowed.
    """
    if not any(isinstance(node.get("$ref"), str) for node in _nodes(schema)):
        return schema
    return _Inliner(schema).node(schema, (), 0)


class _Inliner:
    def __init__(self, root: Schema) -> None:
        self._root = root
        self._left = _MOST_INLINED

    def node(self, node: Schema, within: tuple[str, ...], depth: int) -> Schema:
        """`within` are the references that led here."""
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            return {}
        reference: object = node.get("$ref")
        if isinstance(reference, str):
            target = resolved(self._root, reference) if reference not in within else None
            beside = {name: value for name, value in node.items() if name != "$ref"}
            if target is None:
                return self._inner(beside, within, depth)
            return self.node(target | beside if "$ref" not in target else target, (*within, reference), depth + 1)
        return self._inner(node, within, depth)

    def _inner(self, node: Schema, within: tuple[str, ...], depth: int) -> Schema:
        written: Schema = {}
        for name, value in node.items():
            if name in ("$defs", "definitions"):
                continue
            written[name] = value if name in _DATA else self._value(name, value, within, depth)
        return written

    def _value(self, name: str, value: Any, within: tuple[str, ...], depth: int) -> Any:
        if isinstance(value, list):
            return [self._each(each, within, depth) for each in cast("list[Any]", value)]
        if isinstance(value, dict) and name in _MAPS:
            return {key: self._each(each, within, depth) for key, each in cast("Schema", value).items()}
        return self._each(value, within, depth)

    def _each(self, value: Any, within: tuple[str, ...], depth: int) -> Any:
        return self.node(cast("Schema", value), within, depth + 1) if isinstance(value, dict) else value


def without_keyword(schema: Schema, keyword: str) -> Schema:
    """The schema without a keyword that the target refuses; properties of that name stay."""
    if not any(keyword in node for node in _nodes(schema)):
        return schema
    return _copied(schema, lambda node: {name: value for name, value in node.items() if name != keyword})


def is_complete(schema: Any) -> bool:
    """Whether every object in the schema is closed and requires all its properties, as OpenAI demands of strict."""
    nodes = [schema]
    while nodes:
        node = nodes.pop()
        if isinstance(node, list):
            nodes += cast("list[Any]", node)
        elif isinstance(node, dict):
            fields = cast("dict[str, Any]", node)
            if not _is_closed(fields):
                return False
            nodes += [fields[name] for name in ("items", "anyOf", "allOf", "oneOf") if name in fields]
            for name in ("properties", "$defs", "definitions"):
                inner = fields.get(name)
                nodes += cast("dict[str, Any]", inner).values() if isinstance(inner, dict) else ()
    return True


def _is_closed(schema: dict[str, Any]) -> bool:
    kind, properties, required = schema.get("type"), schema.get("properties"), schema.get("required")
    if not properties and kind != "object" and not (isinstance(kind, list) and "object" in kind):
        return True
    names: set[str] = set(cast("dict[str, Any]", properties)) if isinstance(properties, dict) else set()
    listed = cast("list[Any]", required) if isinstance(required, list) else []
    return schema.get("additionalProperties") is False and all(name in listed for name in names)
