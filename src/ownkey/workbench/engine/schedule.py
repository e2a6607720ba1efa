"""Which call of a run comes next, and when."""

import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Container, Iterator

from msgspec import Struct
from msgspec.structs import replace

from ownkey.workbench.records import Arrival, Observation, Prompt, RunPlan, Slot, Timing

PromptSource = Callable[[], AsyncIterator[Prompt]]
"""Gives the suite's prompts from the first on, each time it is called; a few at a time are in memory."""


class Call(Struct, frozen=True):
    """One call to make."""

    slot: Slot
    prompt: Prompt


async def warm_ups(plan: RunPlan, source: PromptSource, settled: Container[Slot]) -> AsyncGenerator[Call]:
    """`plan.warm_up` calls to each target with the suite's first prompts; their repetitions count −1, −2, …"""
    made = 0
    while made < plan.warm_up and plan.prompts:
        async for position, prompt in _numbered(plan, source):
            if made == plan.warm_up:
                return
            made += 1
            for slot in _slots(plan, position, -made):
                if slot not in settled:
                    yield Call(slot, prompt)


def warm_ups_of(plan: RunPlan, position: int) -> int:
    """How many warm-up calls each target makes with the prompt at this position."""
    return len(range(position, plan.warm_up, plan.prompts))


async def measured(plan: RunPlan, source: PromptSource, settled: Container[Slot]) -> AsyncGenerator[Call]:
    """The calls that count, without those that are settled."""
    for repeat in range(plan.repeats):
        async for position, prompt in _numbered(plan, source):
            for slot in _slots(plan, position, repeat):
                if slot not in settled:
                    yield Call(slot, prompt)


def _slots(plan: RunPlan, position: int, repeat: int) -> list[Slot]:
    count = len(plan.targets)
    first = (position + repeat) % count
    return [Slot((first + step) % count, position, repeat) for step in range(count)]


async def _numbered(plan: RunPlan, source: PromptSource) -> AsyncIterator[tuple[int, Prompt]]:
    position = 0
    async for prompt in source():
        if position == plan.prompts:
            return
        yield position, prompt
        position += 1


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


def since_due(seen: Observation, due_at: float) -> Observation:
    """The observation with its times counted from `due_at` (Unix seconds of the callers' clock)."""
    timing = seen.timing
    late = max((timing.sent_at - due_at) * 1000, 0.0)

    def later(milliseconds: float | None) -> float | None:
        return None if milliseconds is None else milliseconds + late

    moved: Timing = replace(
        timing,
        late_ms=late,
        ttft_ms=later(timing.ttft_ms),
        ttfo_ms=later(timing.ttfo_ms),
        e2e_ms=later(timing.e2e_ms),
    )
    return replace(seen, timing=moved)
