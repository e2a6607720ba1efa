"""Which of two is better.

A measure speaks for one of them when its corrected p-value is within the level. Measures belong to three sides:
quality, speed and cost. Better over all is who is better on one side at least and worse on none. A trade-off is told
in words and is no verdict. Quality comes first: a gain in speed or cost alone makes no winner while quality points the
other way by more than five points, shown or not.

When two models are alike in everything, a verdict needs one measure at least that speaks falsely, and Holm's
correction bounds the chance of that by the level.
"""

from collections.abc import Sequence

from ownkey.workbench.comparison.measures import LEVEL, MEASURES, Side
from ownkey.workbench.summary import MetricComparison, Verdict

MARGIN = 0.05
"""How far quality may point the other way: a share of prompts, or of the score's range from 0 to 1."""

_SIDES = {measure.name: measure.side for measure in MEASURES}
_OTHER = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}


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
    sign = 1 if _OTHER[winner] is Verdict.B else -1
    return tuple(metric for metric in quality if sign * metric.difference > MARGIN)
