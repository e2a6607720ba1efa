"""What Ownkey itself adds: the same calls directly and through it, in turn, and the paired difference."""

from collections.abc import Sequence

from ownkey.cli.bench.measuring import measure, measured, now
from ownkey.cli.bench.records import SCHEMA, Bench
from ownkey.cli.bench.tasks import Tasks
from ownkey.cli.output import show_table
from ownkey.cli.workbench.tables import amount, plain
from ownkey.cli.workbench.targets import Chosen
from ownkey.workbench.engine import Ending
from ownkey.workbench.figures import Figures
from ownkey.workbench.records import RunPlan
from ownkey.workbench.summary import RunSummary

_METRICS = ("ttft_ms", "latency_ms")


def run_overhead(plan: RunPlan, direct: Chosen, through: Chosen, tasks: Tasks) -> tuple[Bench, RunSummary, Ending]:
    """Ask both, the direct one as target 0. Raises CommandFailed."""
    models: Sequence[Chosen] = (direct, through)
    figures = Figures(plan)
    ending = measure(plan, models, tasks, figures.add)
    summary = figures.summary()
    bench = Bench(
        schema=SCHEMA,
        kind="overhead",
        at=now(),
        seed=plan.seed,
        repeats=tasks.count // len(tasks.names),
        targets=measured(models),
        figures=(plain(summary),),
    )
    return bench, summary, ending


def show_overhead(summary: RunSummary) -> None:
    """Means of both ways, and the difference with its interval (BCa bootstrap over pairs)."""
    found = {metric.metric: metric for pair in summary.comparisons for metric in pair.metrics}
    rows = [
        {
            "metric": metric.metric,
            "direct": amount(metric.a, metric.unit),
            "through Ownkey": amount(metric.b, metric.unit),
            "added": amount(metric.difference, metric.unit, signed=True),
            "95 % interval": f"{amount(metric.low, metric.unit, signed=True)} to "
            f"{amount(metric.high, metric.unit, signed=True)}",
            "pairs": metric.pairs,
        }
        for metric in (found[name] for name in _METRICS if name in found)
    ]
    columns = ("metric", "direct", "through Ownkey", "added", "95 % interval", "pairs")
    show_table(rows, columns, False, "Nothing to compare: see the failures.")
    for target in summary.targets:
        for failure in target.failures:
            print(f"{target.label}: {failure.count} × {failure.kind}: {failure.example} {failure.advice}")
