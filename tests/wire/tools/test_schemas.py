"""Schemas of tools and answers in the dialects of providers."""

from typing import Any

import pytest

from ownkey.wire.tools.schemas import bare_references, inlined, object_at_root, without_keyword

A = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
B = {"type": "object", "properties": {"b": {"type": "integer"}, "a": {"type": "string"}}, "required": ["a", "b"]}
MERGED = {"a": {"type": "string"}, "b": {"type": "integer"}}


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({}, {"type": "object", "properties": {}}),
        ({"properties": MERGED}, {"type": "object", "properties": MERGED}),
        (
            A | {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {"type": "object", "properties": A["properties"], "required": ["a"]},
        ),
        ({"anyOf": [A, B]}, {"type": "object", "properties": MERGED, "required": ["a"]}),
        ({"oneOf": [A, {"type": "null"}]}, A),
        ({"allOf": [A, B]}, {"type": "object", "properties": MERGED, "required": ["a", "b"]}),
        ({"type": ["object", "null"], "properties": MERGED}, {"type": "object", "properties": MERGED}),
        ({"$ref": "#/$defs/A", "$defs": {"A": A}}, A | {"$defs": {"A": A}}),
        (
            {"definitions": {"A": A, "B": B}, "oneOf": [{"$ref": "#/definitions/A"}, {"$ref": "#/definitions/B"}]},
            {"type": "object", "properties": MERGED, "required": ["a"], "definitions": {"A": A, "B": B}},
        ),
        (
            {"anyOf": [{"properties": {"k": {"const": 1}}}, {"properties": {"k": {"const": 2}}}]},
            {"type": "object", "properties": {"k": {"anyOf": [{"const": 1}, {"const": 2}]}}},
        ),
        ({"anyOf": [{"anyOf": [{"allOf": [A]}]}]}, A),
        (A | {"not": {"required": ["z"]}}, A),
        (
            {"anyOf": [A | {"additionalProperties": False}], "additionalProperties": False},
            A | {"additionalProperties": False},
        ),
        ({"$ref": "#/$defs/gone"}, {"type": "object", "properties": {}}),
        ({"$ref": "#"}, {"type": "object", "properties": {}}),
        ({"$ref": "https://example.com/s"}, {"type": "object", "properties": {}}),
        ({"anyOf": "odd", "allOf": [1, None]}, {"type": "object", "properties": {}}),
        ({"type": "string"}, {"type": "string"}),
    ],
)
def test_a_root_becomes_one_object(schema: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert object_at_root(schema) == wanted


def test_an_object_without_combinators_is_the_same_object() -> None:
    assert object_at_root(A) is A
    nested = {"type": "object", "properties": {"x": {"anyOf": [A, B]}}}
    assert object_at_root(nested) is nested


BOX = {"type": "object", "properties": {"w": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        (
            {
                "properties": {"box": {"$ref": "#/$defs/Box", "description": "d", "default": None}},
                "$defs": {"Box": BOX},
            },
            {"properties": {"box": {"$ref": "#/$defs/Box"}}, "$defs": {"Box": BOX}},
        ),
        (
            {"anyOf": [{"items": {"$ref": "#/$defs/Box", "title": "t", "$comment": "c"}}], "$defs": {"Box": BOX}},
            {"anyOf": [{"items": {"$ref": "#/$defs/Box", "$comment": "c"}}], "$defs": {"Box": BOX}},
        ),
        ({"$ref": "#/$defs/Box", "title": "t", "$defs": {"Box": BOX}}, BOX | {"title": "t", "$defs": {"Box": BOX}}),
        (
            {"$schema": "s", "$ref": "#/definitions/Box", "definitions": {"Box": BOX}},
            {"$schema": "s", **BOX, "$defs": {"Box": BOX}},
        ),
        (
            {"properties": {"b": {"$ref": "#/definitions/Box"}}, "definitions": {"Box": BOX}},
            {"properties": {"b": {"$ref": "#/$defs/Box"}}, "$defs": {"Box": BOX}},
        ),
        (
            {"$defs": {"Node": {"properties": {"next": {"$ref": "#/$defs/Node", "default": None}}}}},
            {"$defs": {"Node": {"properties": {"next": {"$ref": "#/$defs/Node"}}}}},
        ),
    ],
)
def test_nothing_stands_beside_a_reference(schema: dict[str, Any], wanted: dict[str, Any]) -> None:
    before = repr(schema)
    assert bare_references(schema) == wanted
    assert repr(schema) == before, "the client's own request is not touched"


@pytest.mark.parametrize(
    "schema",
    [
        BOX,
        {"$ref": "#/$defs/Box", "$defs": {"Box": BOX}},
        {"properties": {"$ref": {"type": "string"}, "other": {"type": "string"}}},
        {"properties": {"x": {"default": {"$ref": "text", "beside": 1}, "enum": [{"$ref": "t", "b": 1}]}}},
    ],
)
def test_what_needs_no_change_is_the_same_object(schema: dict[str, Any]) -> None:
    assert bare_references(schema) is schema


def test_a_property_called_default_is_a_schema() -> None:
    schema = {"properties": {"default": {"$ref": "#/$defs/Box", "title": "t"}}, "$defs": {"Box": BOX}}
    assert bare_references(schema)["properties"] == {"default": {"$ref": "#/$defs/Box"}}


def wide(count: int) -> dict[str, Any]:
    """A schema of `count` nodes that refer to each other."""
    defs = {f"D{n}": {"anyOf": [{"$ref": f"#/$defs/D{(n + 1) % count}", "title": "t"}] * 2} for n in range(count // 3)}
    return {"$defs": defs, "anyOf": [{"$ref": f"#/$defs/D{n}"} for n in range(count // 3)]}


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"$ref": "#/$defs/Box", "title": "t"}
    for _ in range(levels):
        schema = {"properties": {"x": schema}, "allOf": [schema]} if levels < 12 else {"anyOf": [schema]}
    return schema


@pytest.mark.parametrize("schema", [wide(10_000), deep(5_000), deep(10)])
def test_large_deep_and_recursive_schemas_end(schema: dict[str, Any]) -> None:
    """Following each reference anew would take longer than anybody waits."""
    assert object_at_root(schema)["type"] == "object"
    assert bare_references(schema) is not schema


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({"properties": {"b": {"$ref": "#/$defs/Box", "title": "t"}}, "$defs": {"Box": BOX}}, BOX | {"title": "t"}),
        ({"properties": {"b": {"$ref": "#/$defs/gone", "title": "t"}}}, {"title": "t"}),
        (
            {"properties": {"b": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": {"items": {"$ref": "#/$defs/Node"}}}},
            {"items": {}},
        ),
    ],
)
def test_references_are_inlined(schema: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert inlined(schema) == {"properties": {"b": wanted}}
    assert inlined(BOX) is BOX


@pytest.mark.parametrize("schema", [wide(10_000), deep(5_000), deep(10)])
def test_inlining_ends(schema: dict[str, Any]) -> None:
    assert "$ref" not in str(inlined(schema))


def test_a_refused_keyword_goes_and_a_property_of_its_name_stays() -> None:
    name = "additionalProperties"
    schema = {
        "type": "object",
        "properties": {name: {"type": "object", name: False}},
        name: False,
        "default": {name: 1},
    }
    wanted = {"type": "object", "properties": {name: {"type": "object"}}, "default": {name: 1}}
    assert without_keyword(schema, name) == wanted
    assert without_keyword(wanted, name) is wanted
