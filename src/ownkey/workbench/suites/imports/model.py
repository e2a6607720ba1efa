"""What an import takes and returns, and problems with their lines."""

import unicodedata
from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.workbench.records import Prompt


class SuiteFormat(StrEnum):
    """The formats of `docs/imports.md`."""

    PROMPTFOO_YAML = "promptfoo-yaml"
    """A configuration with prompts and tests, or a list of tests."""
    PROMPTFOO_JSON = "promptfoo-json"
    """The same, written as JSON."""
    PROMPTFOO_JSONL = "promptfoo-jsonl"
    """One test a line."""
    PROMPTFOO_CSV = "promptfoo-csv"
    """One test a row: variables by column name, and columns such as `__expected`."""
    OPENAI_EVALS = "openai-evals"
    """Samples with `input` and `ideal`, as JSON lines or a JSON array."""
    CSV = "csv"
    TSV = "tsv"
    JSONL = "jsonl"
    JSON = "json"


class Comparison(StrEnum):
    """How an answer is compared with a plain expected text."""

    EQUALS = "equals"
    CONTAINS = "contains"
    ICONTAINS = "icontains"
    STARTS_WITH = "starts-with"


class Mapping(Struct, frozen=True, kw_only=True):
    """Which column or field holds what, for the plain formats; None is guessed from the usual names."""

    prompt: str | None = None
    system: str | None = None
    id: str | None = None
    reference: str | None = None
    expected: str | None = None
    tags: str | None = None


class ImportOptions(Struct, frozen=True, kw_only=True):
    """What the user may say about the file.

    `template` is the prompt for promptfoo's tests that come without one, with `{{variable}}` in it. `comparison`
    applies to plain expected texts and to `ideal`; None is the format's own.
    """

    format: SuiteFormat | None = None
    mapping: Mapping = Mapping()
    template: str | None = None
    comparison: Comparison | None = None
    name: str | None = None


class ImportLimits(Struct, frozen=True, kw_only=True):
    """What is refused for size.

    `max_checks` bounds the checks of one prompt, `max_characters` the text of all prompts and checks after variables
    are put in, `max_nodes` the values of a YAML or JSON document after its aliases are expanded, `max_depth` how deep
    lists and objects may stand in each other.
    """

    max_bytes: int = 10_000_000
    max_prompts: int = 10_000
    max_prompt_characters: int = 500_000
    max_columns: int = 200
    max_checks: int = 50
    max_characters: int = 50_000_000
    max_nodes: int = 300_000
    max_depth: int = 64


class ImportedSuite(Struct, frozen=True, kw_only=True):
    """A suite read without a fault. `notes` say what was understood or left out, in sentences for the user."""

    name: str
    description: str
    prompts: tuple[Prompt, ...]
    format: SuiteFormat
    notes: tuple[str, ...] = ()


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
