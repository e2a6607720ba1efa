"""What is wrong with a suite, and where."""

import unicodedata
from collections.abc import Sequence

from msgspec import Struct

from ownkey.domain.errors import InvalidRequest

MOST_TOLD = 50
EXCERPT = 60


class Problem(Struct, frozen=True):
    """One fault. `line` counts from 1; 0 means the file as a whole. `column` counts characters from 1, None for the
    whole line or record."""

    line: int
    column: int | None
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}: {self.message}" if self.line else self.message


class SuiteRejected(InvalidRequest):
    """The suite cannot be imported.

    `problems` holds at most `MOST_TOLD` in the order in which they were found, `more` counts the rest.
    """

    def __init__(self, problems: Sequence[Problem], more: int = 0) -> None:
        self.problems = tuple(problems[:MOST_TOLD])
        self.more = more + max(0, len(problems) - MOST_TOLD)
        others = len(self.problems) - 1 + self.more
        tail = "" if others == 0 else f" (and {others} more problem{'s' if others > 1 else ''})"
        super().__init__(f"{self.problems[0]}{tail}", param="file")


def refused(line: int, column: int | None, message: str) -> SuiteRejected:
    """An error about one place."""
    return SuiteRejected((Problem(line, column, message),))


def quoted(text: str) -> str:
    """An excerpt of the file for an error: short, on one line, with nothing a terminal would act on."""
    cut = text[:EXCERPT]
    shown = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in cut)
    return f"“{shown}…”" if len(text) > EXCERPT else f"“{shown}”"
