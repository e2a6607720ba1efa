"""Schedules of open-loop load, and latencies counted from when a call was due."""

from itertools import islice, pairwise
from statistics import fmean

import pytest
from tests.workbench.engine.scripted import a_plan, answered

from ownkey.workbench.engine.schedule import due_times, since_due
from ownkey.workbench.records import Arrival


def test_constant_arrivals_are_one_every_nth_of_a_second() -> None:
    plan = a_plan(1, arrival=Arrival.CONSTANT, rate=4.0)
    assert list(islice(due_times(plan), 4)) == [0.0, 0.25, 0.5, 0.75]


def test_poisson_gaps_are_exponential_with_the_rates_mean() -> None:
    plan = a_plan(1, arrival=Arrival.POISSON, rate=10.0, seed=1)
    times = list(islice(due_times(plan), 20_001))
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert fmean(gaps) == pytest.approx(0.1, rel=0.03)
    # Of an exponential distribution, e⁻¹ lies above the mean.
    assert sum(gap > 0.1 for gap in gaps) / len(gaps) == pytest.approx(0.3679, abs=0.015)


def test_the_same_seed_gives_the_same_arrivals() -> None:
    plan = a_plan(1, arrival=Arrival.POISSON, rate=10.0, seed=5)
    assert list(islice(due_times(plan), 50)) == list(islice(due_times(plan), 50))


def test_a_closed_loop_has_no_schedule() -> None:
    with pytest.raises(ValueError, match="no schedule"):
        due_times(a_plan(1))


def test_a_call_that_was_sent_late_is_as_much_slower() -> None:
    seen = since_due(answered(), due_at=0.25)
    assert seen.timing.late_ms == 750.0
    assert seen.timing.e2e_ms == 751.0
    assert seen.timing.ttft_ms is None
