"""Figures of a run for people."""

import sys
from typing import Any

import msgspec

from ownkey.cli.output import show_table
from ownkey.workbench.records import RunPlan
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
    """A line beside the figures: on standard error, so that standard output stays what was asked for."""
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
