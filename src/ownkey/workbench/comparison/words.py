"""The verdict of a comparison, and its words."""

from collections.abc import Sequence
from math import floor, log10

from msgspec import Struct

from ownkey.workbench.comparison.pairs import LEVEL, MEASURES, Side
from ownkey.workbench.summary import MetricComparison, Verdict

MARGIN = 0.05
"""How far quality may point the other way: a share of prompts, or of the score's range from 0 to 1."""

_SIDES = {measure.name: measure.side for measure in MEASURES}
_OPPOSITE = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}


def speaks_for(difference: float, p_adjusted: float, *, higher_is_better: bool) -> Verdict:
    """The verdict of one measure, with `difference` b − a."""
    if p_adjusted > LEVEL or difference == 0:
        return Verdict.CANNOT_TELL
    return Verdict.B if (difference > 0) == higher_is_better else Verdict.A


def side_of(metric: MetricComparison) -> Side:
    return _SIDES[metric.metric]


def overall(metrics: Sequence[MetricComparison]) -> Verdict:
    """The verdict over all measures of a pair."""
    spoken = {metric.verdict for metric in metrics} - {Verdict.CANNOT_TELL}
    if len(spoken) != 1:
        return Verdict.CANNOT_TELL
    (winner,) = spoken
    return Verdict.CANNOT_TELL if quality_against(winner, metrics) else winner


def quality_against(winner: Verdict, metrics: Sequence[MetricComparison]) -> tuple[MetricComparison, ...]:
    """What of quality points to the other by more than the margin; nothing once quality spoke for the winner."""
    quality = [metric for metric in metrics if side_of(metric) is Side.QUALITY]
    if any(metric.verdict is winner for metric in quality):
        return ()
    sign = 1 if _OPPOSITE[winner] is Verdict.B else -1
    return tuple(metric for metric in quality if sign * metric.difference > MARGIN)


_BETTER = {measure.name: measure.better for measure in MEASURES}
_OTHER = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}


class Names(Struct, frozen=True):
    """What the two are called, and the calls of each: how many there were and how many failed."""

    a: str
    b: str
    calls: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))

    def of(self, verdict: Verdict) -> str:
        return self.a if verdict is Verdict.A else self.b


def names(a: str, b: str, calls: tuple[tuple[int, int], tuple[int, int]]) -> Names:
    """Labels, told apart when they are the same."""
    return Names(f"{a} (A)", f"{b} (B)", calls) if a == b else Names(a, b, calls)


def metric_words(metric: MetricComparison, who: Names) -> str:
    """One measure in a sentence or two."""
    better = _BETTER[metric.metric]
    figures = (
        f"(difference {_amount(metric, metric.difference, signed=True)}, 95 % interval "
        f"{_amount(metric, metric.low, signed=True)} to {_amount(metric, metric.high, signed=True)}; "
        f"p = {metric.p_adjusted:.2g} after correction, {_prompts(metric.pairs)})"
    )
    values = f"{who.a} {_amount(metric, metric.a)}, {who.b} {_amount(metric, metric.b)}"
    if metric.verdict is not Verdict.CANNOT_TELL:
        return f"{who.of(metric.verdict)} {better}: {values} {figures}."
    return f"Cannot tell which {better}: {values} {figures}. {_more(metric)}"


def overall_words(metrics: Sequence[MetricComparison], who: Names) -> str:
    """The verdict over all measures, why, and what it leaves open."""
    for name, (calls, failed) in zip((who.a, who.b), who.calls, strict=True):
        if calls and calls == failed:
            return f"Nothing to compare: all {calls} calls to {name} failed. Its failures say what to do."
    if not metrics:
        return f"Nothing to compare yet: no prompt has an answer of both {who.a} and {who.b}."
    return " ".join([_verdict(metrics, who), *_left_open(metrics), *_failed(who)])


