"""JSON checks: `is-json`, `contains-json`, and the form of their schemas.

A schema is compiled and applied by the validator (jsonschema-rs, drafts 4 to 2020-12 by `$schema`, formats checked) in
a worker process (`schema_workers`): no network, no files, patterns in linear time, bounded processor time.
"""

import json
from typing import Any, cast

from msgspec import Struct

from ownkey.workbench.graders.finding import Answer, BadCheck, Finding, Ungradable
from ownkey.workbench.graders.json_text import MAX_DEPTH, NotJson, depth_of, located, read_json
from ownkey.workbench.graders.schema_workers import SchemaWorker
from ownkey.workbench.records import Check

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
