"""A run from its first call to its recorded end: the same on the server and in the command line."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from ownkey.domain.errors import OwnkeyError
from ownkey.workbench.engine.runner import Ending, Runner, innermost
from ownkey.workbench.engine.schedule import PromptSource
from ownkey.workbench.engine.spending import Purse, Spending
from ownkey.workbench.figures import Figures
from ownkey.workbench.graders.finding import Ungradable
from ownkey.workbench.graders.judge import Judge, PreferenceTally
from ownkey.workbench.ports import Caller, Grader
from ownkey.workbench.records import Prompt, Result, RunPlan, RunStatus, Slot
from ownkey.workbench.summary import Preference, RunSummary, Verdict

_TURN = 4
"""Results that are counted in one turn of the event loop: thirty microseconds each for answers of fifty chunks."""

_DETAILS = {
    Ending.FINISHED: "",
    Ending.STOPPED: "Cancelled before all prompts were sent; the answers so far are kept.",
    Ending.OUT_OF_TIME: "The run reached its time limit before all prompts were sent: retry the rest, or ask for less.",
    Ending.OUT_OF_MONEY: "The next call could have exceeded the run's spending limit, so the rest was not sent: "
    "start a run with a higher limit.",
}
_NOT_JUDGED = "Cancelled while the judge compared the answers; all answers are kept."
_ALL_FAILED = "Every prompt failed: the failures below say why."


class Judgement(Struct, frozen=True):
    """Whose answer to one prompt a judge preferred: target 0's (`a`) or target `other`'s (`b`). `flipped` says that it
    contradicted itself when the order was reversed, which counts as a tie."""

    other: int
    position: int
    verdict: Verdict
    flipped: bool = False


class RunState(Struct, frozen=True):
    """The state of a run: the calls that need no further call, the money spent, the judge's verdicts."""

    settled: frozenset[Slot] = frozenset()
    spending: Spending = Spending()
    judgements: tuple[Judgement, ...] = ()


class RunEnd(Struct, frozen=True, kw_only=True):
    """How one round of a run ended: why no further call was made, what was recorded, the figures."""

    ending: Ending
    status: RunStatus
    detail: str
    summary: RunSummary


class RunStore(Protocol):
    """Where one round of one run is recorded. Whatever a method has stored survives the process."""

    async def state(self) -> RunState:
        """What earlier processes and rounds have stored. A failure of an earlier round is not settled."""
        ...

    async def keep(self, results: Sequence[Result], spending: Spending) -> None:
        """Number results in the order of their arrival and store them, all or none, with what the run has spent."""
        ...

    async def keep_judgement(self, judgement: Judgement, spending: Spending) -> None:
        """Store a verdict, with what the run has spent."""
        ...

    def results(self) -> AsyncGenerator[Result]:
        """All results of the run in the order of their arrival, a few at a time in memory."""
        ...

    async def answer(self, target: int, position: int) -> str | None:
        """The text of an answer of the first repetition, None where there is none."""
        ...

    async def end(self, status: RunStatus, detail: str, summary: RunSummary | None) -> None:
        """Record the end of the round; a second end of the same round changes nothing. `summary` is None for a run
        that could not begin."""
        ...


