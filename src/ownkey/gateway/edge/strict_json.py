"""One JSON object from bytes, strictly: RFC 8259 with the ambiguities of I-JSON (RFC 7493) refused.

A gateway reads a body once and the upstream reads it again. Two readers that disagree (duplicate
keys, lone surrogates, NaN, infinite numbers) would let a request be checked as one thing and
carried out as another, so nothing is accepted that a second parser could read differently.
"""

import json
import re
from array import array
from itertools import accumulate
from math import inf
from typing import Any, NoReturn

import msgspec

from ownkey.domain.errors import InvalidRequest

MAX_DIGITS = 400
"""Longest number, in characters. Converting integers takes time quadratic in their length."""
MAX_VALUES = 1_000_000
"""How many values and containers a body may hold: each costs up to 64 bytes of memory."""

_BLANKS = " \t\n\r"
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile(
    rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD])[c-fC-F][0-9a-fA-F]{2})"
)
_BLOCK = 1024 * 1024
_NOT_STRUCTURE = bytes(byte for byte in range(256) if byte not in b"[]{},")
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""Brackets as signed bytes: +1 opens, -1 closes."""


def read_object(body: bytes, max_depth: int = 200) -> dict[str, Any]:
    """Decode a body whose top level is an object nested at most `max_depth` containers deep.

    Raises InvalidRequest with a text for the client. Time and memory are linear in the body.
    """
    if not body:
        raise InvalidRequest("The request body is empty: send a JSON object.")
    opened = body.count(b"[") + body.count(b"{")
    if opened > max_depth or (len(body) > MAX_VALUES and opened + body.count(b",") > MAX_VALUES):
        _check_structure(body, max_depth)
    if body.find(b'": ', 0, 80) < 0 and (canonical := _canonical(body)) is not None:
        return canonical
    if _SURROGATE.search(body) is not None:
        _check_surrogates(body)
    text = _text(body)
    start = 0 if text[0] == "{" else len(text) - len(text.lstrip(_BLANKS))
    value, end = _scan(text, start)
    if end != len(text) and (rest := text[end:].lstrip(_BLANKS)):
        place = _place(text, len(text) - len(rest))
        raise InvalidRequest(f"The request body goes on after the end of its JSON value, at {place}.")
    if type(value) is not dict:
        raise InvalidRequest("The request body must be a JSON object.")
    return value  # pyright: ignore[reportUnknownVariableType] (the decoder's own type is Any)


def _canonical(body: bytes) -> dict[str, Any] | None:
    """The quick way for what SDKs send: JSON without blanks.

    Decoding keeps the last of duplicate keys and may be lenient elsewhere, but encoding writes only
    strict JSON with each key once: when that gives the same bytes back, they were strict. None
    means nothing more than that the careful way has to decide.
    """
    try:
        value = _QUICK_DECODER.decode(body)
        if type(value) is dict and _QUICK_ENCODER.encode(value) == body:
            return value  # pyright: ignore[reportUnknownVariableType] (as in read_object)
    except (msgspec.MsgspecError, UnicodeError, OverflowError, RecursionError):
        pass
    return None


def _text(body: bytes) -> str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as failure:
        raise InvalidRequest(f"The request body is not valid UTF-8, at byte {failure.start}.") from None
    if text[0] == "\ufeff":
        raise InvalidRequest("The request body starts with a byte order mark: send UTF-8 without one.")
    return text


def _scan(text: str, start: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as failure:
        reason = failure.msg.removesuffix(" at")
        raise InvalidRequest(f"The request body is not valid JSON: {reason} at {_place(text, failure.pos)}.") from None


def _place(text: str, position: int) -> str:
    line = text.count("\n", 0, position) + 1
    return f"line {line} column {position - text.rfind(chr(10), 0, position)}"


def _check_structure(body: bytes, max_depth: int) -> None:
    """Measure nesting and size outside strings, before a decoder recurses or allocates.

    On bodies that are not JSON the figures mean little, and the decoder refuses those anyway.
    """
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if plain.count(b'"') > 4 * MAX_VALUES:
        # Two quotes a string, a key and a value each: before so many pieces are cut out.
        raise _too_many_values()
    skeleton = _outside_strings(plain).translate(None, _NOT_STRUCTURE)
    if len(skeleton) - skeleton.count(b"]") - skeleton.count(b"}") > MAX_VALUES:
        raise _too_many_values()
    steps = array("b", skeleton.translate(_STEPS, b","))
    if max(accumulate(steps), default=0) > max_depth:
        raise InvalidRequest(f"The request body is nested more than {max_depth} levels deep.")


def _outside_strings(plain: bytes) -> bytes:
    """What stands between the strings of a text without escaped quotes, block by block to bound memory."""
    outside: list[bytes] = []
    inside = 0
    for start in range(0, len(plain), _BLOCK):
        pieces = plain[start : start + _BLOCK].split(b'"')
        outside.append(b"".join(pieces[inside::2]))
        inside ^= (len(pieces) - 1) & 1
    return b"".join(outside)


def _too_many_values() -> InvalidRequest:
    return InvalidRequest(f"The request body holds more than {MAX_VALUES:,} JSON values.")


def _check_surrogates(body: bytes) -> None:
    # With escaped backslashes out of the way, every remaining backslash starts an escape.
    match = _LONE_SURROGATE.search(body.replace(b"\\\\", b"__"))
    if match is not None:
        raise InvalidRequest(f"The request body holds half of a surrogate pair, at byte {match.start()}.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                name = key if len(key) <= 80 else key[:80] + "…"
                raise InvalidRequest(f"The key {json.dumps(name)} appears twice in one JSON object.", param=name)
            seen.add(key)
    return members


def _float(text: str) -> float:
    value = float(text) if len(text) <= MAX_DIGITS else inf
    if value in {inf, -inf}:
        _refuse_number(text)
    return value


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        _refuse_number(text)
    return int(text)


def _refuse_number(text: str) -> NoReturn:
    shown = text if len(text) <= 24 else text[:24] + "…"
    raise InvalidRequest(f"The number {shown} is too large or too long.")


def _constant(text: str) -> NoReturn:
    raise InvalidRequest(f"{text} is not a JSON value.")


_QUICK_DECODER = msgspec.json.Decoder()
_QUICK_ENCODER = msgspec.json.Encoder()
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_float, parse_int=_int, parse_constant=_constant)
