"""The end of a run: figures for people, files in other formats, the exit code."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ownkey.cli.failures import CommandFailed, WrongUsage
from ownkey.cli.output import show, show_table
from ownkey.cli.workbench.options import RUN_FOLDER
from ownkey.cli.workbench.run_files import RunFile
from ownkey.workbench.engine import Ending, RunEnd
from ownkey.workbench.export import FORMATS, ExportedRun
from ownkey.workbench.records import RunPlan, Slot
from ownkey.workbench.summary import MetricComparison, PairComparison, Rate, RunSummary, TargetSummary

Json = dict[str, Any]
_COLUMNS = ("model", "answered", "passed", "p50", "p95", "TTFT p50", "tokens/s", "cost", "per passed")


def show_summary(plan: RunPlan, summary: RunSummary) -> None:
    """The figures of each model, what failed and what to do about it, and what the figures cannot carry."""
    show_table([_row(target) for target in summary.targets], _COLUMNS, False, "")
    for target in summary.targets:
        for failure in target.failures:
            label = f"{target.label}: " if len(plan.targets) > 1 else ""
            print(f"{label}{failure.count} × {failure.kind}: {failure.example} {failure.advice}")
        if target.good is not None:
            print(f"{target.label}: {_rate(target.good)} met the objectives, {target.goodput_per_second or 0:.2f}/s")
        if target.cold_start and target.warm_ups:
            cold = ", ".join(f"{name} {value:,.0f}" for name, value in target.cold_start.items())
            print(f"{target.label}: cold start {cold}")
    if summary.spent is not None:
        print(summary.spent.words)
    if summary.load:
        print(summary.load)
    for caution in summary.cautions:
        print(f"Note: {caution}")


def show_comparison(plan: RunPlan, pair: PairComparison) -> None:
    """The verdict in words, then each metric with its interval."""
    a, b = plan.targets[pair.a].label, plan.targets[pair.b].label
    print(f"\n{pair.words}")
    rows = [_compared(metric) for metric in pair.metrics]
    columns = ("metric", "A", "B", "difference", "95 % interval", "p", "better", "more prompts")
    print(f"A is {a}, B is {b}; the difference is B − A, p is corrected for all tests (Holm).")
    show_table(rows, columns, False, "Nothing to compare.")
    costs = pair.cost_per_passed_usd
    if any(costs):
        told = " against ".join("unknown" if cost is None else f"${cost}" for cost in costs)
        print(f"Cost per passed answer: {told}")
    if pair.preference is not None:
        said = pair.preference
        print(
            f"Judge {said.judge}: prefers A {said.a_wins} times, B {said.b_wins} times, {said.ties} ties; "
            f"it contradicted itself in {said.flip_rate:.0%} of pairs when the order was turned (flip rate)"
        )


def plain(value: Any) -> Any:
    """A record as JSON prints it."""
    return msgspec.to_builtins(value)


def tell(text: str) -> None:
    """Print a line on standard error, so that standard output contains only the result."""
    print(text, file=sys.stderr, flush=True)


def _row(target: TargetSummary) -> Json:
    latency, ttft, speed = (target.metrics.get(name) for name in ("latency_ms", "ttft_ms", "tokens_per_second"))
    return {
        "model": target.label,
        "answered": _rate(target.success),
        "passed": None if target.passed is None else _rate(target.passed),
        "p50": None if latency is None else f"{latency.p50:,.0f} ms",
        "p95": None if latency is None else f"{latency.p95:,.0f} ms",
        "TTFT p50": None if ttft is None else f"{ttft.p50:,.0f} ms",
        "tokens/s": None if speed is None else f"{speed.p50:,.1f}",
        "cost": None if target.cost_usd is None else f"${target.cost_usd}",
        "per passed": None if target.cost_per_passed_usd is None else f"${target.cost_per_passed_usd}",
    }


def _rate(rate: Rate) -> str:
    return f"{rate.count}/{rate.total} ({rate.low:.0%} to {rate.high:.0%})"


def _compared(metric: MetricComparison) -> Json:
    return {
        "metric": metric.metric,
        "A": amount(metric.a, metric.unit),
        "B": amount(metric.b, metric.unit),
        "difference": amount(metric.difference, metric.unit, signed=True),
        "95 % interval": f"{amount(metric.low, metric.unit, signed=True)} to "
        f"{amount(metric.high, metric.unit, signed=True)}",
        "p": f"{metric.p_adjusted:.2g}",
        "better": {"a": "A", "b": "B"}.get(metric.verdict.value, "cannot tell"),
        "more prompts": None if metric.more_pairs is None else f"{metric.more_pairs:,}",
    }


def amount(value: float, unit: str, *, signed: bool = False) -> str:
    """A figure with its unit, at a precision that can be read."""
    sign = "+" if signed else ""
    if unit == "share":
        return f"{value * 100:{sign}.1f} %"
    if unit == "USD":
        return f"{value:{sign}.3g} USD"
    digits = ",.0f" if abs(value) >= 100 else ".3g"
    return f"{value:{sign}{digits}} {unit}".strip()


def format_of(path: Path) -> str:
    """The format's name by a file's ending. Raises WrongUsage."""
    for name, kind in FORMATS.items():
        if path.suffix.lower() == kind.ending:
            return name
    endings = ", ".join(kind.ending for kind in FORMATS.values())
    raise WrongUsage(f"{path} has none of the endings {endings}")


def check_outputs(paths: Sequence[Path]) -> None:
    """Raise WrongUsage before a run rather than after it, for files that could not be written."""
    for path in paths:
        format_of(path)
        if not path.absolute().parent.is_dir():
            raise WrongUsage(f"{path} cannot be written: there is no folder {path.parent}")


def export_to(path: Path, run: ExportedRun, format_: str) -> None:
    """Write a run to a file, which is whole or not there. Raises CommandFailed."""
    write_whole(path, pieces(run, format_))


def pieces(run: ExportedRun, format_: str) -> Iterable[bytes]:
    """The file of a run, piece by piece."""
    stream = FORMATS[format_].export(run)
    with asyncio.Runner() as loop:
        while True:
            piece = loop.run(_next(stream))
            if piece is None:
                return
            yield piece


def write_whole(path: Path, data: Iterable[bytes]) -> None:
    """Replace a file in one step. Raises CommandFailed."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            file.writelines(data)
        draft.replace(path)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


