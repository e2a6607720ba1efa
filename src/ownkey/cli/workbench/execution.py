"""The calls of a run in this process: results go to the file as they arrive; Ctrl-C ends the run in order."""

import asyncio
import signal
import sys
import time
from bisect import insort
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ownkey.cli.failures import one_line_errors
from ownkey.cli.workbench.connections import open_connections
from ownkey.cli.workbench.plans import source_of
from ownkey.cli.workbench.report import tell
from ownkey.cli.workbench.run_files import FileRunStore, RunFile
from ownkey.domain.money import format_usd
from ownkey.workbench.engine import Purse, RunEnd, RunExecution
from ownkey.workbench.graders import Graders
from ownkey.workbench.graders.schema_workers import SchemaWorkers
from ownkey.workbench.records import Result, RunPlan

T = TypeVar("T")


def execute(file: RunFile, *, retry_failed: bool = False) -> RunEnd:
    """Make the remaining calls of a run, and write its end. Raises CommandFailed."""
    return in_loop(_execute(file, retry_failed))


def in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on the loop that the server uses. Raises CommandFailed."""
    import uvloop

    with one_line_errors():
        return uvloop.run(work)


async def _execute(file: RunFile, retry_failed: bool) -> RunEnd:
    plan, header = file.plan, file.header
    done = sum(slot.repeat >= 0 for slot in file.settled(retry_failed=retry_failed))
    progress = Progress(plan, done)
    store = FileRunStore(file, retry_failed=retry_failed, kept=progress.add)
    state = await store.state()
    purse = Purse(plan.max_cost, state.spending)
    async with open_connections() as connections:
        judge = embedder = None
        if header.judge is not None and plan.judge is not None:
            judge = connections.judge(header.judge, plan.judge.model, plan.judge_prices, purse)
        if header.judge is not None and plan.embedding_model is not None:
            embedder = connections.embedder(header.judge, plan.embedding_model, plan.embedding_prices, purse)
        schemas = SchemaWorkers()
        execution = RunExecution(
            plan=plan,
            store=store,
            state=state,
            purse=purse,
            callers=[connections.caller(way, target) for way, target in zip(header.ways, plan.targets, strict=True)],
            grader=Graders(judge=judge, embedder=embedder, schemas=schemas),
            judge=judge,
            source=source_of(file.prompts),
            comparing=lambda pairs: tell(f"The judge compares {pairs} pairs of answers, each in both orders"),
        )
        with schemas, progress, interrupted_by_signals(execution.stop):
            return await execution.run()


@contextmanager
def interrupted_by_signals(stop_work: Callable[[], None]) -> Generator[None]:
    """The first Ctrl-C, or SIGTERM, ends the run in order; a second one ends the process."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop() -> None:
        for number in signals:
            loop.remove_signal_handler(number)
        stop_work()

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
    """Counts results. `done` are those of an earlier process; latencies are stored as numbers, for the running
    median."""

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
