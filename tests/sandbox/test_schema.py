"""The instances made for a JSON Schema satisfy it, as an independent validator sees it."""

from contextlib import suppress
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.sandbox.schema import Unsatisfiable, minimal

KEYWORDS = (
    *("type", "properties", "required", "items", "prefixItems", "minItems", "minLength", "maxLength", "minimum"),
    *("maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "anyOf", "allOf", "$ref", "enum", "pattern"),
    *("object", "array", "string", "integer", "number", "uniqueItems", "minProperties", "format"),
)


def _nested(children: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    words = st.sampled_from(KEYWORDS)
    return st.dictionaries(words, children | words, max_size=5) | st.lists(children | words, max_size=3)


SCHEMAS: dict[str, Any] = {
    "object with required fields": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"enum": ["c", "f"]}, "note": {"type": "string"}},
        "required": ["city", "unit"],
        "additionalProperties": False,
    },
    "object that requires nothing": {"type": "object", "properties": {"a": {"type": "integer"}}},
    "nested definitions": {
        "$defs": {"point": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}},
        "type": "object",
        "properties": {"at": {"$ref": "#/$defs/point"}, "path": {"type": "array", "items": {"$ref": "#/$defs/point"}}},
        "required": ["at", "path"],
    },
    "array with minimum": {"type": "array", "items": {"type": "boolean"}, "minItems": 3},
    "array of distinct strings": {"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True},
    "array of distinct choices": {"type": "array", "items": {"enum": [3, 1, 2]}, "minItems": 2, "uniqueItems": True},
    "tuple": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 3},
    "exclusive bounds": {"type": "integer", "exclusiveMinimum": 4, "exclusiveMaximum": 6},
    "multiple": {"type": "integer", "minimum": 10, "multipleOf": 7},
    "small number": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    "negative": {"type": "number", "maximum": -3.5},
    "long string": {"type": "string", "minLength": 40, "maxLength": 50},
    "short string": {"type": "string", "maxLength": 2},
    "pattern": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "digits": {"type": "string", "pattern": r"^\d{8}$"},
    "e-mail": {"type": "string", "format": "email"},
    "date-time": {"type": "string", "format": "date-time"},
    "uuid": {"type": "string", "format": "uuid"},
    "nullable": {"type": ["string", "null"], "minLength": 1},
    "any of": {"anyOf": [{"type": "integer", "minimum": 3}, {"type": "null"}]},
    "all of": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"properties": {"b": {"const": 4}}, "required": ["b"]},
        ]
    },
    "recursive with an end": {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
                "required": ["next"],
            }
        },
        "$ref": "#/$defs/node",
    },
    "recursive and optional": {"type": "object", "properties": {"child": {"$ref": "#"}, "name": {"type": "string"}}},
    "recursive in two ways": {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}},
    "minimum of properties": {"type": "object", "minProperties": 2, "additionalProperties": {"type": "integer"}},
    "required but undescribed": {"type": "object", "required": ["x"]},
    "empty": {},
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_instance_satisfies_its_schema(name: str):
    schema = SCHEMAS[name]
    value = minimal(schema)
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), _nested, max_leaves=12))
def test_a_schema_that_is_none_raises_nothing_else(schema: object):
    with suppress(Unsatisfiable):
        minimal(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"anyOf": [{"$ref": "#"}, {"$ref": "#"}, {"$ref": "#"}]},
        {"$ref": "#/$defs/absent"},
        {"$ref": "https://example.com/schema"},
        {"type": "nonsense"},
        {"type": "string", "pattern": "^(unlikely){7}$"},
    ],
)
def test_what_cannot_be_satisfied_is_said(schema: dict[str, Any]):
    with pytest.raises(Unsatisfiable):
        minimal(schema)
