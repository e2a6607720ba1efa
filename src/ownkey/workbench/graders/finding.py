"""What one check found out about one answer. Pure."""

from msgspec import Struct

from ownkey.workbench.records import Observation

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
