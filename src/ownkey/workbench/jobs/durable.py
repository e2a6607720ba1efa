"""The workflows: a run in three kinds of step, and the hourly sweep.

What the library stores of them is ids and one word a judged pair: no prompt, no answer, no key. The library itself
keeps one instance a process; only this module knows it.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ownkey.domain.errors import Unavailable
from ownkey.workbench.jobs.bridge import LoopBridge

_SWEEP = "workbench-sweep"
_HOURLY = "0 * * * *"
_VERSION = "1"
"""Workflows of one version are taken up by processes of the same one: raise it when the steps change."""
_PAIRS_A_STEP = 8
_AT_ONCE = 200
_RETRY_S = 3.0
_LOOK_S = 60.0
_POOL = 5
_SWEEPS_KEPT = timedelta(days=1)


log = structlog.get_logger(__name__)


class JobWork(Protocol):
    """What the workflows carry out, on the server's event loop. Each step may be carried out again after a crash."""

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
        """Erase what has expired, and take up runs that nobody carries out."""
        ...


class DurableJobs:
    """Starts workflows and carries them out in this process. One object a process.

    `database_url` is SQLAlchemy's, for a synchronous driver. `executor` names this process and is the same after a
    restart, so that it finds its own open workflows. `loop` is where the work is done.
    """

    def __init__(self, database_url: str, executor: str, loop: asyncio.AbstractEventLoop) -> None:
        self._url = database_url
        self._executor = executor
        self._bridge = LoopBridge(loop)
        self._ready = asyncio.Event()
        self._launching: asyncio.Future[str | None] | None = None
        self._run: Any = None

    async def run(self, work: JobWork) -> None:
        """Open the library's database, take up what an earlier process left open, and be there until cancelled."""
        while not self._ready.is_set():
            self._launching = asyncio.get_running_loop().run_in_executor(None, self._try_launch, work)
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
            await asyncio.sleep(_LOOK_S)

    async def start(self, run_id: str, round_: int) -> None:
        """Begin a round of a run; nothing happens when that was begun already."""
        await self._ready.wait()
        await asyncio.to_thread(self._start, run_id, round_)

    async def take_up(self, run_id: str, round_: int) -> None:
        """Carry on a round that another process left and did not come back for."""
        await self._ready.wait()
        await asyncio.to_thread(self._take_up, run_id, round_)

    async def forget(self, workflows: Sequence[tuple[str, int]]) -> int:
        """Delete what the library stored of runs' workflows, each a run's id and its last round; how many there
        were."""
        await self._ready.wait()
        ids = [_workflow_id(run_id, round_) for run_id, last in workflows for round_ in range(1, last + 1)]
        return await asyncio.to_thread(self._forget, ids)

    async def close(self) -> None:
        """Leave open workflows as they are, for the next start, and end the library's threads."""
        await self._bridge.close()
        if self._launching is not None:
            from dbos import DBOS

            await self._launching
            await asyncio.to_thread(DBOS.destroy, destroy_registry=True)

    def _try_launch(self, work: JobWork) -> str | None:
        """What went wrong, in short."""
        from dbos import DBOS, error

        try:
            self._launch(work)
        except (SQLAlchemyError, error.DBOSException, OSError) as failure:
            DBOS.destroy(destroy_registry=True)
            return type(failure).__name__
        return None

    def _launch(self, work: JobWork) -> None:
        from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

        # A handler that does nothing keeps the library from making a console of its own: its lines go to our log.
        logging.getLogger("dbos").addHandler(logging.NullHandler())
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

        @DBOS.workflow(name="workbench-run")
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

        @DBOS.workflow(name=_SWEEP)
        def sweep(at: datetime, context: Any) -> None:
            sweep_step()
            _prune(at)

        self._run = run
        DBOS.launch()
        DBOS.apply_schedules([{"schedule_name": _SWEEP, "workflow_fn": sweep, "schedule": _HOURLY, "context": None}])

    def _start(self, run_id: str, round_: int) -> None:
        from dbos import DBOS, SetWorkflowID

        with SetWorkflowID(_workflow_id(run_id, round_)):
            DBOS.start_workflow(self._run, run_id, round_)

    def _take_up(self, run_id: str, round_: int) -> None:
        from dbos import DBOS

        workflow_id = _workflow_id(run_id, round_)
        if DBOS.get_workflow_status(workflow_id) is None:
            self._start(run_id, round_)
        else:
            DBOS.resume_workflow(workflow_id)

    def _forget(self, workflow_ids: Sequence[str]) -> int:
        from dbos import DBOS

        known: list[str] = []
        for start in range(0, len(workflow_ids), _AT_ONCE):
            some = list(workflow_ids[start : start + _AT_ONCE])
            known += [each.workflow_id for each in DBOS.list_workflows(workflow_ids=some, load_input=False)]
        if known:
            DBOS.cancel_workflows(known)
            DBOS.delete_workflows(known)
        return len(known)


def _prune(now: datetime) -> None:
    """Delete what the library keeps of sweeps of earlier days."""
    from dbos import DBOS

    old = (now - _SWEEPS_KEPT).isoformat()
    past = DBOS.list_workflows(name=_SWEEP, end_time=old, load_input=False, load_output=False)
    if past:
        DBOS.delete_workflows([each.workflow_id for each in past])


def _workflow_id(run_id: str, round_: int) -> str:
    return f"{run_id}:{round_}"
