"""Times between chunks: there can be thousands in one answer, so a run's memory for them is bounded.

Up to `EXACT` gaps are kept as they are. Above, they are counted in buckets whose bounds grow by 1 %, as DDSketch does
(Masson, Rim and Lee, VLDB 2019): percentiles are then within 0.5 % of an order statistic; count, average, minimum,
maximum and deviation stay exact to the nanosecond. The figures depend on the gaps alone, not on their order.
"""

from array import array
from collections import Counter
from collections.abc import Iterable
from math import ceil, log, sqrt

from ownkey.workbench.metrics.percentile import cautioned, spread
from ownkey.workbench.summary import Spread

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
