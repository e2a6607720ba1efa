"""What a judge model answered, read with tolerance for form and none for meaning. Pure.

The verdict is the JSON object with the words asked for, wherever it stands: alone, in a code fence, after thoughts.
Where several objects say different things it is none, and an object that stands in an answer under test is none either:
a judge that quotes the verdict an answer wrote for itself must not lend it its voice.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from math import isfinite
from typing import Any, TypeVar, cast

from msgspec import Struct

from ownkey.workbench.graders.finding import Ungradable
from ownkey.workbench.graders.json_text import located

MAX_REASON = 500
"""Characters of a judge's reason that are kept."""

MAX_READ = 50_000
"""Characters of a text that are searched for verdicts, from its end."""

_YES = {"true", "yes", "pass", "passed"}
_NO = {"false", "no", "fail", "failed"}


class Opinion(Struct, frozen=True):
    """A judge's verdict by a rubric; `score` from 0 to 1."""

    passed: bool
    score: float
    reason: str


class Better(StrEnum):
    FIRST = "first"
    SECOND = "second"
    TIE = "tie"


T = TypeVar("T")


def read_opinion(text: str, answers: Sequence[str]) -> Opinion | None:
    """The verdict by a rubric, or None where there is none or several that differ. Without a score it is 1 or 0.

    `answers` are the texts under test.
    """
    return _agreed(text, answers, _opinion, lambda opinion: (opinion.passed, opinion.score))


def read_better(text: str, answers: Sequence[str]) -> Better | None:
    """Which answer was called better, or None where that cannot be told."""
    return _agreed(text, answers, _better, lambda better: better)


def _agreed(
    text: str,
    answers: Sequence[str],
    read: Callable[[dict[str, Any]], T | None],
    meaning: Callable[[T], object],
) -> T | None:
    try:
        verdicts = [
            (verdict, "".join(written.split()))
            for value, written in located(text[-MAX_READ:])
            if (verdict := read(cast("dict[str, Any]", value))) is not None
        ]
    except Ungradable:
        return None
    # Answers are searched as texts and not as JSON: no answer can be so built that this fails.
    spaceless = ["".join(answer.split()) for answer in answers] if verdicts else []
    own = [verdict for verdict, written in verdicts if not any(written in answer for answer in spaceless)]
    return own[-1] if len({meaning(verdict) for verdict in own}) == 1 else None


def _opinion(value: dict[str, Any]) -> Opinion | None:
    passed = _truth(value.get("pass"))
    score = value.get("score", 1.0 if passed else 0.0)
    if passed is None or isinstance(score, bool) or not isinstance(score, int | float):
        return None
    if not isfinite(score) or not 0 <= score <= 1:
        return None
    reason = value.get("reason")
    return Opinion(passed, float(score), " ".join(reason.split())[:MAX_REASON] if isinstance(reason, str) else "")


def _better(value: dict[str, Any]) -> Better | None:
    better = value.get("better")
    word = better.strip().lower() if isinstance(better, str) else ""
    return Better(word) if word in set(Better) else None


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    return True if word in _YES else False if word in _NO else None
