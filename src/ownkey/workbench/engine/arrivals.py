"""When the calls of an open loop are due, whatever has come back by then."""

import random
from collections.abc import Iterator

from ownkey.workbench.records import Arrival, RunPlan


def due_times(plan: RunPlan) -> Iterator[float]:
    """Seconds from the start at which each call is due, without end.

    Constant: one every 1/rate. Poisson: independent exponential gaps of mean 1/rate, the same for the same seed.
    Raises ValueError for a closed loop, which has no schedule.
    """
    if plan.rate is None or plan.arrival is Arrival.CLOSED:
        raise ValueError("a closed loop has no schedule")
    if plan.arrival is Arrival.CONSTANT:
        return _constant(plan.rate)
    return _poisson(plan.rate, random.Random(plan.seed))  # noqa: S311 (arrivals, not secrets)


def _constant(rate: float) -> Iterator[float]:
    number = 0
    while True:
        yield number / rate
        number += 1


def _poisson(rate: float, chance: random.Random) -> Iterator[float]:
    at = 0.0
    while True:
        at += chance.expovariate(rate)
        yield at
