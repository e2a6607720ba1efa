"""Percentiles, spreads, gaps and intervals against numpy, scipy and theory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from ownkey.workbench.metrics.statistics import Gaps, percentile, spread, wilson

times = st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=80)


@given(times, st.floats(0, 1))
def test_percentiles_are_numpys(values: list[float], share: float):
    ordered = sorted(values)
    assert percentile(ordered, share) == pytest.approx(np.percentile(ordered, share * 100), rel=1e-9, abs=1e-6)


def test_a_spread_by_hand():
    found = spread("ms", [40.0, 10.0, 30.0, 20.0])
    assert (found.count, found.avg, found.min, found.max, found.p50) == (4, 25, 10, 40, 25)
    assert found.p95 == pytest.approx(38.5)  # position 0.95 × 3 = 2.85
    assert found.p99 == pytest.approx(39.7)
    assert found.std == pytest.approx((500 / 3) ** 0.5)
    assert found.cautions == ("p95", "p99")


def test_one_value_has_no_deviation_and_none_has_no_spread():
    assert spread("ms", [5.0]).std is None
    with pytest.raises(ValueError, match="at least one value"):
        spread("ms", [])


@pytest.mark.parametrize(("count", "cautions"), [(58, ("p95", "p99")), (59, ("p99",)), (298, ("p99",)), (299, ())])
def test_percentiles_are_cautioned_below_the_samples_they_need(count: int, cautions: tuple[str, ...]):
    assert spread("ms", [1.0] * count).cautions == cautions


@given(times, st.randoms(use_true_random=False))
def test_a_spread_does_not_depend_on_the_order(values: list[float], random: object):
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert spread("ms", shuffled) == spread("ms", values)


@given(st.integers(1, 500).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_wilson_is_scipys(case: tuple[int, int]):
    count, total = case
    found = wilson(count, total)
    expected = binomtest(count, total).proportion_ci(method="wilson")
    assert (found.rate, found.low, found.high) == pytest.approx((count / total, expected.low, expected.high), abs=1e-12)


def test_wilson_of_none_knows_nothing_and_of_nonsense_is_refused():
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0, 1)
    with pytest.raises(ValueError, match="no part"):
        wilson(3, 2)


def test_few_gaps_are_exact():
    gaps = Gaps()
    gaps.extend([40.0, 80.0, 240.0])
    assert gaps.spread() == spread("ms", [40.0, 80.0, 240.0])
    assert Gaps().spread() is None


@given(st.lists(st.floats(1e-3, 1e5), min_size=12, max_size=60), st.integers(1, 11))
def test_many_gaps_stay_within_half_a_percent_of_an_order_statistic(values: list[float], exact: int):
    gaps = Gaps(exact=exact)
    gaps.extend(values)
    found = gaps.spread()
    assert found is not None
    whole = spread("ms", values)
    assert (found.count, found.min, found.max) == (whole.count, whole.min, whole.max)
    assert found.avg == pytest.approx(whole.avg, abs=1e-6)
    assert found.std == pytest.approx(whole.std, abs=1e-2, rel=1e-6)
    ordered = np.array(sorted(values))
    for share, value in ((50, found.p50), (95, found.p95), (99, found.p99)):
        lower = np.percentile(ordered, share, method="lower")
        assert lower * 0.995 - 1e-9 <= value <= lower * 1.0051 + 1e-9


@given(st.lists(st.floats(0, 1e4), max_size=40), st.integers(0, 40), st.integers(1, 50))
def test_merged_gaps_are_the_gaps_together(values: list[float], cut: int, exact: int):
    together, first, second = (Gaps(exact=exact) for _ in range(3))
    together.extend(values)
    first.extend(values[:cut])
    second.extend(values[cut:])
    first.merge(second)
    assert first.spread() == together.spread()


def test_gaps_of_no_time_are_counted_in_buckets_too():
    gaps = Gaps(exact=2)
    gaps.extend([0.0, 0.0, 0.0, 10.0])
    found = gaps.spread()
    assert found is not None
    assert (found.p50, found.max) == (0, 10)
