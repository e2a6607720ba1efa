"""Percentiles, intervals of shares, and the gaps between chunks."""

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil, fsum, log, sqrt

from ownkey.workbench.summary import Rate, Spread

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


Z = 1.959963984540054
"""The 97.5 % point of the normal distribution: intervals are at 95 %."""


def wilson(count: int, total: int) -> Rate:
    """`count` of `total` with its interval; of none, nothing is known: the interval is 0 to 1.

    Raises ValueError when `count` is no part of `total`.
    """
    if not 0 <= count <= total:
        raise ValueError(f"{count} is no part of {total}")
    if total == 0:
        return Rate(count=0, total=0, rate=0.0, low=0.0, high=1.0)
    share = count / total
    square = Z * Z
    centre = (share + square / (2 * total)) / (1 + square / total)
    half = Z * sqrt(share * (1 - share) / total + square / (4 * total * total)) / (1 + square / total)
    # At the ends the bound is the share itself; rounding would leave it a hair off.
    low = 0.0 if count == 0 else centre - half
    high = 1.0 if count == total else centre + half
    return Rate(count=count, total=total, rate=share, low=low, high=high)


EXACT = 65_536
_GROWTH = 1.01
_LOG_GROWTH = log(_GROWTH)
_SMALLEST_MS = 1e-6
_NS_PER_MS = 1_000_000


class Gaps:
    """Gaps in milliseconds."""

    def __init__(self, exact: int = EXACT) -> None:
        self._exact = exact
        self._values: array[float] = array("d")
        self._buckets: Counter[int] = Counter()
        self._zeros = 0
        self._count = 0
        # Sums in whole nanoseconds: integers add up exactly in any order.
        self._sum = 0
        self._squares = 0
        self._min = float("inf")
        self._max = 0.0

    def extend(self, gaps: Iterable[float]) -> None:
        """Count the gaps of one answer."""
        for gap in gaps:
            self._count += 1
            nanoseconds = round(gap * _NS_PER_MS)
            self._sum += nanoseconds
            self._squares += nanoseconds * nanoseconds
            self._min = min(self._min, gap)
            self._max = max(self._max, gap)
            if self._count <= self._exact:
                self._values.append(gap)
            else:
                self._spill()
                self._bucket(gap)

    def merge(self, other: "Gaps") -> None:
        """Take the other's gaps in."""
        self._count += other._count
        self._sum += other._sum
        self._squares += other._squares
        self._min = min(self._min, other._min)
        self._max = max(self._max, other._max)
        self._values.extend(other._values)
        self._buckets.update(other._buckets)
        self._zeros += other._zeros
        if self._count > self._exact:
            self._spill()

    def spread(self) -> Spread | None:
        """The spread in milliseconds; None without gaps."""
        if not self._count:
            return None
        if len(self._values) == self._count:
            return spread("ms", self._values)
        n = self._count
        variance = (n * self._squares - self._sum * self._sum) / (n * (n - 1))
        return Spread(
            unit="ms",
            count=n,
            avg=self._sum / n / _NS_PER_MS,
            min=self._min,
            max=self._max,
            p50=self._percentile(0.5),
            p95=self._percentile(0.95),
            p99=self._percentile(0.99),
            std=sqrt(variance) / _NS_PER_MS,
            cautions=cautioned(n),
        )

    def _spill(self) -> None:
        for value in self._values:
            self._bucket(value)
        del self._values[:]

    def _bucket(self, gap: float) -> None:
        if gap < _SMALLEST_MS:
            self._zeros += 1
        else:
            self._buckets[ceil(log(gap) / _LOG_GROWTH)] += 1

    def _percentile(self, share: float) -> float:
        rank = share * (self._count - 1)
        seen = self._zeros
        if seen > rank:
            return self._min
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen > rank:
                middle = 2 * _GROWTH**bucket / (1 + _GROWTH)
                return min(max(middle, self._min), self._max)
        return self._max
