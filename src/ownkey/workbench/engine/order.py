"""In which order the calls of a run are made.

Targets are interleaved: each prompt goes to all of them before the next prompt, and who is first alternates, so that
a provider's good or bad minute and a warm cache fall on all alike. Repetitions go through the whole suite again
instead of asking twice in a row, which caches would answer.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Container

from msgspec import Struct

from ownkey.workbench.records import Prompt, RunPlan, Slot

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
    """How many warm-ups each target is asked the prompt at this position for."""
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
