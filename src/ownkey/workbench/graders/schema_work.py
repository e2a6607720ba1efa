"""How much work a JSON Schema would be for a value, counted before it is done. Pure.

A schema of a few lines can take years: 40 definitions, each of which applies the one before it twice, are 2⁴⁰
evaluations, and a validator that has begun cannot be stopped. The count follows the schema as a validator would, but
remembers what each part costs for each value, so that counting itself stays small. It is an upper bound: a validator
stops at the first failure and applies only those patterns that match.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias, cast

from ownkey.workbench.graders.finding import Ungradable

Json: TypeAlias = Any

MAX_WORK = 200_000
"""Evaluations of a schema for one answer; long texts, large numbers and comparisons count for more. The validator
holds the interpreter's lock meanwhile: at this bound for a quarter of a second at worst, mostly for milliseconds."""

MAX_CHAIN = 250
"""Schemas within schemas, references followed."""

_DIVISION = 50
"""What `multipleOf` costs: it divides exactly, as decimals."""

IN_PLACE = ("not", "if", "then", "else")
IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")
BY_NAME = ("dependentSchemas", "dependencies")
OF_PROPERTIES = ("additionalProperties", "unevaluatedProperties")
OF_ITEMS = ("items", "additionalItems", "contains", "unevaluatedItems")


class Work:
    """Counts for one schema; the total of all `count` calls is bounded by `MAX_WORK`."""

    def __init__(self, root: Json) -> None:
        self._root = root
        self._known: dict[tuple[int, int], int] = {}
        self._open: set[tuple[int, int]] = set()
        self._alive: list[Json] = []
        self._counted = 0
        self.total = 0

    def count(self, value: Json) -> int:
        """Add what `value` costs. Raises Ungradable beyond the bounds, and for a schema that refers to itself."""
        # Costs are remembered by identity, so what they belong to must not go away.
        self._alive.append(value)
        cost = self._cost(self._root, value, 0)
        self.total += cost
        if self.total > MAX_WORK:
            raise _too_much()
        return cost

    def count_from(self, schema: Json) -> None:
        """Add what one part of the schema costs for a value without parts. Raises as `count` does."""
        self.total += self._cost(schema, None, 0)

    def _cost(self, schema: Json, value: Json, chain: int) -> int:
        # This bounds the counting itself: what schemas that are still open have summed up is in no cost yet.
        self._counted += 1
        if self._counted > MAX_WORK:
            raise _too_much()
        if not isinstance(schema, dict):
            return 1
        key = (id(cast("object", schema)), id(value))
        known = self._known.get(key)
        if known is not None:
            return known
        if key in self._open:
            raise Ungradable("the schema refers to itself without looking deeper into the value, so it has no end")
        if chain > MAX_CHAIN:
            raise Ungradable(f"the schema has more than {MAX_CHAIN} schemas within each other for this answer")
        self._open.add(key)
        rules = cast("dict[str, Json]", schema)
        cost = _own_cost(rules, value)
        self._counted += cost - 1
        for applied, part in applications(self._root, rules, value):
            cost += self._cost(applied, part, chain + 1)
            if cost > MAX_WORK:
                raise _too_much()
        self._open.discard(key)
        self._known[key] = cost
        return cost


def applications(root: Json, rules: dict[str, Json], value: Json) -> Iterator[tuple[Json, Json]]:
    """The schemas that `rules` applies, each with the part of the value that it is applied to."""
    in_place = list(_in_place(root, rules))
    # What is unevaluated is found out by evaluating the neighbours again.
    times = 3 if "unevaluatedProperties" in rules or "unevaluatedItems" in rules else 1
    for applied in in_place * times:
        yield applied, value
    if isinstance(value, dict):
        yield from _to_properties(rules, cast("dict[str, Json]", value))
    elif isinstance(value, list):
        yield from _to_items(rules, cast("list[Json]", value))


def resolve(root: Json, reference: str) -> Json:
    """What a local reference (`#`, `#/$defs/x`) points to. Raises LookupError or ValueError for one that does not."""
    here = root
    for step in reference.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        here = cast("list[Json]", here)[int(name)] if isinstance(here, list) else cast("dict[str, Json]", here)[name]
    return here


def _in_place(root: Json, rules: dict[str, Json]) -> Iterator[Json]:
    reference = rules.get("$ref")
    if isinstance(reference, str):
        yield resolve(root, reference)
    for word in IN_PLACE:
        if word in rules:
            yield rules[word]
    for word in IN_PLACE_LISTS:
        yield from _list(rules.get(word))
    for word in BY_NAME:
        yield from _dict(rules.get(word)).values()


def _to_properties(rules: dict[str, Json], value: dict[str, Json]) -> Iterator[tuple[Json, Json]]:
    named = _dict(rules.get("properties"))
    patterns = _dict(rules.get("patternProperties"))
    others = [rules[word] for word in OF_PROPERTIES if word in rules]
    for name, part in value.items():
        if name in named:
            yield named[name], part
        for applied in (*patterns.values(), *others):
            yield applied, part
        if "propertyNames" in rules:
            yield rules["propertyNames"], name


def _to_items(rules: dict[str, Json], value: list[Json]) -> Iterator[tuple[Json, Json]]:
    by_place = _list(rules.get("prefixItems")) or _list(rules.get("items"))
    everywhere = [rules[word] for word in OF_ITEMS if word in rules and not isinstance(rules[word], list)]
    for place, part in enumerate(value):
        if place < len(by_place):
            yield by_place[place], part
        for applied in everywhere:
            yield applied, part


def _own_cost(rules: dict[str, Json], value: Json) -> int:
    """What the words of one schema cost that apply nothing: 1, more where they read a long value or compare."""
    cost = 1 + len(_list(rules.get("enum"))) + len(_list(rules.get("required")))
    if isinstance(value, str):
        cost += len(value) // 100
    elif isinstance(value, int):
        cost += value.bit_length() // 16
    elif isinstance(value, dict):
        patterns = len(_dict(rules.get("patternProperties")))
        cost += patterns * sum(1 + len(name) // 100 for name in cast("dict[str, Json]", value))
    if "multipleOf" in rules and isinstance(value, int | float):
        cost += _DIVISION
    if "uniqueItems" in rules or "enum" in rules or "const" in rules:
        cost += _size(value)
    return cost


def _size(value: Json) -> int:
    """How much there is to compare: every value once, texts by their length."""
    size, left = 0, [value]
    while left:
        item = left.pop()
        size += 1
        if isinstance(item, str):
            size += len(item) // 100
        elif isinstance(item, dict):
            left += cast("dict[str, Json]", item).values()
        elif isinstance(item, list):
            left += cast("list[Json]", item)
        if size > MAX_WORK:
            raise _too_much()
    return size


def _list(value: Json) -> list[Json]:
    return cast("list[Json]", value) if isinstance(value, list) else []


def _dict(value: Json) -> dict[str, Json]:
    return cast("dict[str, Json]", value) if isinstance(value, dict) else {}


def _too_much() -> Ungradable:
    return Ungradable(f"the schema takes more than {MAX_WORK} evaluations for this answer; make it simpler")
