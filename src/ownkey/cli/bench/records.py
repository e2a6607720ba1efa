"""A benchmark's results as they are written to `benchmark_results_<UTC time>.json`. Times are in the unit their name
says; tokens are the server's own count unless `estimated`."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.cli.failures import CommandFailed
from ownkey.cli.output import show_table
from ownkey.cli.workbench.report import tell, write_whole

SCHEMA = "ownkey.bench/1"


class Measured(Struct, frozen=True):
    """A model that was tested."""

    label: str
    provider: str
    model: str
    base_url: str


class Skipped(Struct, frozen=True):
    """A model that was not tested, and why."""

    label: str
    reason: str


class Answer(Struct, frozen=True, omit_defaults=True):
    """One call. `target` is an index into `targets`; `failure` says why there is no answer."""

    target: int
    repetition: int
    seconds: float | None = None
    ttft_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    estimated: bool = False
    cost_usd: str | None = None
    passed: bool | None = None
    failure: str | None = None
    preview: str = ""


class Work(Struct, frozen=True):
    """One workload with its answers; `group` is its complexity or its work size."""

    name: str
    group: str
    answers: tuple[Answer, ...]


class Average(Struct, frozen=True):
    """Means over a provider's answers; None where none has the figure."""

    provider: str
    calls: int
    answered: int
    seconds: float | None
    ttft_ms: float | None
    output_tokens: float | None
    tokens_per_second: float | None
    cost_usd: float | None


class Bench(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A whole benchmark. `kind` is matrix, load or overhead; `at` is ISO 8601 in UTC; `figures` are the workbench's
    summaries (docs/metrics.md), one for all targets, or one a target under load."""

    schema: str
    kind: str
    at: str
    seed: int
    repeats: int
    targets: tuple[Measured, ...]
    skipped: tuple[Skipped, ...] = ()
    work: tuple[Work, ...] = ()
    averages: tuple[Average, ...] = ()
    load: dict[str, Any] = {}
    figures: tuple[dict[str, Any], ...] = ()


_PATTERN = "benchmark_results_*.json"
_BARS = "▁▂▃▄▅▆▇█"
_SHOWN = 20
"""Points of a sparkline: the latest."""


class Trend(Struct, frozen=True):
    """Median seconds of one model at one complexity or size, oldest first; `change` is the last against the one
    before, as a share."""

    target: str
    work: str
    at: tuple[str, ...]
    seconds: tuple[float, ...]
    change: float | None


def write_bench(bench: Bench, folder: Path) -> Path:
    """Write results as `benchmark_results_<UTC time>.json`, beside what is there. Raises CommandFailed."""
    stamp = bench.at.replace("-", "").replace(":", "")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandFailed(f"{folder} cannot be created:  {error.strerror}") from None
    path, number = folder / f"benchmark_results_{stamp}.json", 2
    while path.exists():
        path, number = folder / f"benchmark_results_{stamp}-{number}.json", number + 1
    write_whole(path, [msgspec.json.format(msgspec.json.encode(bench)), b"\n"])
    return path


def read_history(folder: Path) -> list[Bench]:
    """All results in a folder, oldest first. Other files are named and skipped. Raises CommandFailed."""
    if not folder.is_dir():
        raise CommandFailed(f"there is no folder {folder}: run a benchmark with --history {folder} first")
    found: list[Bench] = []
    for path in sorted(folder.glob(_PATTERN)):
        try:
            bench = msgspec.json.decode(path.read_bytes(), type=Bench)
        except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
            tell(f"Passed over {path}: {error}")
            continue
        if bench.schema == SCHEMA:
            found.append(bench)
        else:
            tell(f"Passed over {path}: its schema is {bench.schema[:40]!r}, not {SCHEMA}")
    return sorted(found, key=lambda bench: bench.at)


def trends(history: Iterable[Bench]) -> list[Trend]:
    """How each model did at each complexity and size, over time."""
    points: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for bench in history:
        times: dict[tuple[str, str], list[float]] = defaultdict(list)
        for work in bench.work:
            for answer in work.answers:
                if answer.seconds is not None and answer.target < len(bench.targets):
                    times[bench.targets[answer.target].label, work.group].append(answer.seconds)
        for key, seconds in times.items():
            points[key].append((bench.at, median(seconds)))
    return [_trend(*key, series) for key, series in sorted(points.items())]


def show_trends(found: Sequence[Trend]) -> None:
    """One line per model and complexity, with a sparkline whose tallest bar is the slowest time."""
    rows = [_row(trend) for trend in found]
    columns = ("target", "work", "runs", "first", "last", "change", "trend")
    show_table(rows, columns, False, "No results yet.")


def sparkline(values: Sequence[float]) -> str:
    """Bars from the least to the greatest value; level where all are the same."""
    low, high = min(values), max(values)
    if high == low:
        return _BARS[3] * len(values)
    return "".join(_BARS[round((value - low) / (high - low) * (len(_BARS) - 1))] for value in values)


def _trend(target: str, work: str, series: Sequence[tuple[str, float]]) -> Trend:
    seconds = tuple(value for _, value in series)
    change = seconds[-1] / seconds[-2] - 1 if len(seconds) > 1 and seconds[-2] > 0 else None
    return Trend(target, work, tuple(at for at, _ in series), seconds, change)


def _row(trend: Trend) -> dict[str, Any]:
    return {
        "target": trend.target,
        "work": trend.work,
        "runs": len(trend.seconds),
        "first": f"{trend.seconds[0]:.3f} s",
        "last": f"{trend.seconds[-1]:.3f} s",
        "change": None if trend.change is None else f"{trend.change:+.0%}",
        "trend": sparkline(trend.seconds[-_SHOWN:]),
    }
