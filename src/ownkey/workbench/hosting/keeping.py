"""Results into the database as they come, numbered; a paid answer outlives a database that is away for a while.

A call has one row. A result of a later round takes the place of a failure and takes over its tries and what they cost.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.errors import Unavailable
from ownkey.logs import outline
from ownkey.storage import workbench as rows
from ownkey.storage.database import Database
from ownkey.storage.workbench import StoredResult, StoredRun
from ownkey.workbench.engine import Purse, Spending
from ownkey.workbench.records import Result, RunPlan

_PATIENCE_S = 300.0
_PAUSE_S = 1.0

log = structlog.get_logger(__name__)


class Keeper:
    """Stores one run's results, and what its purse has spent. `seq` is the number of the newest one, `done` how many
    calls are settled; `ring` is called with the run's id after each batch."""

    def __init__(
        self,
        database: Database,
        run_id: str,
        round_: int,
        seq: int,
        done: int,
        purse: Purse,
        ring: Callable[[str], None],
    ) -> None:
        self._database = database
        self._run_id = run_id
        self._round = round_
        self._seq = seq
        self._done = done
        self._purse = purse
        self._ring = ring

    async def keep(self, results: Sequence[Result]) -> None:
        """Store a batch in one transaction. Raises Conflict when the run is gone, Unavailable when the database stays
        away for five minutes."""
        batch = [self._row(number, result) for number, result in enumerate(results, self._seq + 1)]
        done = self._done + sum(not result.warm_up for result in results)
        spending = msgspec.json.encode(self._purse.spending)

        async def put() -> None:
            async with self._database.write() as conn:
                stored = batch if self._round == 1 else [await self._with_earlier(conn, row) for row in batch]
                await rows.results.put(conn, self._run_id, stored, done, spending)

        await patiently(put)
        self._seq += len(batch)
        self._done = done
        self._ring(self._run_id)

    async def _with_earlier(self, conn: AsyncConnection, row: StoredResult) -> StoredResult:
        """The row, which knows of the failure in whose place it comes: that it was, and what it cost."""
        failed = await rows.results.one(conn, self._run_id, row.target, row.position, row.repeat)
        if failed is None or failed.ok or failed.round >= row.round:
            return row
        before = msgspec.json.decode(failed.body, type=Result).observation
        result = msgspec.json.decode(row.body, type=Result)
        seen = result.observation
        known = [each.cost for each in (before, seen) if each.cost is not None]
        observation = replace(
            seen,
            attempts=before.attempts + seen.attempts,
            backoff_ms=before.backoff_ms + seen.backoff_ms,
            first_failure=before.first_failure or before.failure,
            cost=sum(known) if known else None,
        )
        return replace(row, body=msgspec.json.encode(replace(result, observation=observation)))

    def _row(self, number: int, result: Result) -> StoredResult:
        slot = result.slot
        body = msgspec.json.encode(result)
        return StoredResult(slot.target, slot.position, slot.repeat, number, self._round, result.observation.ok, body)


def purse_of(run: StoredRun, plan: RunPlan) -> Purse:
    """What is left of the run's limit, after what it spent before."""
    return Purse(plan.max_cost, spending_of(run))


async def keep_spending(database: Database, run_id: str, purse: Purse) -> None:
    """Store what a purse has spent, so that a process that is killed does not forget it."""

    async def spend() -> None:
        async with database.write() as conn:
            await rows.runs.spend(conn, run_id, msgspec.json.encode(purse.spending))

    await patiently(spend)


def spending_of(run: StoredRun) -> Spending:
    return Spending() if run.spending is None else msgspec.json.decode(run.spending, type=Spending)


async def patiently(write: Callable[[], Awaitable[None]]) -> None:
    """Do a write, again and again while the database is away. Raises Unavailable after five minutes."""
    give_up = time.monotonic() + _PATIENCE_S
    while True:
        try:
            await write()
            return
        except Unavailable as error:
            if time.monotonic() > give_up:
                raise
            log.warning("a workbench result waits for the database", reason=outline(error))
            await asyncio.sleep(_PAUSE_S)
