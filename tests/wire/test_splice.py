"""Bodies that pass through change only in the fields they must."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ownkey.domain.errors import InvalidRequest
from ownkey.wire import splice

BODY = b'{ "model" : "a/b",\n "x": [1.50, 1e3, 12345678901234567890123, "\\u00e9\xc3\xa9"], "temperature": 1 }'


def test_a_body_without_changes_is_the_same_object() -> None:
    parsed = json.loads(BODY)
    assert splice(BODY, parsed, {}) is BODY
    assert splice(BODY, parsed, {"model": "a/b"}) is BODY


def test_other_values_keep_their_bytes() -> None:
    changed = splice(BODY, json.loads(BODY), {"model": "b", "stream_options": {"include_usage": True}})
    assert changed == (
        b'{"model":"b","x":[1.50, 1e3, 12345678901234567890123, "\\u00e9\xc3\xa9"],"temperature":1,'
        b'"stream_options":{"include_usage":true}}'
    )


def test_a_number_of_another_type_is_a_change() -> None:
    assert b'"temperature":1.0' in splice(BODY, json.loads(BODY), {"temperature": 1.0})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(st.characters(codec="utf-8")), JSON), st.text(st.characters(codec="utf-8")))
def test_only_the_named_field_differs(parsed: dict[str, object], model: str) -> None:
    body = json.dumps(parsed).encode()
    assert msgspec.json.decode(splice(body, parsed, {"model": model})) == {**parsed, "model": model}


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"a":"\xff' + b'"', b'{"a":' + b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        splice(body, {}, {"model": "b"})


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="surrogate"):
        splice(b"{}", {}, {"model": "\ud800"})
