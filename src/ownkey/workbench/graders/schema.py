"""JSON in answers: `is-json`, `contains-json`, and the form of their schemas.

Strict JSON (RFC 8259): no NaN, no comments, no trailing commas. Depth is bounded by `MAX_DEPTH`, so that whatever
walks a value afterwards may recurse, and the search for JSON inside text by `MAX_SEARCH`.

A schema is compiled and applied by the validator (jsonschema-rs, drafts 4 to 2020-12 by `$schema`, formats checked) in
a worker process (`schema_workers`): no network, no files, patterns in linear time, bounded processor time.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, cast

from msgspec import Struct

from ownkey.workbench.graders.finding import Answer, BadCheck, Finding, Ungradable
from ownkey.workbench.graders.schema_workers import SchemaWorker
from ownkey.workbench.records import Check

MAX_DEPTH = 100
"""Levels of nesting."""

MAX_SEARCH = 8_000_000
"""Characters looked at while searching one answer, those read in vain again and again included."""

_ATTEMPT = 100
"""What one attempt costs by itself, in characters."""


_START = re.compile(r"[\[{]")


class NotJson(ValueError):
    """The text is no JSON."""


class _Constant(ValueError):
    """NaN or Infinity, which Python reads and JSON does not have."""


def read_json(text: str) -> Any:
    """The value of a text that is JSON as a whole. Raises NotJson, or Ungradable for JSON beyond the bounds."""
    try:
        value: Any = _decoder().decode(text)
    except (json.JSONDecodeError, _Constant) as error:
        raise NotJson(str(error)) from error
    except (RecursionError, ValueError) as error:
        raise _beyond(error) from error
    return _shallow(value)


def located(text: str, *, arrays: bool = False) -> Iterator[tuple[Any, str]]:
    """The JSON objects in a text as values and as they are written, in their order, each the largest from its start on.

    With `arrays` lists are found too; then what lies in a list comes after it, for its own sake. Raises Ungradable
    when the search would cost more than `MAX_SEARCH` or meets nesting beyond the bounds.
    """
    decoder, at, spent = _decoder(), 0, 0
    while True:
        at = _next_start(text, at, arrays=arrays)
        if at < 0:
            return
        try:
            value, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            # Making the error counts the lines before it, hence the share of its position.
            spent += _ATTEMPT + (error.pos - at) + error.pos // 16
            at += 1
        except _Constant:
            # It does not say where, so it is charged for all it may have read.
            spent += _ATTEMPT + len(text) - at
            at += 1
        except (RecursionError, ValueError) as error:
            raise _beyond(error) from error
        else:
            spent += _ATTEMPT + end - at
            yield _shallow(value), text[at:end]
            at = at + 1 if text[at] == "[" else end
        if spent > MAX_SEARCH:
            raise Ungradable("the answer has too many brackets to be searched for JSON")


def same_json(a: Any, b: Any) -> bool:
    """Equal as JSON: 1 equals 1.0 and not true; the order of names does not matter."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a == b
    if isinstance(a, dict) and isinstance(b, dict):
        one, other = cast("dict[str, Any]", a), cast("dict[str, Any]", b)
        return one.keys() == other.keys() and all(same_json(value, other[name]) for name, value in one.items())
    if isinstance(a, list) and isinstance(b, list):
        left, right = cast("list[Any]", a), cast("list[Any]", b)
        return len(left) == len(right) and all(same_json(x, y) for x, y in zip(left, right, strict=True))
    return bool(a == b)


def depth_of(value: object) -> int:
    """Levels of nesting: 0 for a scalar, 1 for `[]`."""
    deepest, level = 0, _containers((value,))
    while level:
        deepest += 1
        level = _containers(child for item in level for child in item)
    return deepest


def _containers(values: Iterable[object]) -> list[Iterable[Any]]:
    """The children of those values that can have any."""
    found: list[Iterable[Any]] = []
    for value in values:
        if isinstance(value, dict):
            found.append(cast("dict[str, Any]", value).values())
        elif isinstance(value, list):
            found.append(cast("list[Any]", value))
    return found


def _next_start(text: str, at: int, *, arrays: bool) -> int:
    if not arrays:
        return text.find("{", at)
    start = _START.search(text, at)
    return start.start() if start else -1


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=_no_constant)


def _no_constant(name: str) -> NoReturn:
    raise _Constant(f"{name} is no JSON")


def _shallow(value: Any) -> Any:
    if depth_of(value) > MAX_DEPTH:
        raise Ungradable(f"the answer has JSON nested deeper than {MAX_DEPTH} levels")
    return value


def _beyond(error: Exception) -> Ungradable:
    if isinstance(error, RecursionError):
        return Ungradable(f"the answer has JSON nested deeper than {MAX_DEPTH} levels")
    return Ungradable("the answer has a number of thousands of digits")


MAX_SIZE = 64_000
"""Characters of a schema as JSON."""


class Against(Struct, frozen=True):
    """A schema and the worker that applies it."""

    schema: str
    worker: SchemaWorker


def read_schema(check: Check) -> str | None:
    """The schema of `is-json` or `contains-json` as JSON text, not compiled yet; None for no value.

    It may be given as an object, a boolean, or JSON text of one. Raises BadCheck for anything else, and for one that is
    too large or too deep.
    """
    root = _root(check)
    if root is None:
        return None
    if depth_of(root) > MAX_DEPTH:
        raise BadCheck(f"{check.type} has a schema nested deeper than {MAX_DEPTH} levels.")
    try:
        text = json.dumps(root, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadCheck(f"{check.type} has a schema with a value that JSON does not have: {error}") from error
    if len(text) > MAX_SIZE:
        raise BadCheck(f"{check.type} has a schema of {len(text)} characters; at most {MAX_SIZE} are allowed.")
    return text


def compile_schema(name: str, schema: str, worker: SchemaWorker) -> None:
    """Raises BadCheck for a text that is no valid schema, refers to anything outside itself, or costs too much."""
    try:
        worker.compile(schema)
    except BadCheck as error:
        hint = "; only local references (#/$defs/…) are followed" if "retrieving it failed" in str(error) else ""
        raise type(error)(f"{name} has no valid JSON schema: {error}{hint}") from error


def is_json(against: Against | None, answer: Answer) -> Finding:
    """The whole answer is JSON, white space around it allowed, a code fence not (`contains-json` looks inside)."""
    try:
        read_json(answer.text)
    except NotJson as error:
        return Finding(False, f"the answer is not JSON: {error}")
    if against is None:
        return Finding(True, "the answer is JSON")
    valid, complaint = against.worker.first_valid(against.schema, [answer.text])
    if valid is not None:
        return Finding(True, "the answer is JSON that satisfies the schema")
    return Finding(False, f"the answer is JSON that does not satisfy the schema{complaint}")


def contains_json(against: Against | None, answer: Answer) -> Finding:
    """The answer contains a JSON object; with a schema, an object or a list that satisfies it."""
    if against is None:
        for _ in located(answer.text):
            return Finding(True, "the answer contains a JSON object")
        return Finding(False, "the answer contains no JSON object")
    found = [written for _, written in located(answer.text, arrays=True)]
    if not found:
        return Finding(False, "the answer contains no JSON")
    valid, complaint = against.worker.first_valid(against.schema, found)
    if valid is not None:
        return Finding(True, "the answer contains JSON that satisfies the schema")
    return Finding(False, f"the answer contains JSON, and none that satisfies the schema{complaint}")


def _root(check: Check) -> Any:
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
    return cast("Any", value)
