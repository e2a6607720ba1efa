"""The checks that need no judge, in the plainest code: what the suites' own tests read them by."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import re2

from ownkey.workbench.records import Check

JUDGED = frozenset({"llm-rubric", "similar"})


def _regex(answer: str, value: Any) -> bool:
    options: Any = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return re2.compile(value, options=options).search(answer) is not None


def _words(answer: str, value: Any) -> bool:
    count = len(answer.split())
    if isinstance(value, int):
        return count == value
    return value.get("min", 0) <= count <= value.get("max", count)


def _json_in(answer: str, schema: Any) -> bool:
    decoder = json.JSONDecoder()
    for start, character in enumerate(answer):
        if character in "{[":
            try:
                found, _ = decoder.raw_decode(answer, start)
            except json.JSONDecodeError:
                continue
            if schema is None or jsonschema_rs.is_valid(schema, found):
                return True
    return False


def _is_json(answer: str, schema: Any) -> bool:
    try:
        found = json.loads(answer)
    except json.JSONDecodeError:
        return False
    return schema is None or jsonschema_rs.is_valid(schema, found)


TYPES: dict[str, Callable[[str, Any], bool]] = {
    "equals": lambda answer, value: answer == value,
    "contains": lambda answer, value: value in answer,
    "icontains": lambda answer, value: value.lower() in answer.lower(),
    "contains-all": lambda answer, value: all(part in answer for part in value),
    "contains-any": lambda answer, value: any(part in answer for part in value),
    "icontains-all": lambda answer, value: all(part.lower() in answer.lower() for part in value),
    "icontains-any": lambda answer, value: any(part.lower() in answer.lower() for part in value),
    "starts-with": lambda answer, value: answer.startswith(value),
    "regex": _regex,
    "word-count": _words,
    "contains-json": _json_in,
    "is-json": _is_json,
}


def holds(check: Check, answer: str) -> bool:
    """Whether the answer satisfies a check that needs no judge. KeyError for a type that there is not."""
    positive = check.type.removeprefix("not-")
    return TYPES[positive](answer, check.value) != check.type.startswith("not-")


def decidable(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    """The checks that need no judge."""
    return tuple(check for check in checks if check.type.removeprefix("not-") not in JUDGED)


def unmet(checks: tuple[Check, ...], answer: str) -> list[str]:
    """The checks that the answer fails, in words."""
    return [f"{check.type} {check.value!r}" for check in decidable(checks) if not holds(check, answer)]