def _verdict(metrics: Sequence[MetricComparison], who: Names) -> str:
    spoken = [metric for metric in metrics if metric.verdict is not Verdict.CANNOT_TELL]
    sides = {metric.verdict for metric in spoken}
    if not spoken:
        return f"Cannot tell which is better: no difference could be shown on {_prompts(_pairs(metrics))}. " + _least(
            metrics
        )
    if len(sides) == 2:
        halves = " but ".join(f"{who.of(side)} {_reasons(spoken, side)}" for side in (Verdict.A, Verdict.B))
        return f"It depends on what you want: {halves}."
    (winner,) = sides
    if overall(metrics) is winner:
        return f"{who.of(winner)} is better: it {_reasons(spoken, winner)}."
    against = quality_against(winner, metrics)
    doubt = " and ".join(f"{who.of(_OTHER[winner])} {_BETTER[each.metric]} {_against(each)}" for each in against)
    return (
        f"Cannot tell which is better: {who.of(winner)} {_reasons(spoken, winner)}, but it looks as if {doubt}, and "
        f"{_prompts(_pairs(against))} cannot tell. {_least(against)}"
    )


def _left_open(metrics: Sequence[MetricComparison]) -> list[str]:
    quality = [metric for metric in metrics if side_of(metric) is Side.QUALITY]
    if not quality:
        return ["The answers were not graded, so this says nothing about their quality."]
    if overall(metrics) is Verdict.CANNOT_TELL or any(each.verdict is not Verdict.CANNOT_TELL for each in quality):
        return []
    return [f"No difference in quality could be shown {_against(quality[0])}. {_more(quality[0])}"]


def _failed(who: Names) -> list[str]:
    return [
        f"{failed} of {calls} calls to {name} failed; where the other's answer was graded they count as not passed."
        for name, (calls, failed) in zip((who.a, who.b), who.calls, strict=True)
        if failed
    ]


def _reasons(spoken: Sequence[MetricComparison], side: Verdict) -> str:
    reasons = [f"{_BETTER[each.metric]} {_against(each)}" for each in spoken if each.verdict is side]
    return reasons[0] if len(reasons) == 1 else f"{', '.join(reasons[:-1])} and {reasons[-1]}"


def _against(metric: MetricComparison) -> str:
    """The better of the two figures first."""
    b_first = (metric.difference > 0) == metric.higher_is_better
    first, second = (metric.b, metric.a) if b_first else (metric.a, metric.b)
    return f"({_amount(metric, first)} against {_amount(metric, second)})"


def _least(metrics: Sequence[MetricComparison]) -> str:
    """What the measure that is nearest to telling would take."""
    open_ones = [metric for metric in metrics if metric.more_pairs is not None]
    return _more(min(open_ones, key=lambda metric: metric.more_pairs or 0)) if open_ones else _more(metrics[0])


def _more(metric: MetricComparison) -> str:
    if metric.more_pairs is None:
        return "If the difference is as small as this, no number of prompts is worth running to tell."
    return f"About {_prompts(metric.more_pairs, 'more ')} would tell which {_BETTER[metric.metric]}, if it stays so."


def _pairs(metrics: Sequence[MetricComparison]) -> int:
    return max(metric.pairs for metric in metrics)


def _prompts(count: int, kind: str = "") -> str:
    return f"1 {kind}prompt" if count == 1 else f"{count:,} {kind}prompts"


def _amount(metric: MetricComparison, value: float, *, signed: bool = False) -> str:
    sign = "−" if value < 0 else "+" if signed and value > 0 else ""
    size = abs(value)
    if metric.unit == "share":
        return f"{sign}{size * 100:.0f} {'points' if signed else '%'}"
    if metric.unit == "USD":
        return f"{sign}${_dollars(size)}"
    digits = f"{size:,.0f}" if size >= 100 else f"{size:.3g}"
    return f"{sign}{digits} {metric.unit}".rstrip()


def _dollars(size: float) -> str:
    """Cents from a dollar on, three digits below, never an exponent."""
    if size == 0 or size >= 1:
        return f"{size:,.2f}"
    return f"{size:.{2 - floor(log10(size))}f}".rstrip("0")
