"""Reading the suite files that come with Ownkey.

A file is TOML: the suite's own fields, then one `[[prompts]]` table a prompt. docs/suites.md shows one. Unknown fields
are refused, so that a misspelt check cannot be lost in silence.
"""

import tomllib
from importlib.resources.abc import Traversable
from typing import Any

import msgspec
from msgspec import Struct

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
