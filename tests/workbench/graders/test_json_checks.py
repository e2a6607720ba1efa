"""is-json and contains-json: what counts as JSON, and schemas."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.workbench.graders.scripted import grade

from ownkey.workbench.graders import Graders, validate_check
from ownkey.workbench.graders.schema_workers import SchemaWorkers
from ownkey.workbench.records import Check

POINT = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
TREE = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "left": {"$ref": "#/$defs/node"},
                "right": {"$ref": "#/$defs/node"},
                "v": {"type": "string"},
            },
            "additionalProperties": False,
        }
    },
}


@pytest.fixture(scope="module")
def workers() -> Iterator[SchemaWorkers]:
    with SchemaWorkers(limit=1) as workers:
        yield workers


CASES: list[tuple[str, Any, str, bool]] = [
    ("is-json", None, '{"a": 1}', True),
    ("is-json", None, " 5\n", True),
    ("is-json", "", "null", True),
    ("is-json", None, '```json\n{"a": 1}\n```', False),
    ("is-json", None, 'Here: {"a": 1}', False),
    ("is-json", None, "{'a': 1}", False),
    ("is-json", None, '{"a": 1,}', False),
    ("is-json", None, "NaN", False),
    ("is-json", None, "[Infinity]", False),
    ("is-json", None, "", False),
    ("is-json", POINT, '{"x": 1}', True),
    ("is-json", POINT, '{"x": "1"}', False),
    ("is-json", POINT, "no JSON", False),
    ("is-json", '{"type": "array"}', "[]", True),
    ("is-json", True, "1", True),
    ("is-json", False, "1", False),
    ("is-json", {"format": "email"}, '"no address"', False),
    ("is-json", {"pattern": "^a+$"}, '"aaa"', True),
    ("is-json", TREE, '{"left": {"right": {"v": "x"}}}', True),
    ("is-json", TREE, '{"left": {"right": {"v": 1}}}', False),
    ("is-json", {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "integer"}]}, '["a"]', False),
    ("is-json", {"$id": "https://example.com/point", **POINT}, '{"x": 1}', True),
    ("is-json", {"properties": {"$ref": {"type": "integer"}, "$id": {}, "pattern": {}}}, '{"$ref": "a"}', False),
    ("is-json", {"enum": [{"$ref": "https://example.com"}]}, '{"$ref": "https://example.com"}', True),
    ("contains-json", None, 'Here: {"a": 1}.', True),
    ("contains-json", None, '```json\n{"a": 1}\n```', True),
    ("contains-json", None, "set {x} and {}", True),
    ("contains-json", None, "see [1] for that", False),
    ("contains-json", None, "set {x}", False),
    ("contains-json", None, '{"a": NaN} {"b": 1', False),
    ("contains-json", POINT, 'First {"y": 1}, then {"x": 2}.', True),
    ("contains-json", POINT, 'First {"y": 1}, then {"x": "2"}.', False),
    ("contains-json", POINT, '[{"x": 2}]', True),
    ("contains-json", POINT, "nothing", False),
    ("contains-json", {"type": "array", "minItems": 2}, "so [1] and [1, 2]", True),
]


@pytest.mark.parametrize(("kind", "value", "answer", "expected"), CASES)
async def test_a_json_check_and_its_opposite(
    workers: SchemaWorkers, kind: str, value: Any, answer: str, expected: bool
) -> None:
    graders = Graders(schemas=workers)
    straight = await grade(Check(kind, value), answer, graders)
    assert (straight.passed, straight.score) == (expected, float(expected)), straight.reason
    assert (await grade(Check(f"not-{kind}", value), answer, graders)).passed is not expected


async def test_a_failed_schema_says_where_and_what(workers: SchemaWorkers) -> None:
    given = await grade(Check("is-json", POINT), '{"x": "one"}', Graders(schemas=workers))
    assert '(/x: "one" is not of type "integer")' in given.reason


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"type": 5}, "no valid JSON schema"),
        ({"$schema": "http://127.0.0.1:1/own"}, "no valid JSON schema"),
        ({"$ref": "http://127.0.0.1:1/schema"}, "only local references"),
        ({"$ref": "file:///etc/passwd"}, "only local references"),
        ({"properties": {"a": {"items": {"$ref": "other.json"}}}}, "only local references"),
        ({"$ref": "#name"}, "'name' does not exist"),
        ({"$ref": "#/$defs/absent"}, "does not exist"),
        ({"$ref": 5}, "is not of type"),
        ({"pattern": "(?=a)b"}, "no valid JSON schema"),
        ({"pattern": "(a{1000}){1000}"}, "no valid JSON schema"),
        ({"enum": ["x" * 64_000]}, "at most 64000"),
        ({"enum": [float("nan")]}, "a value that JSON does not have"),
        ({"enum": [{1, 2}]}, "a value that JSON does not have"),
        ([1], "an object, true or false"),
        (5, "an object, true or false"),
        ("type: object", "no JSON schema"),
        ("file://schema.json", "never read"),
    ],
)
async def test_a_schema_that_is_none_or_reaches_outside_is_refused(
    workers: SchemaWorkers, schema: Any, says: str
) -> None:
    check = Check("is-json", schema)
    refusal = validate_check(check, workers)
    assert refusal is not None
    assert says in refusal
    assert len(refusal) < 500
    assert (await grade(check, "{}", Graders(schemas=workers))).passed is None


def test_a_schema_nested_too_deep_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(101):
        schema = {"items": schema}
    refusal = validate_check(Check("is-json", schema))
    assert refusal is not None
    assert "deeper than 100" in refusal
