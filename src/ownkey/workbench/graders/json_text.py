"""JSON in answers, read within bounds. Pure.

Strict JSON (RFC 8259): no NaN, no comments, no trailing commas. Depth is bounded by `MAX_DEPTH`, so that whatever
walks a value afterwards may recurse, and the search for JSON inside text by `MAX_SEARCH`.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, cast

from ownkey.workbench.graders.finding import Ungradable

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
