"""The table of check types, and the gate that every check passes before it is stored or run."""

from collections.abc import Callable
from math import isfinite
from typing import Any

from msgspec import Struct

from ownkey.workbench.graders import json_checks, measures, patterns, texts
from ownkey.workbench.graders.finding import Answer, BadCheck, Finding
from ownkey.workbench.graders.judge import read_rubric
from ownkey.workbench.graders.schema import read_schema
from ownkey.workbench.graders.similar import read_similar
from ownkey.workbench.graders.values import text_value, texts_value
from ownkey.workbench.records import Check


class Kind(Struct, frozen=True):
    """A check type. `read` makes what `find` needs of a check and raises BadCheck; `find` is None where a model grades.

    `costly` says that reading or finding may take more than a few milliseconds even for a short answer.
    """

    sentence: str
    read: Callable[[Check], Any]
    find: Callable[[Any, Answer], Finding] | None
    costly: bool = False


KINDS: dict[str, Kind] = {
    "equals": Kind(
        "The answer is exactly the value; an object or a list is compared as JSON.", texts.read_expected, texts.equals
    ),
    "contains": Kind("The value occurs in the answer.", text_value, texts.contains),
    "icontains": Kind("The value occurs in the answer, upper and lower case alike.", text_value, texts.icontains),
    "contains-all": Kind("Every text of the list occurs in the answer.", texts_value, texts.contains_all),
    "contains-any": Kind("At least one text of the list occurs in the answer.", texts_value, texts.contains_any),
    "icontains-all": Kind("As contains-all, upper and lower case alike.", texts_value, texts.icontains_all),
    "icontains-any": Kind("As contains-any, upper and lower case alike.", texts_value, texts.icontains_any),
    "starts-with": Kind("The answer begins with the value.", text_value, texts.starts_with),
    "regex": Kind(
        "The pattern (RE2) matches somewhere in the answer.", patterns.read_pattern, patterns.regex, costly=True
    ),
    "is-json": Kind(
        "The whole answer is JSON, and satisfies the schema if there is one.",
        read_schema,
        json_checks.is_json,
        costly=True,
    ),
    "contains-json": Kind(
        "The answer contains JSON, and some of it satisfies the schema if there is one.",
        read_schema,
        json_checks.contains_json,
        costly=True,
    ),
    "word-count": Kind("The answer has so many words, or between min and max.", texts.read_words, texts.word_count),
    "latency": Kind("The answer took at most so many milliseconds.", measures.read_limit_ms, measures.latency),
    "cost": Kind("The answer cost at most so many USD.", measures.read_limit_usd, measures.cost),
    "llm-rubric": Kind("A judge model finds that the answer meets the rubric.", read_rubric, None),
    "similar": Kind("The answer is near in meaning to the value, by embeddings.", read_similar, None),
}

CHECK_TYPES: dict[str, str] = {name: kind.sentence for name, kind in KINDS.items()}
"""Every check type with what passes. Each also exists with `not-` before it."""

_RUN_CODE = ("javascript", "python", "ruby", "webhook", "fn", "eval")


def split_type(name: str) -> tuple[str, bool]:
    """The type without `not-`, and whether it had that."""
    return name.removeprefix("not-"), name.startswith("not-")


def validate_check(check: Check) -> str | None:
    """Why a check cannot be used, or None. For imports, which refuse it, and for runs, which leave it ungraded."""
    try:
        read_check(check)
    except BadCheck as error:
        return str(error)
    return None


def read_check(check: Check) -> tuple[Kind, Any]:
    """The type of a check, and its value made ready. Raises BadCheck."""
    name, _ = split_type(check.type)
    kind = kind_of(check)
    if not isfinite(check.weight) or check.weight < 0:
        raise BadCheck(f"{name} has the weight {check.weight:g}; it must be 0 or more.")
    return kind, kind.read(check)


def kind_of(check: Check) -> Kind:
    """The row of a check's type. Raises BadCheck for one that is unknown or would run code."""
    name, _ = split_type(check.type)
    if name in _RUN_CODE:
        raise BadCheck(
            f"{name} checks run code or call addresses that a suite brings, which Ownkey never does. "
            "Say it with regex, is-json with a schema, or llm-rubric."
        )
    kind = KINDS.get(name)
    if kind is None:
        raise BadCheck(
            f"{check.type[:80]!r} is not a check type here. There are: {', '.join(KINDS)}; each also with not-."
        )
    return kind
