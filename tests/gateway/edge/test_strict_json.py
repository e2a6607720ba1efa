"""Strict JSON: everything that is valid and unambiguous, and nothing else."""

import json
import math
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ownkey.domain.errors import InvalidRequest
from ownkey.gateway.edge.strict_json import MAX_DIGITS, MAX_VALUES, read_object

REFUSED = {
    b"": "empty",
    b"  \n": "Expecting value",
    b"[]": "must be a JSON object",
    b'"a"': "must be a JSON object",
    b"1": "must be a JSON object",
    b"null": "must be a JSON object",
    b"\xef\xbb\xbf{}": "byte order mark",
    '{"a":1}'.encode("utf-16"): "UTF-8",
    '{"a":1}'.encode("utf-16-le"): "not valid JSON",
    b'{"a":"\xff"}': "UTF-8, at byte 6",
    b'{"a":"\xc0\xaf"}': "UTF-8",
    b'{"a":"\xed\xa0\x80"}': "UTF-8",
    b'{"a":"\xf4\x90\x80\x80"}': "UTF-8",
    b'{"\xff":1}': "UTF-8",
    b'{"a":1,"a":1}': 'key "a" appears twice',
    b'{"a":1,"\\u0061":1}': 'key "a" appears twice',
    b'{"x":[{"y":{"b":1,"c":2,"b":3}}]}': 'key "b" appears twice',
    b'{"a": 1, "a": 1}': 'key "a" appears twice',
    b'{"a":NaN}': "NaN is not a JSON value",
    b'{"a":Infinity}': "Infinity is not",
    b'{"a":-Infinity}': "-Infinity is not",
    b'{"a":nan}': "Expecting value",
    b'{"a":1e400}': "too large",
    b'{"a":-1e400}': "too large",
    b'{"a":' + b"1" * 5000 + b"}": "too large or too long",
    b'{"a":0.' + b"1" * 5000 + b"}": "too large or too long",
    b'{"a":"\\ud800"}': "surrogate",
    b'{"a":"\\udc00"}': "surrogate",
    b'{"a":"\\udc00\\ud800"}': "surrogate",
    b'{"a":"\\ud800\\ud800\\udc00"}': "surrogate",
    b'{"a":"\\ud800\\udc00\\udc00"}': "surrogate",
    b'{"a":"\\ud800x\\udc00"}': "surrogate",
    b'{"a":"\\ud800\\\\udc00"}': "surrogate",
    b'{"a":"\\\\\\ud800"}': "surrogate",
    b'{"\\uD9ab":1}': "surrogate",
    b'{"a":1}x': "goes on after the end of its JSON value, at line 1 column 8",
    b'{"a":1}\n\n {"a":1}': "line 3 column 2",
    b'{"a":1}\x00': "goes on",
    b'{"a":1,}': "line 1 column",
    b'{"a":[1,]}': "Expecting value",
    b"{'a':1}": "Expecting property name",
    b"{a:1}": "Expecting property name",
    b'{"a":01}': "delimiter",
    b'{"a":+1}': "Expecting value",
    b'{"a":.5}': "Expecting value",
    b'{"a":1.}': "delimiter",
    b'{"a":1e}': "delimiter",
    b'{"a":0x1}': "delimiter",
    b'{"a":1_0}': "delimiter",
    b'{"a":"\n"}': "control character",
    b'{"a":"\x00"}': "control character",
    b'{"a":"\\x"}': "escape",
    b'{"a":"\\u12"}': "escape",
    b'{"a":"': "Unterminated string",
    b'{"a":"\\': "Unterminated string",
    b'{"a":tru': "Expecting value",
    b'{"a":True}': "Expecting value",
    b"{": "Expecting property name",
    b'{"a":1}/**/': "goes on",
    b'// x\n{"a":1}': "Expecting value",
    b'\x0b{"a":1}': "Expecting value",
    '\u00a0{"a":1}'.encode(): "Expecting value",
    '{"a":\u0661}'.encode(): "Expecting value",
}

ACCEPTED = [
    b"{}",
    b' \t\r\n{ "a" : [ ] , "b" : { } } \n',
    b'{"a":"\\ud83d\\ude00 \\uD83D\\uDE00"}',
    b'{"a":"\\\\ud800"}',
    b'{"a":"\\\\\\\\ud800 \\"\\\\udc00"}',
    '{"a":"\U0001f600 \u4e2d \u2028 \x7f"}'.encode(),
    b'{"a":[1,-0,0.5,1e5,1E-5,-1.5e+10,1e-400,12345678901234567890123456789]}',
    b'{"a":' + b"9" * MAX_DIGITS + b"}",
    b'{"":1}',
    b'{"a":{"a":{"a":1}},"b":{"a":2}}',
    b'{"a":"[[[[{{{{ \\" [[[["}',
    b'{"a":true,"b":false,"c":null,"d":"\\/\\b\\f\\n\\r\\t\\u0000"}',
]


