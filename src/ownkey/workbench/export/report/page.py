"""The report as a whole: the verdict in words first, the evidence below it.

Every text goes through Jinja2's autoescape; the answers, names and errors in a run are written by strangers.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ownkey.workbench.export.report.charts import (
    WIDTH,
    Bar,
    Distribution,
    Drawing,
    Pair,
    Share,
    bars,
    distributions,
    pairs,
    series,
    shares,
)
from ownkey.workbench.export.report.collected import Collected, collect
from ownkey.workbench.export.report.numbers import dollars, duration, figure, number, percent, signed
from ownkey.workbench.export.run import ExportedRun, in_blocks, outcome, sentences
from ownkey.workbench.export.writing import public_url, utc
from ownkey.workbench.summary import SCHEMA, Definition, PairComparison, Rate, RunSummary, Spread, TargetSummary

if TYPE_CHECKING:
    from jinja2 import Environment

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SHOWN_PROMPTS = 30


def export_html(run: ExportedRun) -> AsyncIterator[bytes]:
    """The report as one HTML document in UTF-8. Renders some hundred kilobytes on the calling thread."""
    return in_blocks(_pieces(run))


def _title(name: str) -> str:
    return name.removesuffix("_ms").removesuffix("_usd").replace("_", " ")


_GLOBALS: dict[str, Any] = {
    "chart_width": WIDTH,
    "figure": figure,
    "outcome": outcome,
    "public_url": public_url,
    "schema": SCHEMA,
    "signed": signed,
    "title": _title,
}


@cache
def environment() -> "Environment":
    """The compiled templates. Cached: they are constant, and Jinja2 is loaded when the first report is written."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("ownkey.workbench.export.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(dollars=dollars, duration=duration, number=number, percent=percent, series=series)
    made.globals.update(_GLOBALS)
    return made


async def _pieces(run: ExportedRun) -> AsyncIterator[bytes]:
    collected = await collect(run.results, len(run.plan.targets))
    for piece in environment().get_template("report.html").generate(_values(run, collected)):
        yield piece.encode("utf-8", "replace")


def _values(run: ExportedRun, collected: Collected) -> dict[str, Any]:
    definitions = {definition.name: definition for definition in run.summary.definitions}
    return {
        "run": run,
        "plan": run.plan,
        "summary": run.summary,
        "begun": utc(run.created_at if run.started_at is None else run.started_at),
        "sentences": list(sentences(run.plan, run.summary)),
        "charts": _charts(run.summary, collected),
        "compared": [(pair, *_latencies(pair, collected)) for pair in run.summary.comparisons],
        "definitions": definitions,
        "metrics": [_in_order(target.metrics, definitions) for target in run.summary.targets],
        "prompts": _by_prompt(collected),
        "kept": len(collected.answers),
        "left_out": collected.left_out,
    }


def _printable(value: Any) -> Any:
    """Replaces what HTML cannot contain with U+FFFD; what a macro returned went through here already."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return _CONTROL.sub("\ufffd", value.replace("\r\n", "\n"))


def _charts(summary: RunSummary, collected: Collected) -> list[tuple[str, str, Drawing]]:
    drawn = (
        (
            "Latency",
            "From sending to the last content. Full line p50, dashed line p95 († too few values to support it).",
            distributions(_distributions(summary, collected, "latency_ms"), "Latency"),
        ),
        (
            "Time to first token",
            "From sending to the first content or reasoning; streamed answers only.",
            distributions(_distributions(summary, collected, "ttft_ms"), "Time to first token"),
        ),
        (
            "Success",
            "The line is where the true share lies with 95 % certainty (Wilson interval).",
            shares([Share(target.target, target.label, list(_rates(target))) for target in summary.targets]),
        ),
        ("Cost", "Tokens × price, all requests of the run.", bars(list(_costs(summary)), "Cost")),
    )
    return [(title, words, drawing) for title, words, drawing in drawn if drawing is not None]


def _distributions(summary: RunSummary, collected: Collected, metric: str) -> list[Distribution]:
    rows: list[Distribution] = []
    for target in summary.targets:
        if (spread := target.metrics.get(metric)) is not None:
            points = collected.points[target.target]
            values = points.latency if metric == "latency_ms" else points.ttft
            unsure = "p95" in spread.cautions
            rows.append(Distribution(target.target, target.label, values, spread.p50, spread.p95, unsure))
    return rows


def _rates(target: TargetSummary) -> Iterator[tuple[str, Rate]]:
    yield "answered", target.success
    yield "at first try", target.first_attempt
    if target.passed is not None:
        yield "passed", target.passed
    if target.good is not None:
        yield "met objectives", target.good


def _costs(summary: RunSummary) -> Iterator[Bar]:
    for target in summary.targets:
        if target.cost_usd is not None:
            note = f"without {target.unpriced} unpriced" if target.unpriced else ""
            yield Bar(target.target, target.label, float(target.cost_usd), note)


def _latencies(pair: PairComparison, collected: Collected) -> tuple[str, Drawing | None]:
    """Both models' latencies on the same prompts, with a caption."""
    first, second = collected.points[pair.a], collected.points[pair.b]
    rows = [
        Pair(prompt_id, first.mean_of(prompt_id), second.mean_of(prompt_id))
        for prompt_id in first.by_prompt
        if prompt_id in second.by_prompt
    ]
    words = "Latency by prompt, the mean of its repetitions."
    if len(rows) > _SHOWN_PROMPTS:
        words += f" The {_SHOWN_PROMPTS} of {len(rows)} prompts with the largest difference."
        rows = sorted(rows, key=lambda row: -abs(row.a - row.b))[:_SHOWN_PROMPTS]
    return words, pairs(rows, pair.a, pair.b)


def _in_order(metrics: dict[str, Spread], definitions: Mapping[str, Definition]) -> list[tuple[str, Spread]]:
    known = [name for name in definitions if name in metrics]
    return [(name, metrics[name]) for name in (*known, *(name for name in metrics if name not in definitions))]


def _by_prompt(collected: Collected) -> list[list[Any]]:
    """The kept prompts and results, one list for each position in the suite."""
    return [list(group) for _, group in groupby(collected.answers, key=lambda pair: pair[1].slot.position)]
