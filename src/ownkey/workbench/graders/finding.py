"""What one check found out about one answer, and a check's value as text. Pure.

promptfoo takes a number wherever it takes a text, and a comma-separated text wherever it takes a list.
"""

from collections.abc import Iterator
from math import isfinite
from typing import Any, cast

from msgspec import Struct

from ownkey.workbench.records import Check, Observation

MAX_ANSWER = 1_000_000
"""Characters of an answer that are graded. What lies beyond is left out, and the reason of every grade says so."""

SHOWN = 80
"""Characters of a text that a reason quotes."""


class Ungradable(ValueError):
    """A check cannot decide about an answer. The text says why, for the person who reads the results."""


class BadCheck(Ungradable):
    """A check that could decide about no answer at all: its type or its value is wrong. The text says what to do."""


class Answer(Struct, frozen=True):
    """An answer to be graded: its text, cut to `MAX_ANSWER`, and the call that brought it."""

    text: str
    observation: Observation


class Finding(Struct, frozen=True):
    """`reason` states a fact about the answer, so that it stays true when `not-` turns `passed` round.

    `score` lies between 0 and 1; None stands for 1 if passed and 0 if not.
    """

    passed: bool
    reason: str
    score: float | None = None


def shown(text: str) -> str:
    """A text in quotes, on one line, cut to what a reason can carry."""
    line = " ".join(text[: SHOWN * 4].split())
    cut = len(line) > SHOWN or len(text) > SHOWN * 4
    return f"“{line[:SHOWN]}…”" if cut else f"“{line}”"


MAX_TEXTS = 200
"""Texts in one list."""

MAX_VALUE = 100_000
"""Characters of one text, and of all texts of a list together."""

_ELSEWHERE = ("file://", "package:")


def text_value(check: Check) -> str:
    """The value as one text. Raises BadCheck where it is missing, empty, too long or no text."""
    if check.value is None or check.value == "":
        raise BadCheck(f"{check.type} needs a value: the text to compare with.")
    return _text(check.value, check.type)


def texts_value(check: Check) -> tuple[str, ...]:
    """The value as texts: a list, or one text with commas between (quote a part that has commas itself)."""
    value = check.value
    if isinstance(value, str):
        value = list(_split(_text(value, check.type), check.type))
    if not isinstance(value, list | tuple) or not value:
        raise BadCheck(f"{check.type} needs a value: a list of texts, or one text with commas between them.")
    items = cast("list[Any]", value)
    if len(items) > MAX_TEXTS:
        raise BadCheck(f"{check.type} has {len(items)} texts; at most {MAX_TEXTS} are allowed.")
    if any(item is None or item == "" for item in items):
        raise BadCheck(f"{check.type} has an empty text in its list, which every answer contains. Remove it.")
    texts = tuple(_text(item, check.type) for item in items)
    if sum(map(len, texts)) > MAX_VALUE:
        raise BadCheck(f"{check.type} has a list of more than {MAX_VALUE} characters.")
    return texts


def threshold_between(check: Check, low: float, high: float | None, unit: str) -> float | None:
    """The threshold, checked to be a finite number from `low` to `high`. Raises BadCheck."""
    limit = check.threshold
    if limit is None:
        return None
    if not isfinite(limit) or limit < low or (high is not None and limit > high):
        upper = "" if high is None else f" and at most {high:g}"
        raise BadCheck(f"{check.type} has the threshold {limit:g}; it must be at least {low:g}{upper} ({unit}).")
    return limit


def _text(value: Any, name: str) -> str:
    """As JavaScript would print it, because the suites are written for it: `true`, `5` for 5.0."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if isfinite(value) and value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        raise BadCheck(f"{name} needs a text or a number as its value, not {type(value).__name__}.")
    if value.startswith(_ELSEWHERE):
        raise BadCheck(
            f"{name} takes its value from {value.split(':')[0]}:, which is never read. Write the value itself."
        )
    if len(value) > MAX_VALUE:
        raise BadCheck(f"{name} has a value of {len(value)} characters; at most {MAX_VALUE} are allowed.")
    return value


def _split(text: str, name: str) -> Iterator[str]:
    """Parts between commas, trimmed, empty ones dropped. A quoted part keeps its commas; `\\"` or `""` is a quote."""
    at = 0
    while True:
        while at < len(text) and (text[at].isspace() or text[at] == ","):
            at += 1
        if at >= len(text):
            return
        if text[at] != '"':
            end = text.find(",", at)
            end = len(text) if end < 0 else end
            yield text[at:end].strip()
            at = end
            continue
        part, at = _quoted(text, at + 1, name)
        yield part
        rest = text[at:].lstrip()
        if rest and not rest.startswith(","):
            raise BadCheck(f"{name} needs a comma after each quoted text in its value.")


def _quoted(text: str, at: int, name: str) -> tuple[str, int]:
    part: list[str] = []
    while at < len(text):
        pair = text[at : at + 2]
        if pair in ('\\"', "\\\\", '""'):
            part.append(pair[1])
            at += 2
        elif text[at] == '"':
            return "".join(part), at + 1
        else:
            part.append(text[at])
            at += 1
    raise BadCheck(f"{name} has a quoted text in its value that does not end.")
