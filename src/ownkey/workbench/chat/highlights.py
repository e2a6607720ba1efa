"""The requests that say most about a run, selected while the results pass.

Failed checks come first, then calls without an answer, then the slowest answers. Two bounded heaps hold them: many as
one line each, few with excerpts of their texts, so memory depends on the budget and not on the run.
"""

import heapq
from collections.abc import AsyncIterator
from dataclasses import dataclass

from ownkey.workbench.chat.figures import citation, quoted
from ownkey.workbench.export.run import Outcome, failed_checks, label_of, outcome
from ownkey.workbench.records import Prompt, Result, RunPlan

_WEIGHTS = {Outcome.FAILED: 3, Outcome.ERROR: 2, Outcome.UNGRADED: 1, Outcome.PASSED: 0}
_EXCERPTS = 40
_ANSWER = 600
_QUESTION = 300
_REASON = 200
_LABEL = 40

_Rank = tuple[int, float, int]


@dataclass(frozen=True, slots=True)
class Highlight:
    """A request as the context describes it: `line` always begins with its id in brackets."""

    cited: str
    line: str


@dataclass(frozen=True, slots=True)
class Highlights:
    """Both lists in the order of their weight; `count` requests were seen, warm-up not counted."""

    lines: list[Highlight]
    excerpts: list[Highlight]
    count: int


async def find_highlights(plan: RunPlan, results: AsyncIterator[tuple[Prompt, Result]], lines: int) -> Highlights:
    """At most `lines` requests in a line each, and the first few of them with excerpts."""
    kept: list[tuple[_Rank, Highlight]] = []
    excerpts: list[tuple[_Rank, Highlight]] = []
    count = 0
    async for prompt, result in results:
        if result.warm_up:
            continue
        count += 1
        # The count decides between equals: the earlier request is kept.
        rank = (_WEIGHTS[outcome(result)], result.observation.timing.e2e_ms or 0.0, -count)
        if _has_room(kept, lines, rank):
            _keep(kept, lines, rank, _line(plan, prompt, result))
        if _has_room(excerpts, _EXCERPTS, rank):
            _keep(excerpts, _EXCERPTS, rank, _excerpt(plan, prompt, result))
    return Highlights(_ordered(kept), _ordered(excerpts), count)


def _has_room(heap: list[tuple[_Rank, Highlight]], size: int, rank: _Rank) -> bool:
    return len(heap) < size or (bool(heap) and rank > heap[0][0])


def _keep(heap: list[tuple[_Rank, Highlight]], size: int, rank: _Rank, told: Highlight) -> None:
    if len(heap) < size:
        heapq.heappush(heap, (rank, told))
    else:
        heapq.heapreplace(heap, (rank, told))


def _ordered(heap: list[tuple[_Rank, Highlight]]) -> list[Highlight]:
    return [told for _, told in sorted(heap, key=lambda entry: entry[0], reverse=True)]


def _head(plan: RunPlan, prompt: Prompt, result: Result) -> str:
    head = f"[{citation(prompt.id)}]"
    if len(plan.targets) > 1:
        head += f" {quoted(label_of(plan, result), _LABEL)}"
    if result.slot.repeat:
        head += f" repeat {result.slot.repeat + 1}"
    return head


def _line(plan: RunPlan, prompt: Prompt, result: Result) -> Highlight:
    observation, found = result.observation, outcome(result)
    parts = [f"{_head(plan, prompt, result)} {found}"]
    if observation.failure is not None:
        parts[0] += f" {observation.failure.kind}"
    if observation.ok and observation.timing.e2e_ms is not None:
        parts.append(f"{observation.timing.e2e_ms:.0f} ms")
    if observation.tokens is not None:
        parts.append(f"{observation.tokens.output} tokens")
    if found is Outcome.FAILED:
        parts.append("failed " + ", ".join(quoted(grade.check, _LABEL) for grade in failed_checks(result)[:3]))
    return Highlight(citation(prompt.id), " · ".join(parts))


def _excerpt(plan: RunPlan, prompt: Prompt, result: Result) -> Highlight:
    observation = result.observation
    parts = [f"{_head(plan, prompt, result)} {outcome(result)}"]
    if prompt.messages:
        parts.append(f"asked {quoted(prompt.messages[-1].content, _QUESTION)}")
    if observation.failure is not None:
        parts.append(f"{observation.failure.kind}, said {quoted(observation.failure.message, _REASON)}")
    else:
        parts.append(f"answered {quoted(observation.text, _ANSWER)}")
    parts += [
        f"failed {quoted(grade.check, _LABEL)} because {quoted(grade.reason, _REASON)}"
        for grade in failed_checks(result)[:3]
    ]
    return Highlight(citation(prompt.id), "; ".join(parts))
