"""The run's verdict in words."""

from collections.abc import Iterator

from ownkey.workbench.records import RunPlan
from ownkey.workbench.summary import RunSummary, TargetSummary


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
