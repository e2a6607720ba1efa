"""Reading the suite files that come with Ownkey, and the curated suites: four tasks, easy and medium, ten prompts each.

A file is TOML: the suite's own fields, then one `[[prompts]]` table for each prompt. docs/suites.md shows one. Unknown
fields are rejected, so that a misspelt check is not lost in silence.
"""

import tomllib
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.domain.errors import NotFound
from ownkey.workbench.records import Check, Message, Prompt, SuiteInfo


class SuiteFileError(ValueError):
    """A suite file cannot be used; the text names the file, the prompt and the field."""


class Suite(Struct, frozen=True):
    """A suite with its prompts."""

    info: SuiteInfo
    prompts: tuple[Prompt, ...]


class _CheckRow(Struct, frozen=True, forbid_unknown_fields=True):
    type: str
    value: Any = None
    threshold: float | None = None
    weight: float = 1.0


class _PromptRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A prompt as a file says it: texts without the white space around them."""

    id: str
    user: str
    system: str | None = None
    reference: str | None = None
    checks: list[_CheckRow] = []
    tags: list[str] = []
    max_tokens: int | None = None


class _SuiteFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    name: str
    description: str
    licence: str
    task: str | None = None
    difficulty: str | None = None
    prompts: list[dict[str, Any]]


def read_suites(folder: Traversable) -> dict[str, Suite]:
    """All suites of a folder by id, in the order of their file names. Raises SuiteFileError."""
    suites: dict[str, Suite] = {}
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        suite = read_suite(file)
        if suite.info.id in suites:
            raise SuiteFileError(f"{file.name}: id: another file holds a suite {suite.info.id!r} already")
        suites[suite.info.id] = suite
    return suites


def read_suite(file: Traversable) -> Suite:
    """One suite. Raises SuiteFileError."""
    row = _decode(file)
    prompts = tuple(_prompt(file, position, fields) for position, fields in enumerate(row.prompts, start=1))
    seen: set[str] = set()
    for prompt in prompts:
        if prompt.id in seen:
            raise SuiteFileError(f"{file.name}: prompt {prompt.id}: another prompt has this id already")
        seen.add(prompt.id)
    info = SuiteInfo(
        id=row.id,
        name=row.name,
        description=row.description,
        task=row.task,
        difficulty=row.difficulty,
        licence=row.licence,
        curated=True,
        prompts=len(prompts),
    )
    return Suite(info, prompts)


def _decode(file: Traversable) -> _SuiteFile:
    try:
        return msgspec.convert(tomllib.loads(file.read_text("utf-8")), _SuiteFile)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SuiteFileError(f"{file.name}: {error}") from error


def _prompt(file: Traversable, position: int, fields: dict[str, Any]) -> Prompt:
    where = f"{file.name}: prompt {fields.get('id', f'number {position}')}"
    try:
        row = msgspec.convert(fields, _PromptRow)
    except msgspec.ValidationError as error:
        raise SuiteFileError(f"{where}: {error}") from error
    if not row.user.strip():
        raise SuiteFileError(f"{where}: user: the message is empty")
    messages = [Message("user", row.user.strip())]
    if row.system is not None:
        messages.insert(0, Message("system", row.system.strip()))
    return Prompt(
        id=row.id,
        messages=tuple(messages),
        checks=tuple(Check(check.type, check.value, check.threshold, check.weight) for check in row.checks),
        reference=None if row.reference is None else row.reference.strip(),
        tags=tuple(row.tags),
        max_tokens=row.max_tokens,
    )


class CuratedSuites:
    """Built once by the composition root; the files are read when somebody first asks."""

    def __init__(self, folder: Traversable | None = None) -> None:
        self._folder = folder or files("ownkey.workbench.suites").joinpath("curated")

    def curated_suites(self) -> tuple[SuiteInfo, ...]:
        """All suites, without their prompts. Raises SuiteFileError."""
        return tuple(suite.info for suite in self._suites.values())

    def curated_prompts(self, suite_id: str) -> tuple[Prompt, ...]:
        """The prompts of a suite, in order. Raises NotFound, and SuiteFileError."""
        suite = self._suites.get(suite_id)
        if suite is None:
            known = ", ".join(self._suites)
            raise NotFound(f"There is no curated suite {suite_id!r}. There are: {known}.", param="suite_id")
        return suite.prompts

    @cached_property
    def _suites(self) -> dict[str, Suite]:
        return read_suites(self._folder)
