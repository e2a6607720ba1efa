"""What is exported, what each request came to, the verdict in words, and how a format is described."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ownkey.workbench.records import Grade, Prompt, Result, RunPlan, RunStatus
from ownkey.workbench.summary import RunSummary, TargetSummary


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


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    """Answered, and a check was not satisfied."""
    UNGRADED = "ungraded"
    """Answered, and no check could decide."""
    ERROR = "error"
    """No answer."""


def outcome(result: Result) -> Outcome:
    if not result.observation.ok:
        return Outcome.ERROR
    if result.passed is None:
        return Outcome.UNGRADED
    return Outcome.PASSED if result.passed else Outcome.FAILED


def failed_checks(result: Result) -> tuple[Grade, ...]:
    return tuple(grade for grade in result.grades if grade.passed is False)


def label_of(plan: RunPlan, result: Result) -> str:
    return plan.targets[result.slot.target].label


def sentences(plan: RunPlan, summary: RunSummary) -> Iterator[str]:
    """A sentence for each comparison; where nothing was compared, one for each target."""
    if summary.comparisons:
        for pair in summary.comparisons:
            yield pair.words or f"{plan.targets[pair.a].label} and {plan.targets[pair.b].label}: {pair.verdict}"
        return
    for target in summary.targets:
        yield _alone(target)


def _alone(target: TargetSummary) -> str:
    said = f"{target.label} answered {target.success.count} of {target.success.total} requests"
    if target.passed is not None:
        said += f", and {target.passed.count} of {target.passed.total} graded answers passed"
    latency = target.metrics.get("latency_ms")
    if latency is not None:
        said += f"; half of the answers were there within {latency.p50:.0f} ms"
    if target.cost_usd is not None:
        said += f"; it cost ${target.cost_usd}"
    return f"{said}."


_BLOCK_BYTES = 64 * 1024


async def in_blocks(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces of at least 64 KiB, but for the last."""
    block = bytearray()
    async for piece in pieces:
        block += piece
        if len(block) >= _BLOCK_BYTES:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)
