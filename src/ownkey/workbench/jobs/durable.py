"""The workflows: a run in three kinds of step, and the hourly sweep.

What the library stores of them is ids and one word a judged pair: no prompt, no answer, no key. The library itself
keeps one instance a process; only this folder knows it.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol, TypeVar

import structlog

from ownkey.domain.errors import Unavailable
from ownkey.workbench.jobs import library
from ownkey.workbench.jobs.bridge import LoopBridge
from ownkey.workbench.jobs.speech import Plain

_HOURLY = "0 * * * *"
_VERSION = "1"
"""Workflows of one version are taken up by processes of the same one: raise it when the steps change."""
_PAIRS_A_STEP = 8
_RETRY_S = 3.0
_PATIENCE_S = 10.0
"""How long somebody who asks for work waits for the library's database."""
_POOL = 5
_THREADS = 4
_AWAY = "The database of the workbench's jobs does not answer: try again in a minute."
_LIBRARY = "dbos"

T = TypeVar("T")

log = structlog.get_logger(__name__)


class JobWork(Protocol):
    """What the workflows carry out, on the server's event loop. Each step may be carried out again after a crash, or
    when it raised Unavailable."""

    async def execute(self, run_id: str, round_: int) -> str | None:
        """Make the calls of a run; how that ended, in a word. None when there is nothing more to do for it."""
        ...

    async def pairs(self, run_id: str) -> int:
        """How many pairs of answers a judge is to compare."""
        ...

    async def judge(self, run_id: str, start: int, count: int) -> list[str]:
        """Compare `count` pairs from number `start` on; a word a pair."""
        ...

    async def conclude(self, run_id: str, round_: int, ending: str, outcomes: Sequence[str]) -> None:
        """Compute and store the figures, and end the run."""
        ...

    async def sweep(self) -> None:
        """Erase what has expired, take up runs that nobody carries out, forget jobs whose runs are gone."""
        ...


class DurableJobs:
    """Starts workflows and carries them out in this process. One object a process.

    `database_url` is SQLAlchemy's, for a synchronous driver. `executor` names this process and is the same after a
    restart, so that it finds its own open workflows. `loop` is where the work is done. Every `look_s` seconds the
    work's `sweep` is called.
    """

    def __init__(self, database_url: str, executor: str, loop: asyncio.AbstractEventLoop, look_s: float = 60.0) -> None:
        self._url = database_url
        self._executor = executor
        self._look_s = look_s
        self._bridge = LoopBridge(loop)
        self._ready = asyncio.Event()
        self._launching: asyncio.Future[str | None] | None = None
        # Of its own: the library waits for a database that is away, and nobody else's work is to wait with it.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="jobs")
        self._run: Any = None

    async def run(self, work: JobWork) -> None:
        """Open the library's database, take up what an earlier process left open, and be there until cancelled."""
        while not self._ready.is_set():
            self._launching = asyncio.get_running_loop().run_in_executor(self._threads, self._try_launch, work)
            failure = await asyncio.shield(self._launching)
            if failure is None:
                self._ready.set()
            else:
                log.warning("durable jobs wait for their database", reason=failure)
                await asyncio.sleep(_RETRY_S)
        while True:
            # At once, as the hour may have passed while no process was there; then for runs that lost theirs.
            with suppress(Unavailable):
                await work.sweep()
            await asyncio.sleep(self._look_s)

    async def start(self, run_id: str, round_: int) -> None:
        """Begin a round of a run; nothing happens when that was begun already. Where the library's database is away,
        the round begins when a sweep finds that nobody carries it out."""
        try:
            await self._ask(lambda: library.begin(self._run, run_id, round_))
        except Unavailable as away:
            log.warning("a workbench run begins later: the jobs' database is away", reason=away.operator)

    async def take_up(self, run_id: str, round_: int) -> bool:
        """Carry on a round that nobody carries out; False when it ended by an exception, as it would again. Raises
        Unavailable."""
        return await self._ask(lambda: library.take_up(self._run, run_id, round_))

    async def forget(self, workflows: Sequence[tuple[str, int]]) -> int:
        """Delete what the library stored of runs' workflows, each a run's id and its last round; how many there
        were. Where its database is away that is none, and a sweep makes up for it."""
        try:
            return await self._ask(lambda: library.forget(workflows))
        except Unavailable as away:
            log.warning("jobs of erased workbench runs are forgotten later", reason=away.operator)
            return 0

    async def remembered(self) -> dict[str, int]:
        """The runs of which the library has workflows, with their last rounds. Raises Unavailable."""
        return await self._ask(library.remembered)

    async def close(self) -> None:
        """Leave open workflows as they are, for the next start, and end the library's threads."""
        await self._bridge.close()
        if self._launching is not None:
            from dbos import DBOS

            await asyncio.wait((self._launching,), timeout=_PATIENCE_S)
            await asyncio.to_thread(DBOS.destroy, destroy_registry=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, question: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._ready.wait()
                return await asyncio.get_running_loop().run_in_executor(self._threads, question)
        except TimeoutError:
            raise Unavailable(_AWAY, operator="no answer in time") from None
        except library.failures() as failure:
            raise Unavailable(_AWAY, operator=type(failure).__name__) from None

    def _try_launch(self, work: JobWork) -> str | None:
        """What went wrong, in short."""
        from dbos import DBOS

        try:
            self._launch(work)
        except library.failures() as failure:
            DBOS.destroy(destroy_registry=True)
            return type(failure).__name__
        return None

    def _launch(self, work: JobWork) -> None:
        from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

        # A handler that does nothing keeps the library from making a console of its own: its lines go to our log.
        spoken = logging.getLogger(_LIBRARY)
        spoken.handlers = [logging.NullHandler()]
        spoken.filters = [Plain()]
        config = DBOSConfig(
            name="ownkey",
            system_database_url=self._url,
            application_version=_VERSION,
            executor_id=self._executor,
            serializer=DBOSPortableJSONSerializer(),
            log_level="WARNING",
            sys_db_pool_size=_POOL,
        )
        DBOS(config=config)
        wait = self._bridge.wait

        @DBOS.step(name="execute")
        def execute(run_id: str, round_: int) -> str | None:
            return wait(lambda: work.execute(run_id, round_))

        @DBOS.step(name="pairs")
        def pairs(run_id: str) -> int:
            return wait(lambda: work.pairs(run_id))

        @DBOS.step(name="judge")
        def judge(run_id: str, start: int) -> list[str]:
            return wait(lambda: work.judge(run_id, start, _PAIRS_A_STEP))

        @DBOS.step(name="conclude")
        def conclude(run_id: str, round_: int, ending: str, outcomes: list[str]) -> None:
            wait(lambda: work.conclude(run_id, round_, ending, outcomes))

        @DBOS.workflow(name=library.RUN)
        def run(run_id: str, round_: int) -> None:
            ending = execute(run_id, round_)
            if ending is None:
                return
            outcomes: list[str] = []
            for start in range(0, pairs(run_id), _PAIRS_A_STEP):
                outcomes += judge(run_id, start)
            conclude(run_id, round_, ending, outcomes)

        @DBOS.step(name="sweep")
        def sweep_step() -> None:
            wait(work.sweep)

        @DBOS.workflow(name=library.SWEEP)
        def sweep(at: datetime, context: Any) -> None:
            sweep_step()
            library.prune_sweeps(at)

        self._run = run
        DBOS.launch()
        DBOS.apply_schedules(
            [{"schedule_name": library.SWEEP, "workflow_fn": sweep, "schedule": _HOURLY, "context": None}]
        )
