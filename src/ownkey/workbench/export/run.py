"""What is exported, and how a format is described."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from ownkey.workbench.records import Prompt, Result, RunPlan, RunStatus
from ownkey.workbench.summary import RunSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedRun:
    """A run with its figures and its results, which come once, page by page, as a database gives them.

    Times are Unix seconds. `detail` says why a run failed or ended early.
    """

    id: str
    plan: RunPlan
    status: RunStatus
    detail: str = ""
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    summary: RunSummary
    results: AsyncIterator[tuple[Prompt, Result]]


Export = Callable[[ExportedRun], AsyncIterator[bytes]]
"""Reads `results` to the end once and yields the file piece by piece."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: its media type, the ending of its name (`.csv`), and what writes it."""

    media_type: str
    ending: str
    export: Export
