"""A run of thousands of prompts keeps numbers and no answers."""

import gc
import tracemalloc
from collections.abc import AsyncIterator, Sequence

import pytest
from tests.workbench.engine.scripted import YesGrader, a_plan, a_target

from ownkey.workbench.engine import Runner
from ownkey.workbench.figures import Figures
from ownkey.workbench.records import Message, Observation, Prompt, Result, RunPlan, Sampling, Timing, Tokens

_PROMPTS = 4000
_EARLY = 1000
_TEXT = 2000
"""Characters of a question, and of an answer."""
_GAPS = 5
_NUMBERS = 400
"""Bytes a result: `Tally` promises about 150, and 8 for each gap; lists grow in steps."""


class WordyCaller:
    """Answers each question with a new text, and keeps nothing."""

    def __init__(self) -> None:
        self.count = 0

    async def ask(self, messages: Sequence[Message], sampling: Sampling) -> Observation:
        self.count += 1
        gaps = tuple(float(self.count + step) for step in range(_GAPS))
        timing = Timing(self.count, self.count + 1, ttft_ms=self.count, ttfo_ms=self.count, e2e_ms=900.0, gaps_ms=gaps)
        return Observation(timing=timing, text=f"{self.count:{_TEXT}}", tokens=Tokens(500, 500), cost=self.count)


class Gauge:
    """What Python holds when `early` results are there, and at the end, in bytes."""

    def __init__(self, figures: Figures, early: int, late: int) -> None:
        self.held: list[int] = []
        self._figures = figures
        self._marks = (early, late)
        self._count = 0

    async def keep(self, results: Sequence[Result]) -> None:
        for result in results:
            self._figures.add(result)
            self._count += 1
            if self._count in self._marks:
                gc.collect()
                self.held.append(tracemalloc.get_traced_memory()[0])


async def _questions() -> AsyncIterator[Prompt]:
    for number in range(_PROMPTS):
        yield Prompt(f"p{number}", (Message("user", f"{number:{_TEXT}}"),))


@pytest.mark.parametrize("targets", [1, 2])
async def test_memory_does_not_follow_the_number_of_prompts(targets: int) -> None:
    plan: RunPlan = a_plan(_PROMPTS, *(a_target(f"t{number}") for number in range(targets)), concurrency=50)
    gauge = Gauge(Figures(plan), _EARLY * targets, _PROMPTS * targets)
    runner = Runner(plan, [WordyCaller() for _ in plan.targets], YesGrader(), _questions, gauge.keep)
    tracemalloc.start()
    try:
        await runner.run()
    finally:
        tracemalloc.stop()
    early, late = gauge.held
    # Questions and answers alone would be ten times as much.
    assert late - early < (_PROMPTS - _EARLY) * targets * _NUMBERS