def same(left: Any, right: Any) -> bool:
    """Equality that tells 1 from 1.0 and from True, and -0.0 from 0.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float):
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    return left == right


@pytest.mark.parametrize(("body", "text"), REFUSED.items(), ids=repr)
def test_refused_with_a_reason(body: bytes, text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_object(body)
    assert text in caught.value.public
    assert len(caught.value.public) < 200


@pytest.mark.parametrize("body", ACCEPTED, ids=repr)
def test_accepted_with_the_standard_meaning(body: bytes) -> None:
    # A leading blank takes the careful way, which the quick one must agree with.
    assert same(read_object(body), json.loads(body))
    assert same(read_object(b" " + body), json.loads(body))


def test_a_long_duplicate_key_is_named_in_part() -> None:
    key = "k" * 10_000
    with pytest.raises(InvalidRequest) as caught:
        read_object(json.dumps({"a": 1}).encode()[:-1] + f', "{key}": 1, "{key}": 2}}'.encode())
    assert caught.value.param == "k" * 80 + "…"
    assert len(caught.value.public) < 200


@pytest.mark.parametrize("opened", ['{"a":', "["])
@pytest.mark.parametrize("blank", ["", " "])
def test_depth_is_counted_to_the_level(opened: str, blank: str) -> None:
    closed = "}" if opened == '{"a":' else "]"

    def nested(depth: int) -> bytes:
        return f'{{"x":{blank}{(opened + blank) * (depth - 1)}1{closed * (depth - 1)}}}'.encode()

    assert read_object(nested(200)) == json.loads(nested(200))
    with pytest.raises(InvalidRequest, match="more than 200 levels"):
        read_object(nested(201))
    assert read_object(nested(5), max_depth=5)
    with pytest.raises(InvalidRequest, match="more than 4 levels"):
        read_object(nested(5), max_depth=4)


def test_many_brackets_side_by_side_or_in_text_are_not_depth() -> None:
    for value in ([[]] * 5000, [{"a": [1]}] * 5000, "[{" * 5000, '"[' * 5000, "\\[" * 5000):
        for separators in ((",", ":"), (", ", ": ")):
            assert read_object(json.dumps({"a": value}, separators=separators).encode()) == {"a": value}


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"[" * 30_000_000,
        b'{"a":' + b"[{}," * 2_500_000,
        b'{"a": "' + b'\\"[' * 3_000_000,
        b'{"a": "' + b"\\\\" * 5_000_000 + b'\\ud800"}',
        b'{"a": ["' + b'","' * 4_000_000 + b'"]}',
        b'{"a": [0' + b",0" * MAX_VALUES + b"]}",
        b'{"a": 1}' + b"\n" * 10_000_000 + b"x",
        b'{"a": ' + b"1" * 10_000_000 + b"}",
        b'{"a": 1' + b"e1" * 5_000_000,
    ],
    ids=range(11),
)
def test_hostile_bodies_are_refused_in_linear_time(body: bytes) -> None:
    began = time.process_time()
    with pytest.raises(InvalidRequest):
        read_object(body)
    # Quadratic work on 10 MB would take hours; the margin is for busy machines.
    assert time.process_time() - began < 5


def test_a_large_honest_body_is_read() -> None:
    value = {
        "messages": [{"role": "user", "content": 'text with "quotes", [brackets] and \u00fcml\u00e4uts ' * 100_000}]
    }
    for ensure_ascii in (True, False):
        assert read_object(json.dumps(value, ensure_ascii=ensure_ascii).encode()) == value


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), values, max_size=5),
    st.booleans(),
    st.sampled_from([None, 0, 2]),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", "\n: \r")]),
)
def test_every_object_is_read_as_the_standard_decoder_reads_it(
    value: dict[str, Any], ensure_ascii: bool, indent: int | None, separators: tuple[str, str]
) -> None:
    body = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators).encode()
    assert same(read_object(body), value)


def strictly(body: bytes) -> Any:
    """The same rules written plainly, on the standard decoder, slow and obvious."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for key, value in pairs:
            key.encode()
            if key in members:
                raise ValueError(key)
            members[key] = value
        return members

    def finite(text: str) -> float:
        number = float(text)
        if math.isinf(number):
            raise ValueError(text)
        return number

    def refuse(text: str) -> float:
        raise ValueError(text)

    value = json.loads(body.decode(), object_pairs_hook=unique, parse_float=finite, parse_constant=refuse)
    json.dumps(value, ensure_ascii=False).encode()
    if type(value) is not dict:
        raise ValueError("no object")
    return value


pieces = st.sampled_from(
    [
        *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b" ", b"\n", b"a", b"b"),
        *(b"0", b"1", b"-", b".", b"e", b"E9", b"1e309", b"-0", b"0.10"),
        *(b'"a":', b'"b":', b'"a"', b'"b"', b"true", b"null", b"NaN", b"Infinity", b"\\u0061"),
        *(b"\\ud83d", b"\\uDE00", b"\\\\", b"\\/", b"\xf0\x9f\x98\x80", b"\xff", b"\xef\xbb\xbf", b"\x00", b"\x7f"),
    ]
)
joined = st.lists(pieces, max_size=10).map(b"".join)


@given(joined | joined.map(lambda inner: b'{"a":%b}' % inner) | joined.map(lambda inner: b'{"a":"%b"}' % inner))
@example(b'{"a":"\\ud83d\\ude00"}')
@example(b'{"a":1.0,"b":-0.0}')
@example(b'{"a":-0}')
@example(b'{"a":18446744073709551616}')
def test_exactly_the_strict_bodies_are_accepted(body: bytes) -> None:
    try:
        expected = strictly(body)
    except ValueError:
        with pytest.raises(InvalidRequest):
            read_object(body)
    else:
        assert same(read_object(body), expected)