class RunExecution:
    """Executes one round of a run: calls, grades, the judge's comparisons, figures, and the end.

    `state` and `purse` begin where the store's records end, so it may be executed again after a crash. `judge`
    compares the answers of the first target with each other target's; None compares none. `comparing` is called with
    the number of pairs before it begins.
    """

    def __init__(
        self,
        plan: RunPlan,
        store: RunStore,
        state: RunState,
        purse: Purse,
        callers: Sequence[Caller],
        grader: Grader,
        judge: Judge | None,
        source: PromptSource,
        comparing: Callable[[int], None] | None = None,
    ) -> None:
        self._plan = plan
        self._store = store
        self._purse = purse
        self._judge = judge
        self._source = source
        self._comparing = comparing
        self._judgements = {(each.other, each.position): each for each in state.judgements}
        self._stopped = False
        self._broken: OwnkeyError | None = None
        self._runner = Runner(
            plan=plan,
            callers=callers,
            grader=grader,
            source=source,
            keep=lambda results: store.keep(results, purse.spending),
            settled=state.settled,
            purse=purse,
        )

    def stop(self, broken: OwnkeyError | None = None) -> None:
        """End the run: at its owner's request, or because it cannot continue. Calls under way are recorded as
        cancelled."""
        self._stopped = True
        self._broken = self._broken or broken
        self._runner.stop()

    async def run(self) -> RunEnd:
        """Carry the run out and record its end. Raises what the store raises. When this coroutine is cancelled, as by
        a stopping server, no end is recorded and the run continues another time."""
        ending = await self._runner.run()
        # Grading that was broken off with the run may have cost something after the last result.
        await self._store.keep((), self._purse.spending)
        figures = Figures(self._plan)
        answered = await self._count(figures)
        complete = await self._compare(answered)
        summary = await asyncio.to_thread(figures.summary, preferences_of(self._plan, self._judgements.values()))
        summary = replace(summary, spent=self._purse.spending.reported())
        status, detail = self._status(ending, summary, complete=complete)
        await self._store.end(status, detail, summary)
        return RunEnd(ending=ending, status=status, detail=detail, summary=summary)

    async def _count(self, figures: Figures) -> set[tuple[int, int]]:
        """Count all results; the (target, position) of the first repetition's answers."""
        answered: set[tuple[int, int]] = set()
        async for result in turns(self._store.results()):
            figures.add(result)
            if result.observation.ok and result.slot.repeat == 0:
                answered.add((result.slot.target, result.slot.position))
        return answered

    async def _compare(self, answered: set[tuple[int, int]]) -> bool:
        """Let the judge compare what it has not compared; False when the run was stopped before it was done."""
        judge = self._judge
        if judge is None or self._stopped:
            return True
        left = {(target, at) for target, at in answered if target > 0 and (0, at) in answered} - self._judgements.keys()
        if left and self._comparing is not None:
            self._comparing(len(left))
        room = asyncio.Semaphore(self._plan.concurrency)

        async def compare(prompt: Prompt, other: int, position: int) -> None:
            try:
                judgement = await self._judged(judge, prompt, other, position)
                if judgement is not None:
                    self._judgements[other, position] = judgement
                    await self._store.keep_judgement(judgement, self._purse.spending)
            finally:
                room.release()

        async with aclosing(self._pairs(left)) as pairs, _task_group() as group:
            async for prompt, other, position in pairs:
                await room.acquire()
                if self._stopped:
                    room.release()
                    break
                group.create_task(compare(prompt, other, position))
        # Of two that were stored at once the earlier amount may have been stored last; and a pair without a verdict
        # may have cost something.
        await self._store.keep((), self._purse.spending)
        return not self._stopped or left <= self._judgements.keys()

    async def _pairs(self, left: set[tuple[int, int]]) -> AsyncGenerator[tuple[Prompt, int, int]]:
        """Each pair in the order of the prompts, of which one is in memory at a time."""
        position = 0
        async for prompt in self._source():
            if position == self._plan.prompts:
                return
            for other in range(1, len(self._plan.targets)):
                if (other, position) in left:
                    yield prompt, other, position
            position += 1

    async def _judged(self, judge: Judge, prompt: Prompt, other: int, position: int) -> Judgement | None:
        """None where an answer is gone or the judge gave no verdict."""
        first = await self._store.answer(0, position)
        second = await self._store.answer(other, position)
        if first is None or second is None:
            return None
        try:
            verdict, flipped = await judge.prefer(prompt, first, second)
        except Ungradable:
            return None
        return Judgement(other, position, verdict, flipped)

    def _status(self, ending: Ending, summary: RunSummary, *, complete: bool) -> tuple[RunStatus, str]:
        if self._broken is not None:
            return RunStatus.FAILED, self._broken.public
        if ending is Ending.STOPPED:
            return RunStatus.CANCELLED, _DETAILS[ending]
        answered = sum(target.success.count for target in summary.targets)
        if not answered and sum(target.requests for target in summary.targets):
            # One that was cut short did not send every prompt, and why is reported, too.
            cut_short = f"Every prompt that was sent failed. {_DETAILS[ending]}"
            return RunStatus.FAILED, _ALL_FAILED if ending is Ending.FINISHED else cut_short
        if not complete:
            return RunStatus.CANCELLED, _NOT_JUDGED
        return RunStatus.COMPLETED, _DETAILS[ending]


async def turns(results: AsyncGenerator[Result]) -> AsyncGenerator[Result]:
    """The results, with a pause for other work on the event loop after every few: counting thousands of them at a
    stretch would show in the times of the calls under way."""
    counted = 0
    async with aclosing(results):
        async for result in results:
            yield result
            counted += 1
            if not counted % _TURN:
                await asyncio.sleep(0)


def preferences_of(plan: RunPlan, judgements: Iterable[Judgement]) -> dict[tuple[int, int], Preference]:
    """What the judge preferred of target 0 and each other target, by both indexes."""
    if plan.judge is None:
        return {}
    tallies: dict[int, PreferenceTally] = {}
    for each in judgements:
        tally = tallies.setdefault(each.other, PreferenceTally(plan.judge.model))
        tally.add(each.verdict, flipped=each.flipped)
    found = {(0, other): tally.preference() for other, tally in sorted(tallies.items())}
    return {pair: preference for pair, preference in found.items() if preference is not None}


@asynccontextmanager
async def _task_group() -> AsyncGenerator[asyncio.TaskGroup]:
    """A task group that raises the failure of a task as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as failures:
        raise innermost(failures) from None
