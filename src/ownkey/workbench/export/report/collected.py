"""What the results leave in memory for the report.

A few numbers a request, and at most `ANSWERS` answers, cut to `CHARACTERS` each: those that failed a check first, then
those without an answer, then the slowest. Warm-up calls are left out, as they are in no figure.
"""

import heapq
from array import array
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from msgspec import structs

from ownkey.workbench.export.run import Outcome, outcome
from ownkey.workbench.records import Message, Prompt, Result

ANSWERS = 100
CHARACTERS = 6000
_WEIGHTS = {Outcome.FAILED: 3, Outcome.ERROR: 2, Outcome.UNGRADED: 1, Outcome.PASSED: 0}
_LARGEST_MS = 1e12


def _numbers() -> "array[float]":
    return array("d")


@dataclass(slots=True)
class Points:
    """Milliseconds of one target's answers; `by_prompt` holds sum and count of the latencies of each prompt."""

    latency: "array[float]" = field(default_factory=_numbers)
    ttft: "array[float]" = field(default_factory=_numbers)
    by_prompt: dict[str, tuple[float, int]] = field(default_factory=dict[str, tuple[float, int]])

    def mean_of(self, prompt_id: str) -> float:
        total, count = self.by_prompt[prompt_id]
        return total / count


@dataclass(slots=True)
class Collected:
    """`answers` are in the order of the suite; `left_out` requests have their answers in the other exports only."""

    points: list[Points]
    answers: list[tuple[Prompt, Result]]
    left_out: int


async def collect(results: AsyncIterator[tuple[Prompt, Result]], targets: int) -> Collected:
    points = [Points() for _ in range(targets)]
    kept: list[tuple[int, float, int, Prompt, Result]] = []
    count = 0
    async for prompt, result in results:
        if result.warm_up:
            continue
        count += 1
        _add(points[result.slot.target], prompt, result)
        # The count decides between equals, so that prompts and results are never compared.
        entry = (_WEIGHTS[outcome(result)], result.observation.timing.e2e_ms or 0.0, -count)
        if len(kept) < ANSWERS:
            heapq.heappush(kept, (*entry, _cut_prompt(prompt), _cut_result(result)))
        elif entry > kept[0][:3]:
            heapq.heapreplace(kept, (*entry, _cut_prompt(prompt), _cut_result(result)))
    answers = [(prompt, result) for *_, prompt, result in kept]
    answers.sort(key=lambda pair: (pair[1].slot.position, pair[1].slot.repeat, pair[1].slot.target))
    return Collected(points, answers, count - len(answers))


def cut(raw: str) -> str:
    if len(raw) <= CHARACTERS:
        return raw
    return f"{raw[:CHARACTERS]}\n[… {len(raw) - CHARACTERS} more characters are in the CSV and JSON exports]"


def _add(points: Points, prompt: Prompt, result: Result) -> None:
    observation = result.observation
    timing = observation.timing
    if not observation.ok or timing.e2e_ms is None:
        return
    latency = min(max(timing.e2e_ms, 0.0), _LARGEST_MS)
    points.latency.append(latency)
    total, count = points.by_prompt.get(prompt.id, (0.0, 0))
    points.by_prompt[prompt.id] = (total + latency, count + 1)
    # An answer in one piece has no first token of its own.
    if observation.streamed and timing.ttft_ms is not None:
        points.ttft.append(min(max(timing.ttft_ms, 0.0), _LARGEST_MS))


def _cut_prompt(prompt: Prompt) -> Prompt:
    messages = tuple(Message(message.role, cut(message.content)) for message in prompt.messages[-1:])
    reference = None if prompt.reference is None else cut(prompt.reference)
    return Prompt(id=prompt.id, messages=messages, reference=reference)


def _cut_result(result: Result) -> Result:
    observation = result.observation
    observation = structs.replace(observation, text=cut(observation.text), reasoning="")
    return structs.replace(result, observation=observation)
