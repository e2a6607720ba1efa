"""The calls of a run in this process: results go to the file as they arrive; Ctrl-C ends the run in order."""

import asyncio
import signal
import sys
import time
from bisect import insort
from collections.abc import Coroutine, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ownkey.cli.failures import told_in_a_line
from ownkey.cli.workbench.connections import Connections, open_connections
from ownkey.cli.workbench.plans import source_of
from ownkey.cli.workbench.report import tell
from ownkey.cli.workbench.run_files import Carried, End, Preferred, RunFile
from ownkey.domain.money import format_usd
from ownkey.workbench.engine import Ending, Purse, Runner, side_by_side
from ownkey.workbench.graders import Graders
from ownkey.workbench.graders.finding import Ungradable
from ownkey.workbench.graders.judge import Judge
from ownkey.workbench.graders.preference import PreferenceTally
from ownkey.workbench.graders.schema_workers import SchemaWorkers
from ownkey.workbench.records import Result, RunPlan, RunStatus
from ownkey.workbench.summary import Verdict

T = TypeVar("T")

_DETAILS = {
    Ending.FINISHED: "",
    Ending.STOPPED: "Interrupted before all prompts were sent; what was answered is kept.",
    Ending.OUT_OF_TIME: "The run's time was over before all prompts were sent.",
    Ending.OUT_OF_MONEY: "The next call could have passed --max-cost: the rest was not sent.",
}
_ALL_FAILED = "Every prompt failed: the failures say why."


def carry_out(file: RunFile, *, retry_failed: bool = False) -> Carried:
    """Make the calls of a run that are not made yet, and write its end. Raises CommandFailed."""
    return in_loop(_carry_out(file, retry_failed))


def in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on the loop that the server uses. Raises CommandFailed."""
    import uvloop

    with told_in_a_line():
        return uvloop.run(work)


async def _carry_out(file: RunFile, retry_failed: bool) -> Carried:
    plan, header, before = file.plan, file.header, file.seq
    settled = file.settled(retry_failed=retry_failed)
    async with open_connections() as connections:
        callers = [connections.caller(way, target) for way, target in zip(header.ways, plan.targets, strict=True)]
        purse = Purse(plan.max_cost, file.spending)
        judge = _judge(file, connections, purse)
        embedder = None
        if header.judge is not None and plan.embedding_model is not None:
            embedder = connections.embedder(header.judge, plan.embedding_model, plan.embedding_prices, purse)
        progress = Progress(plan, sum(slot.repeat >= 0 for slot in settled))

        async def keep(results: Sequence[Result]) -> None:
            progress.add(await file.keep(results, purse.spending))

        schemas = SchemaWorkers()
        runner = Runner(
            plan=plan,
            callers=callers,
            grader=Graders(judge=judge, embedder=embedder, schemas=schemas),
            source=source_of(file.prompts),
            keep=keep,
            settled=settled,
            purse=purse,
        )
        with schemas, progress, interrupted_by_signals(runner):
            ending = await runner.run()
        if purse.spending != file.spending:
            # Grading that was broken off with the run may have cost something after the last result.
            file.spend(purse.spending)
        preferences: tuple[Preferred, ...] = ()
        if file.end is not None and file.seq == before:
            preferences = file.end.preferences
        elif judge is not None and ending is Ending.FINISHED:
            preferences = await _preferences(file, judge, purse)
    return await _conclude(file, ending, preferences)


async def _conclude(file: RunFile, ending: Ending, preferences: tuple[Preferred, ...]) -> Carried:
    file.end = End(RunStatus.COMPLETED, "", time.time(), preferences)
    summary = await asyncio.to_thread(file.summary)
    answered = sum(target.success.count for target in summary.targets)
    if ending is Ending.STOPPED:
        status, detail = RunStatus.CANCELLED, _DETAILS[ending]
    elif not answered:
        status, detail = RunStatus.FAILED, _ALL_FAILED if ending is Ending.FINISHED else _DETAILS[ending]
    else:
        status, detail = RunStatus.COMPLETED, _DETAILS[ending]
    file.conclude(End(status, detail, time.time(), preferences))
    return Carried(ending, summary)


def _judge(file: RunFile, connections: Connections, purse: Purse) -> Judge | None:
    header = file.header
    if header.judge is None or header.plan.judge is None:
        return None
    return connections.judge(header.judge, header.plan.judge.model, header.plan.judge_prices, purse)


async def _preferences(file: RunFile, judge: Judge, purse: Purse) -> tuple[Preferred, ...]:
    """The judge's preference between the first target's answers and each other's, over one repetition."""
    places = file.places()
    found: list[Preferred] = []
    for other in range(1, len(file.plan.targets)):
        tally = PreferenceTally(judge.name)
        shared = [position for target, position in places if target == 0 and (other, position) in places]
        tell(f"The judge {judge.name} compares {len(shared)} pairs of answers, each in both orders")

        async def compare(position: int, other: int) -> tuple[Verdict, bool] | None:
            first, second = (file.answer(places[target, position]) for target in (0, other))
            try:
                return await judge.prefer(file.prompts[position], first, second)
            except Ungradable:
                return None
            finally:
                file.spend(purse.spending)

        works = [partial(compare, position, other) for position in sorted(shared)]
        for found_out in await side_by_side(file.plan.concurrency, works):
            if found_out is None:
                tally.add_unjudged()
            else:
                tally.add(found_out[0], flipped=found_out[1])
        preference = tally.preference()
        if preference is not None:
            found.append(Preferred(other, preference))
    return tuple(found)


