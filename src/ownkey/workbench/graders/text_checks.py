"""Checks on an answer's text, in time linear in the length of the answer. Pure.

Case is ignored by Unicode case folding (`ß` equals `ss`). Texts are compared code point by code point otherwise:
`é` in one code point and in two are different, as in promptfoo.

`regex` uses RE2, which has no look-around and no back-references; a pattern with them is rejected when the suite is
read. A match costs the size of the compiled pattern times the length of the answer, which `MAX_WORK` bounds (about two
seconds on one core, with the interpreter's lock released meanwhile).
"""

from collections.abc import Callable
from typing import Any, cast

from msgspec import Struct

from ownkey.workbench.graders.finding import Answer, BadCheck, Finding, Ungradable, shown, text_value
from ownkey.workbench.graders.schema import MAX_DEPTH, NotJson, depth_of, read_json, same_json
from ownkey.workbench.records import Check


def _as_is(text: str) -> str:
    return text


class Expected(Struct, frozen=True):
    """What `equals` compares with: a text, or a JSON value if `is_json`."""

    value: Any
    is_json: bool


def read_expected(check: Check) -> Expected:
    """An object or a list is compared as JSON, anything else as text. Raises BadCheck."""
    value: object = check.value
    if isinstance(value, dict | list):
        if depth_of(check.value) > MAX_DEPTH:
            raise BadCheck(f"{check.type} has a value nested deeper than {MAX_DEPTH} levels.")
        return Expected(check.value, is_json=True)
    return Expected(text_value(check), is_json=False)


def equals(expected: Expected, answer: Answer) -> Finding:
    """Exactly the text, spaces and line ends included; or JSON of the same value, whatever its layout."""
    if not expected.is_json:
        same = answer.text == expected.value
        return Finding(same, f"the answer is {'' if same else 'not '}exactly {shown(expected.value)}")
    try:
        value = read_json(answer.text)
    except NotJson:
        return Finding(False, "the answer is not JSON")
    same = same_json(value, expected.value)
    return Finding(same, f"the answer is JSON of {'the expected' if same else 'another'} value")


def contains(part: str, answer: Answer) -> Finding:
    return _one(part, answer.text, _as_is)


def icontains(part: str, answer: Answer) -> Finding:
    return _one(part, answer.text, str.casefold)


def contains_all(parts: tuple[str, ...], answer: Answer) -> Finding:
    return _all(parts, answer.text, _as_is)


def icontains_all(parts: tuple[str, ...], answer: Answer) -> Finding:
    return _all(parts, answer.text, str.casefold)


def contains_any(parts: tuple[str, ...], answer: Answer) -> Finding:
    return _any(parts, answer.text, _as_is)


def icontains_any(parts: tuple[str, ...], answer: Answer) -> Finding:
    return _any(parts, answer.text, str.casefold)


def starts_with(part: str, answer: Answer) -> Finding:
    """At the very first character: leading space counts."""
    found = answer.text.startswith(part)
    return Finding(found, f"the answer {'starts' if found else 'does not start'} with {shown(part)}")


def _one(part: str, text: str, fold: Callable[[str], str]) -> Finding:
    found = fold(part) in fold(text)
    return Finding(found, f"the answer {'contains' if found else 'does not contain'} {shown(part)}")


def _all(parts: tuple[str, ...], text: str, fold: Callable[[str], str]) -> Finding:
    folded = fold(text)
    missing = [part for part in parts if fold(part) not in folded]
    if missing:
        return Finding(False, f"the answer lacks {len(missing)} of {len(parts)} texts, the first {shown(missing[0])}")
    return Finding(True, f"the answer contains all of {len(parts)} texts")


def _any(parts: tuple[str, ...], text: str, fold: Callable[[str], str]) -> Finding:
    folded = fold(text)
    found = next((part for part in parts if fold(part) in folded), None)
    if found is None:
        return Finding(False, f"the answer contains none of {len(parts)} texts")
    return Finding(True, f"the answer contains {shown(found)}")


class Words(Struct, frozen=True):
    """How many words there may be; None is no limit on that side."""

    least: int | None
    most: int | None


def read_words(check: Check) -> Words:
    """A number for exactly that many, or `{min, max}` with one or both. Raises BadCheck."""
    value = check.value
    if isinstance(value, dict):
        limits = cast("dict[str, Any]", value)
        if set(limits) - {"min", "max"} or not limits:
            raise BadCheck(f"{check.type} takes a number of words, or `min` and `max`.")
        least, most = (None if limits.get(side) is None else _count(limits[side], check) for side in ("min", "max"))
        if least is None and most is None:
            raise BadCheck(f"{check.type} needs `min`, `max` or both.")
        if least is not None and most is not None and least > most:
            raise BadCheck(f"{check.type} has min {least} above max {most}, which no answer can meet.")
        return Words(least, most)
    exact = _count(value, check)
    return Words(exact, exact)


def word_count(words: Words, answer: Answer) -> Finding:
    """Words are what lies between white space."""
    count = len(answer.text.split())
    met = (words.least is None or count >= words.least) and (words.most is None or count <= words.most)
    return Finding(met, f"the answer has {count} word{'' if count == 1 else 's'}; {_limits(words)}")


def _limits(words: Words) -> str:
    if words.least == words.most:
        return f"{words.least} are asked for"
    sides = (("at least", words.least), ("at most", words.most))
    return " and ".join(f"{side} {limit}" for side, limit in sides if limit is not None) + " are asked for"


def _count(value: Any, check: Check) -> int:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise BadCheck(f"{check.type} takes a number of words, or `min` and `max`.")
    if value != int(value):
        raise BadCheck(f"{check.type} takes a whole number of words, not {value}.")
    return int(value)


MAX_PATTERN = 2000
"""Characters of a pattern."""

MAX_WORK = 500_000_000
"""RE2 instructions times bytes of the answer."""

_MEMORY = 1 << 20
"""Bytes for one compiled pattern and its states."""


def read_pattern(check: Check) -> Any:
    """The compiled pattern. Raises BadCheck with RE2's own words."""
    import re2

    engine: Any = re2
    pattern = check.value
    if not isinstance(pattern, str) or not pattern:
        raise BadCheck(f"{check.type} needs a value: the pattern, as a text.")
    if pattern.startswith("file://"):
        raise BadCheck(f"{check.type} takes its value from a file, which is never read. Write the pattern itself.")
    if len(pattern) > MAX_PATTERN:
        raise BadCheck(f"{check.type} has a pattern of {len(pattern)} characters; at most {MAX_PATTERN} are allowed.")
    options = engine.Options()
    options.log_errors, options.never_capture, options.max_mem = False, True, _MEMORY
    try:
        return engine.compile(pattern.encode("utf-8", "replace"), options=options)
    except engine.error as error:
        said: Any = error.args[0]
        why = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise BadCheck(
            f"{check.type} has a pattern that RE2 does not take: {why[:200]}. "
            "Look-around and back-references have no linear-time form; say it without them."
        ) from error


def regex(pattern: Any, answer: Answer) -> Finding:
    """Found anywhere in the answer; anchor the pattern with `^` and `$` for the whole."""
    data = answer.text.encode("utf-8", "replace")
    if pattern.programsize * len(data) > MAX_WORK:
        raise Ungradable(f"the pattern is too large for an answer of {len(data)} bytes; make it simpler")
    found = pattern.search(data) is not None
    source: str = pattern.pattern.decode("utf-8")
    return Finding(found, f"the answer {'matches' if found else 'does not match'} {shown(source)}")
