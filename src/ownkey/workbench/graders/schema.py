"""JSON Schema for answers: no network, no files, patterns in linear time, work counted beforehand.

The validator (jsonschema-rs, drafts 4 to 2020-12 by `$schema`, formats checked) runs offline and with the regex engine
that has no backtracking. It holds the interpreter's lock while it works, so what it is given must be small: sizes are
bounded here, work by `schema_work`. References are local pointers only, which lets both sides mean the same by them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from ownkey.workbench.graders.finding import BadCheck, Ungradable
from ownkey.workbench.graders.json_text import MAX_DEPTH, NotJson, depth_of, read_json
from ownkey.workbench.graders.schema_work import (
    BY_NAME,
    IN_PLACE,
    IN_PLACE_LISTS,
    OF_ITEMS,
    OF_PROPERTIES,
    Json,
    Work,
    resolve,
)

if TYPE_CHECKING:
    import jsonschema_rs

    from ownkey.workbench.records import Check

MAX_SIZE = 64_000
"""Characters of a schema as JSON."""

MAX_PATTERNS = 50
"""`pattern` and `patternProperties` in one schema."""

MAX_PATTERN = 1000
"""Characters of one pattern."""

_PATTERN_MEMORY = 1 << 18
_REFUSED = ("$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor", "$recursiveAnchor")
_EXPLAINED = 2000
"""Work up to which a failure is explained: an explanation holds copies of the value."""


class Schema:
    """A schema that is fit to be used. Make it with `read_schema`."""

    def __init__(self, root: Json, validator: jsonschema_rs.Validator) -> None:
        self._root = root
        self._validator = validator

    def work(self) -> Work:
        """A fresh count, for the values of one answer."""
        return Work(self._root)

    def satisfied_by(self, value: Json, work: Work) -> bool:
        """Raises Ungradable when that would take too much."""
        work.count(value)
        try:
            return self._validator.is_valid(value)
        except ValueError as error:
            raise Ungradable(f"the answer cannot be compared with the schema: {str(error)[:200]}") from error

    def complaint(self, value: Json, work: Work) -> str:
        """Why a value fails, in the validator's words; empty where finding out would take too much."""
        if work.total > _EXPLAINED:
            return ""
        error = next(self._validator.iter_errors(value), None)
        if error is None:
            return ""
        path = "".join(f"/{step}" for step in error.instance_path)
        return f" ({path or '/'}: {' '.join(error.message.split())[:200]})"


def read_schema(check: Check) -> Schema | None:
    """The schema of `is-json` or `contains-json`: an object, a boolean, or JSON text of one; None for no value.

    Raises BadCheck for one that is no schema, is too large, or refers to anything outside itself.
    """
    import jsonschema_rs

    root = _root(check)
    if root is None:
        return None
    _refuse_unfit(root, check.type)
    try:
        validator = jsonschema_rs.validator_for(
            root,
            offline=True,
            validate_formats=True,
            pattern_options=jsonschema_rs.RegexOptions(size_limit=_PATTERN_MEMORY, dfa_size_limit=_PATTERN_MEMORY),
        )
    except jsonschema_rs.ValidationError as error:
        raise BadCheck(f"{check.type} has no valid JSON schema: {' '.join(error.message.split())[:200]}") from error
    except ValueError as error:
        raise BadCheck(f"{check.type} has no valid JSON schema: {str(error)[:200]}") from error
    return Schema(root, validator)


def _root(check: Check) -> Json:
    value = check.value
    if value is None or value == "":
        return None
    if isinstance(value, str):
        if value.startswith("file://"):
            raise BadCheck(f"{check.type} takes its schema from a file, which is never read. Write the schema itself.")
        try:
            value = read_json(value)
        except (NotJson, Ungradable) as error:
            raise BadCheck(f"{check.type} has a text as its value that is no JSON schema: {error}") from error
    if not isinstance(value, dict | bool):
        raise BadCheck(f"{check.type} takes a JSON schema as its value: an object, true or false.")
    return cast("Json", value)


def _refuse_unfit(root: Json, name: str) -> None:
    """Raises BadCheck for what is too large or reaches outside, and for work without end whatever the answer."""
    if depth_of(root) > MAX_DEPTH:
        raise BadCheck(f"{name} has a schema nested deeper than {MAX_DEPTH} levels.")
    try:
        size = len(json.dumps(root, ensure_ascii=False, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise BadCheck(f"{name} has a schema with a value that JSON does not have: {error}") from error
    if size > MAX_SIZE:
        raise BadCheck(f"{name} has a schema of {size} characters; at most {MAX_SIZE} are allowed.")
    patterns, work = 0, Work(root)
    for rules in _all_rules(root, name):
        found = [rules["pattern"]] if "pattern" in rules else []
        found += list(_mapping(rules.get("patternProperties")))
        patterns += len(found)
        if patterns > MAX_PATTERNS:
            raise BadCheck(f"{name} has a schema with more than {MAX_PATTERNS} patterns.")
        if any(isinstance(pattern, str) and len(pattern) > MAX_PATTERN for pattern in found):
            raise BadCheck(f"{name} has a pattern of more than {MAX_PATTERN} characters in its schema.")
        try:
            work.count_from(rules)
        except Ungradable as error:
            raise BadCheck(f"{name}: {error}") from error


def _all_rules(root: Json, name: str) -> Iterator[dict[str, Any]]:
    """Every schema in a schema once, those only referred to included. Raises BadCheck for what reaches outside."""
    seen: set[int] = set()
    left = [root]
    while left:
        schema = left.pop()
        if not isinstance(schema, dict) or id(cast("object", schema)) in seen:
            continue
        rules = cast("dict[str, Any]", schema)
        seen.add(id(rules))
        for word in _REFUSED:
            if word in rules:
                raise BadCheck(f"{name} has {word} in its schema, which is not supported. Use $ref to #/$defs.")
        if rules is not root and ("$id" in rules or isinstance(rules.get("id"), str)):
            raise BadCheck(f"{name} has a schema with an id within its schema, which is not supported. Remove the id.")
        left += _target(root, rules, name)
        left += _parts(rules)
        yield rules


def _target(root: Json, rules: dict[str, Any], name: str) -> list[Json]:
    if "$ref" not in rules:
        return []
    reference = rules["$ref"]
    if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")) or "%" in reference:
        raise BadCheck(
            f"{name} has a schema with the $ref {str(reference)[:100]!r}; only local ones (#/$defs/…) are followed."
        )
    try:
        return [resolve(root, reference)]
    except (LookupError, ValueError, TypeError) as error:
        raise BadCheck(f"{name} has a schema with the $ref {reference[:100]!r}, which leads nowhere.") from error


def _parts(rules: dict[str, Any]) -> Iterator[Json]:
    for word in (*IN_PLACE, *OF_PROPERTIES, *OF_ITEMS, "propertyNames"):
        value = rules.get(word)
        yield from cast("list[Any]", value) if isinstance(value, list) else (value,)
    for word in (*IN_PLACE_LISTS, "prefixItems"):
        value = rules.get(word)
        yield from cast("list[Any]", value) if isinstance(value, list) else ()
    for word in (*BY_NAME, "properties", "patternProperties", "$defs", "definitions"):
        yield from _mapping(rules.get(word)).values()


def _mapping(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
