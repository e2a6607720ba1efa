"""How the tests here read a suite and look at what was refused."""

from pathlib import Path

from ownkey.workbench.suites.imports import (
    ImportedSuite,
    ImportLimits,
    ImportOptions,
    Problem,
    SuiteRejected,
    read_suite,
)

DATA = Path(__file__).parent / "data"


def suite(text: str | bytes, filename: str, options: ImportOptions | None = None, **limits: int) -> ImportedSuite:
    data = text.encode() if isinstance(text, str) else text
    return read_suite(data, filename, options or ImportOptions(), ImportLimits(**limits))


def problems(
    text: str | bytes, filename: str, options: ImportOptions | None = None, **limits: int
) -> tuple[Problem, ...]:
    """What the import is refused for; a suite that is accepted fails the test."""
    try:
        found = suite(text, filename, options, **limits)
    except SuiteRejected as rejected:
        return rejected.problems
    raise AssertionError(f"accepted: {found}")


def places(text: str | bytes, filename: str, options: ImportOptions | None = None, **limits: int) -> list[int]:
    return [problem.line for problem in problems(text, filename, options, **limits)]
