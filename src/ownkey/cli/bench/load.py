"""Open-loop load: calls begin by a schedule, whatever comes back, and latencies count from when they were due.

A closed loop waits for a slow answer before it asks again, so that the very calls that would have met the slow time
are not made: coordinated omission. Here they are made, and waiting for a free call of ours counts, too.
"""

from collections.abc import Sequence

from ownkey.cli.bench.measuring import measure, measured, now
from ownkey.cli.bench.records import SCHEMA, Bench, Skipped
from ownkey.cli.bench.tasks import Tasks
from ownkey.cli.output import show_table
from ownkey.cli.workbench.tables import amount, plain, tell
from ownkey.cli.workbench.targets import Chosen
from ownkey.workbench.engine import Ending
from ownkey.workbench.figures import Figures
from ownkey.workbench.records import RunPlan
from ownkey.workbench.summary import RunSummary


def run_load(
    plans: Sequence[RunPlan], models: Sequence[Chosen], tasks: Tasks, skipped: Sequence[Skipped]
) -> tuple[Bench, list[RunSummary], Ending]:
    """Load each model alone, one after the other, by its plan of one target. Raises CommandFailed."""
    summaries: list[RunSummary] = []
    ending = Ending.FINISHED
    for plan, model in zip(plans, models, strict=True):
        tell(f"{model.target.label}: {plan.prompts} calls, {plan.arrival} at {plan.rate:g}/s")
        figures = Figures(plan)
        ending = measure(plan, [model], tasks, figures.add)
        summaries.append(figures.summary())
        if ending is not Ending.FINISHED:
            break
    first = plans[0]
    bench = Bench(
        schema=SCHEMA,
        kind="load",
        at=now(),
        seed=first.seed,
        repeats=1,
        targets=measured(models),
        skipped=tuple(skipped),
        load={"arrival": first.arrival.value, "rate": first.rate, "calls": first.prompts, "most": first.concurrency},
        figures=tuple(plain(summary) for summary in summaries),
    )
    return bench, summaries, ending


def show_load(summaries: Sequence[RunSummary]) -> None:
    """Latencies from when calls were due, and how late they were sent."""
    rows = [_row(summary) for summary in summaries]
    columns = ("model", "answered", "answers/s", "p50", "p95", "p99", "TTFT p50", "TTFT p99", "sent late p99")
    show_table(rows, columns, False, "No results.")
    for summary in summaries:
        print(f"{summary.targets[0].label}: {summary.load}")
        for failure in summary.targets[0].failures:
            print(f"{failure.count} × {failure.kind}: {failure.example} {failure.advice}")
        for caution in summary.cautions:
            print(f"Note: {caution}")


def _row(summary: RunSummary) -> dict[str, str | None]:
    target = summary.targets[0]

    def shown(metric: str, point: str) -> str | None:
        spread = target.metrics.get(metric)
        return None if spread is None else amount(getattr(spread, point), spread.unit)

    return {
        "model": target.label,
        "answered": f"{target.success.count}/{target.success.total}",
        "answers/s": None if target.requests_per_second is None else f"{target.requests_per_second:.2f}",
        "p50": shown("latency_ms", "p50"),
        "p95": shown("latency_ms", "p95"),
        "p99": shown("latency_ms", "p99"),
        "TTFT p50": shown("ttft_ms", "p50"),
        "TTFT p99": shown("ttft_ms", "p99"),
        "sent late p99": shown("late_ms", "p99"),
    }