@contextmanager
def interrupted_by_signals(runner: Runner) -> Generator[None]:
    """The first Ctrl-C, or SIGTERM, ends the run in order; a second one ends the process."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop() -> None:
        for number in signals:
            loop.remove_signal_handler(number)
        runner.stop()

    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


if TYPE_CHECKING:
    from rich.live import Live

_REFRESH_S = 0.2


class Progress:
    """Counts results. `done` are those of an earlier process; latencies are kept as numbers, for the running median."""

    def __init__(self, plan: RunPlan, done: int = 0) -> None:
        self._plan = plan
        self._before = done
        self._done = done
        self._passed = self._graded = self._failed = self._cost = 0
        self._latencies: list[float] = []
        self._began = self._shown = time.monotonic()
        self._live: Live | None = None

    def __enter__(self) -> "Progress":
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            # Drawn by hand and never by a thread of its own, which would disturb the measured times.
            console = Console(stderr=True, highlight=False, markup=False)
            self._live = Live(self.line(), console=console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def add(self, results: Sequence[Result]) -> None:
        """Count results and show them."""
        for result in results:
            self._count(result)
            if self._live is None:
                print(self._told(result), file=sys.stderr, flush=True)
        if self._live is not None and time.monotonic() - self._shown > _REFRESH_S:
            self._shown = time.monotonic()
            self._live.update(self.line(), refresh=True)

    def line(self) -> str:
        """All in a line: done, rate, passed, failures, running median, cost."""
        spent = time.monotonic() - self._began
        rate = (self._done - self._before) / spent if spent > 0 else 0.0
        parts = [f"{self._done}/{self._plan.total}", f"{rate:.1f}/s"]
        if self._graded:
            parts.append(f"{self._passed}/{self._graded} passed")
        parts.append(f"{self._failed} failed")
        if self._latencies:
            parts.append(f"p50 {self._latencies[len(self._latencies) // 2]:,.0f} ms")
        if self._cost:
            parts.append(f"${format_usd(self._cost)}")
        return "  ".join(parts)

    def _count(self, result: Result) -> None:
        seen = result.observation
        self._cost += seen.cost or 0
        if result.warm_up:
            return
        self._done += 1
        self._failed += not seen.ok
        self._graded += result.passed is not None
        self._passed += result.passed is True
        if seen.ok and seen.timing.e2e_ms is not None:
            insort(self._latencies, seen.timing.e2e_ms)

    def _told(self, result: Result) -> str:
        seen = result.observation
        place = "warm-up" if result.warm_up else f"{self._done}/{self._plan.total}"
        who = f"{result.prompt_id} {self._plan.targets[result.slot.target].label}"
        if seen.failure is not None:
            return f"{place} {who}: {seen.failure.kind}: {seen.failure.message}"
        word = {None: "answered", True: "passed", False: "failed a check"}[result.passed]
        took = "" if seen.timing.e2e_ms is None else f" {seen.timing.e2e_ms:,.0f} ms"
        return f"{place} {who}: {word}{took}"
