"""Makes the calls of a run: asks, grades, and hands results on as they arrive."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Container, Iterable, Sequence
from contextlib import aclosing
from enum import StrEnum
from typing import cast

from msgspec.structs import replace

from ownkey.workbench.engine.schedule import Call, PromptSource, due_times, measured, since_due, warm_ups
from ownkey.workbench.engine.spending import Purse, sampling_for
from ownkey.workbench.graders import verdict
from ownkey.workbench.ports import Caller, Grader
from ownkey.workbench.records import Arrival, Failure, FailureKind, Observation, Result, RunPlan, Slot, Timing


class Ending(StrEnum):
    """Why no further call was made."""

    FINISHED = "finished"
    STOPPED = "stopped"
    OUT_OF_TIME = "out_of_time"
    OUT_OF_MONEY = "out_of_money"


Attempt = Callable[[], Awaitable[Observation | None]]
"""Calls once. None: another call is not allowed, and was not made."""

_MAY_PASS = frozenset({FailureKind.RATE_LIMIT, FailureKind.NETWORK, FailureKind.SERVER_ERROR})
"""A time-out is not among them: an endpoint that slow had enough time, and may bill each try."""
_FIRST_WAIT_MS = 500.0
_LONGEST_WAIT_MS = 30_000.0


async def ask_patiently(ask: Attempt, retries: int) -> Observation | None:
    """Call once and up to `retries` times more. The observation is the last attempt's, and knows of the others; its
    cost is that of all, since an answer that broke off in the middle is billed, too. None when it was never called."""
    waited = 0.0
    attempt = 0
    cost: int | None = None
    first: Failure | None = None
    last: Observation | None = None
    while (seen := await ask()) is not None:
        attempt += 1
        first = first or seen.failure
        if seen.cost is not None:
            cost = seen.cost + (cost or 0)
        last = replace(seen, attempts=attempt, backoff_ms=waited, first_failure=first, cost=cost)
        wait = None if seen.failure is None or attempt > retries else pause(seen.failure, attempt)
        if wait is None:
            break
        await asyncio.sleep(wait / 1000)
        waited += wait
    return last


def pause(failure: Failure, attempt: int) -> float | None:
    """Milliseconds to wait after the failure of this attempt (from 1), None when a retry is of no use. Half a second,
    doubled each time, or what the endpoint requests; a wait of more than 30 s is not made.
    """
    if failure.kind not in _MAY_PASS:
        return None
    asked = failure.retry_after_ms or 0.0
    if asked > _LONGEST_WAIT_MS:
        return None
    return max(asked, min(_FIRST_WAIT_MS * 2 ** (attempt - 1), _LONGEST_WAIT_MS))


Keep = Callable[[Sequence[Result]], Awaitable[None]]
"""Takes results for good, in the order in which they came. Its failure ends the run."""

_CUT = Failure(FailureKind.CANCELLED, "The run was ended while this call was under way.")
UNGRADED_AT_MOST = 3
"""How many calls, for each of the concurrency, may be under way or answered and not stored yet."""


class Runner:
    """One execution of one run.

    `callers` are the targets' in their order. `settled` are the calls that need no call any more, `purse` holds the
    spending limit and knows what they cost. What this holds in memory does not grow with the number of prompts.
    """

    def __init__(
        self,
        plan: RunPlan,
        callers: Sequence[Caller],
        grader: Grader,
        source: PromptSource,
        keep: Keep,
        settled: Container[Slot] = frozenset(),
        purse: Purse | None = None,
    ) -> None:
        self._plan = plan
        self._callers = callers
        self._grader = grader
        self._source = source
        self._keep = keep
        self._settled = settled
        self._purse = purse or Purse(plan.max_cost)
        self._ending: Ending | None = None
        self._ended = asyncio.Event()
        self._answers: asyncio.Queue[tuple[Call, Observation]] = asyncio.Queue()
        self._room = asyncio.Semaphore(UNGRADED_AT_MOST * plan.concurrency)
        self._cut: list[tuple[Call, Observation]] = []
        self._pending: list[Result] = []
        self._keeping = asyncio.Lock()

    def stop(self) -> None:
        """End the run: calls under way are broken off and recorded as cancelled."""
        self._end(Ending.STOPPED)

    async def run(self) -> Ending:
        """Make every call that is not settled, warm-ups first, until all are made or something ends the run.

        When this coroutine itself is cancelled, as by a stopping server, calls under way leave no result: a later
        execution repeats them.
        """
        alarm = None
        if self._plan.deadline_ms is not None:
            loop = asyncio.get_running_loop()
            alarm = loop.call_later(self._plan.deadline_ms / 1000, self._end, Ending.OUT_OF_TIME)
        finishers = [asyncio.create_task(self._finish_answers()) for _ in range(self._plan.concurrency)]
        work = asyncio.create_task(self._phases())
        ended = asyncio.create_task(self._ended.wait())
        try:
            await asyncio.wait((work, ended, *finishers), return_when=asyncio.FIRST_COMPLETED)
            _raise_failure((work, *finishers))
            await _cancel((work,))
            await self._drain(finishers)
        finally:
            if alarm is not None:
                alarm.cancel()
            await _cancel((work, ended, *finishers))
        for call, seen in self._cut:
            await self._finish(call, seen)
        return self._ending or Ending.FINISHED

    def _end(self, ending: Ending) -> None:
        self._ending = self._ending or ending
        self._ended.set()

    async def _phases(self) -> None:
        async with aclosing(warm_ups(self._plan, self._source, self._settled)) as calls:
            await self._closed_loop(calls)
        async with aclosing(measured(self._plan, self._source, self._settled)) as calls:
            if self._plan.arrival is Arrival.CLOSED:
                await self._closed_loop(calls)
            else:
                await self._open_loop(calls)

    async def _closed_loop(self, calls: AsyncGenerator[Call]) -> None:
        turn = asyncio.Lock()

        async def work() -> None:
            while self._ending is None:
                async with turn:
                    call = await anext(calls, None)
                if call is None:
                    return
                await self._room.acquire()
                await self._make(call)

        async with asyncio.TaskGroup() as group:
            for _ in range(self._plan.concurrency):
                group.create_task(work())

    async def _open_loop(self, calls: AsyncGenerator[Call]) -> None:
        """Begin each call when it is due; at most `concurrency` are under way, and waiting for that counts."""
        under_way = asyncio.Semaphore(self._plan.concurrency)
        began, began_at = time.monotonic(), time.time()

        async def work(call: Call, due: float) -> None:
            try:
                await self._make(call, began_at + due)
            finally:
                under_way.release()

        async with asyncio.TaskGroup() as group:
            for due in due_times(self._plan):
                call = await anext(calls, None)
                if call is None or self._ending is not None:
                    return
                await asyncio.sleep(max(began + due - time.monotonic(), 0.0))
                await self._room.acquire()
                await under_way.acquire()
                group.create_task(work(call, due))

    async def _make(self, call: Call, due_at: float | None = None) -> None:
        caller, target = self._callers[call.slot.target], self._plan.targets[call.slot.target]
        messages, sampling = call.prompt.messages, sampling_for(call.prompt, self._plan.sampling)
        held = await self._purse.hold(target, messages, sampling)

        async def ask() -> Observation | None:
            nonlocal held
            if held is None:
                # Each try may cost as much as the first.
                held = await self._purse.hold(target, messages, sampling)
            if held is None:
                # No event: calls under way may finish, they are paid for.
                self._ending = self._ending or Ending.OUT_OF_MONEY
                return None
            seen = await caller.ask(messages, sampling)
            self._purse.settle(held, seen)
            held = None
            return seen

        try:
            seen = await ask_patiently(ask, self._plan.retries)
        except asyncio.CancelledError:
            cut = self._note_cut(call)
            if held is not None:
                self._purse.settle(held, cut)
            raise
        if seen is None:
            self._room.release()
            return
        self._answers.put_nowait((call, seen if due_at is None else since_due(seen, due_at)))

    def _note_cut(self, call: Call) -> Observation | None:
        """Remember a call that was broken off, unless it will be repeated."""
        if self._ending is None:
            return None
        now = time.time()
        seen = Observation(timing=Timing(now, now), failure=_CUT)
        self._cut.append((call, seen))
        return seen

    async def _finish_answers(self) -> None:
        while True:
            call, seen = await self._answers.get()
            await self._finish(call, seen)
            self._answers.task_done()
            self._room.release()

    async def _finish(self, call: Call, seen: Observation) -> None:
        warm_up = call.slot.repeat < 0
        grades = () if warm_up or not seen.ok else await self._grader.grade(call.prompt, seen)
        passed, score = verdict(grades, call.prompt.threshold)
        result = Result(
            slot=call.slot,
            prompt_id=call.prompt.id,
            observation=seen,
            grades=grades,
            passed=passed,
            score=score,
            warm_up=warm_up,
        )
        self._pending.append(result)
        async with self._keeping:
            # Whoever waited for the lock often finds that its result went with the batch before.
            if self._pending:
                batch, self._pending = self._pending, []
                await self._keep(batch)

    async def _drain(self, finishers: Sequence["asyncio.Task[None]"]) -> None:
        drained = asyncio.create_task(self._answers.join())
        try:
            await asyncio.wait((drained, *finishers), return_when=asyncio.FIRST_COMPLETED)
            _raise_failure(finishers)
        finally:
            await _cancel((drained,))


def _raise_failure(tasks: Iterable["asyncio.Task[None]"]) -> None:
    for task in tasks:
        failure = task.exception() if task.done() and not task.cancelled() else None
        if failure is not None:
            raise innermost(failure)


def innermost(failure: BaseException) -> BaseException:
    """The first failure in an exception group, however deep."""
    while isinstance(failure, BaseExceptionGroup):
        failure = cast("BaseExceptionGroup[BaseException]", failure).exceptions[0]
    return failure


async def _cancel(tasks: "Iterable[asyncio.Task[None] | asyncio.Task[bool]]") -> None:
    pending = [task for task in tasks if not task.done()]
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending)