async def _next(stream: AsyncIterator[bytes]) -> bytes | None:
    return await anext(stream, None)


SUCCESS, ERROR, CHECK_FAILED = 0, 1, 100


class Counts:
    """The outcome of each call of a run: its answer, or its latest failure."""

    def __init__(self, file: RunFile) -> None:
        verdicts: dict[Slot, bool | None] = {}
        unanswered: set[Slot] = set()
        for result in file.results():
            if result.warm_up:
                continue
            if result.observation.ok:
                verdicts[result.slot] = result.passed
                unanswered.discard(result.slot)
            elif result.slot not in verdicts:
                unanswered.add(result.slot)
        self.answered = len(verdicts)
        self.passed = sum(verdict is True for verdict in verdicts.values())
        self.failed = sum(verdict is False for verdict in verdicts.values())
        self.unanswered = len(unanswered)
        self.unanswered_with_checks = sum(bool(file.prompts[slot.position].checks) for slot in unanswered)
        self.missing = file.plan.total - self.answered - self.unanswered

    @property
    def pass_rate(self) -> float | None:
        """Passed of all that should have passed: prompts with checks that were not answered did not pass. None where
        nothing was graded."""
        graded = self.passed + self.failed + self.unanswered_with_checks
        return None if graded == 0 else self.passed / graded


def write_outputs(file: RunFile, summary: RunSummary, outputs: Sequence[Path]) -> None:
    """The run in other formats. Raises CommandFailed."""
    for path in outputs:
        export_to(path, file.exported(summary), format_of(path))
        tell(f"Wrote {path}")


def report(file: RunFile, ended: RunEnd, *, as_json: bool, counts: Counts, code: int) -> None:
    """Print the figures, and how to continue a run that is not complete."""
    plan, summary = file.plan, ended.summary
    end = file.end
    if as_json:
        told = {
            "id": file.header.id,
            "status": None if end is None else end.status.value,
            "detail": "" if end is None else end.detail,
            "file": str(file.path),
            "exit_code": code,
            "pass_rate": counts.pass_rate,
            "remaining": counts.missing,
            "summary": plain(summary),
        }
        show(told, True, "")
    else:
        show_summary(plan, summary)
        for pair in summary.comparisons:
            show_comparison(plan, pair)
        print(f"Results: {file.path}")
    if end is not None and end.detail:
        tell(end.detail)
    if counts.missing:
        tell(f"{counts.missing} of {plan.total} calls are left: ownkey workbench run --resume {_named(file)}")
    elif counts.unanswered:
        tell(f"To retry the failed calls: ownkey workbench run --resume {_named(file)} --retry-failed")


def exit_code(ended: RunEnd, counts: Counts, fail_under: float | None) -> int:
    """1 for a run that is not complete or has no answer, 100 when checks failed beyond what is allowed.

    Without `fail_under` a single failed check is enough, and a prompt without an answer is an error.
    """
    if ended.ending is not Ending.FINISHED or not counts.answered:
        return ERROR
    if fail_under is not None:
        rate = counts.pass_rate
        if rate is None:
            tell(
                "Nothing was graded, so that --fail-under cannot be met: the prompts have no checks that could decide."
            )
            return CHECK_FAILED
        if rate < fail_under:
            tell(f"The pass rate {rate:.1%} is below --fail-under {fail_under:.1%}.")
            return CHECK_FAILED
        return SUCCESS
    if counts.failed:
        tell(f"{counts.failed} answers failed a check.")
        return CHECK_FAILED
    return ERROR if counts.unanswered else SUCCESS


def _named(file: RunFile) -> str:
    """The id where the run is in the usual folder, else the path."""
    return file.header.id if file.path.parent == RUN_FOLDER else str(file.path)
