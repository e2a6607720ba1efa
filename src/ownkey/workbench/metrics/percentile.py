"""Percentiles and spreads.

The percentile is Hyndman and Fan's type 7 (numpy's default): linear interpolation between the two nearest order
statistics, at position q·(n−1) counted from 0.
"""

from collections.abc import Sequence
from math import fsum, sqrt

from ownkey.workbench.summary import Spread

NEEDED = {"p95": 59, "p99": 299}
"""From how many values on the largest exceeds the percentile with 95 % assurance: 1 − q^n ≥ 0.95."""


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the ascending, non-empty `ordered` lies."""
    position = share * (len(ordered) - 1)
    below = int(position)
    if below == len(ordered) - 1:
        return ordered[below]
    return ordered[below] + (ordered[below + 1] - ordered[below]) * (position - below)


def spread(unit: str, values: Sequence[float]) -> Spread:
    """The spread of values in any order. Raises ValueError for none."""
    if not values:
        raise ValueError("a spread needs at least one value")
    ordered = sorted(values)
    count = len(ordered)
    # fsum is exact, so that the order in which results came changes no figure.
    average = fsum(ordered) / count
    deviation = sqrt(fsum((value - average) ** 2 for value in ordered) / (count - 1)) if count > 1 else None
    return Spread(
        unit=unit,
        count=count,
        avg=average,
        min=ordered[0],
        max=ordered[-1],
        p50=percentile(ordered, 0.5),
        p95=percentile(ordered, 0.95),
        p99=percentile(ordered, 0.99),
        std=deviation,
        cautions=cautioned(count),
    )


def cautioned(count: int) -> tuple[str, ...]:
    """The percentiles that `count` values cannot carry."""
    return tuple(name for name, needed in NEEDED.items() if count < needed)
