"""Runs as rows: `RunStore` on the server. A paid answer outlives a database that is away for a while.

A call has one row. A result of a later round takes the place of a failure and takes over its attempts and their cost.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

import msgspec
import structlog
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.errors import Unavailable
from ownkey.logs import outline
from ownkey.storage import workbench as rows
from ownkey.storage.database import Database
from ownkey.storage.workbench import StoredJudgement, StoredResult
from ownkey.workbench.engine import Judgement, RunState, Spending
from ownkey.workbench.records import Result, RunStatus, Slot
from ownkey.workbench.summary import RunSummary, Verdict

_PATIENCE_S = 300.0
_PAUSE_S = 1.0
_PAGE = 200

RUN_JOB = "workbench-run"
"""The name of the durable job that executes a round of a run."""

log = structlog.get_logger(__name__)


def job_key(run_id: str, round_: int) -> str:
    """The key of the job that executes a round of a run."""
    return f"{run_id}:{round_}"


class RowRunStore:
    """One round of a run in the database. `stored` is called with the run's id after each change.

    Writes raise Conflict when the run was erased, and Unavailable when the database stays away for five minutes.
    """

    def __init__(self, database: Database, run_id: str, round_: int, stored: Callable[[str], None]) -> None:
        self._database = database
        self._run_id = run_id
        self._round = round_
        self._stored = stored
        self._seq = 0
        self._done = 0

    async def state(self) -> RunState:
        async with self._database.read() as conn:
            run = await rows.runs.get(conn, self._run_id)
            settled = frozenset(Slot(*key) for key in await rows.results.settled(conn, self._run_id, self._round))
            self._seq = await rows.results.last_seq(conn, self._run_id)
            judgements = await rows.results.judgements(conn, self._run_id)
        self._done = sum(slot.repeat >= 0 for slot in settled)
        spending = None if run is None else run.spending
        return RunState(
            settled=settled,
            spending=Spending() if spending is None else msgspec.json.decode(spending, type=Spending),
            judgements=tuple(
                Judgement(each.other, each.position, Verdict(each.verdict), each.flipped) for each in judgements
            ),
        )

    async def keep(self, results: Sequence[Result], spending: Spending) -> None:
        batch = [self._row(number, result) for number, result in enumerate(results, self._seq + 1)]
        done = self._done + sum(not result.warm_up for result in results)

        async def put() -> None:
            async with self._database.write() as conn:
                stored = batch if self._round == 1 else [await self._with_earlier(conn, row) for row in batch]
                await rows.results.put(conn, self._run_id, stored, done, msgspec.json.encode(spending))

        await _patiently(put)
        self._seq += len(batch)
        self._done = done
        if batch:
            self._stored(self._run_id)

    async def keep_judgement(self, judgement: Judgement, spending: Spending) -> None:
        row = StoredJudgement(judgement.other, judgement.position, judgement.verdict.value, judgement.flipped)

        async def put() -> None:
            async with self._database.write() as conn:
                await rows.results.put_judgement(conn, self._run_id, row, msgspec.json.encode(spending))

        await _patiently(put)

    def results(self) -> AsyncGenerator[Result]:
        return stored_results(self._database, self._run_id)

    async def answer(self, target: int, position: int) -> str | None:
        async with self._database.read() as conn:
            row = await rows.results.one(conn, self._run_id, target, position, 0)
        return None if row is None or not row.ok else decode_result(row).observation.text

    async def end(self, status: RunStatus, detail: str, summary: RunSummary | None) -> None:
        encoded = None if summary is None else msgspec.json.encode(summary)

        async def store() -> None:
            async with self._database.write() as conn:
                await rows.runs.end(conn, self._run_id, self._round, status.value, detail, encoded, time.time())

        await _patiently(store)
        self._stored(self._run_id)

    async def _with_earlier(self, conn: AsyncConnection, row: StoredResult) -> StoredResult:
        """The row with the attempts and the cost of the failure in whose place it comes."""
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


async def stored_results(database: Database, run_id: str) -> AsyncGenerator[Result]:
    """A run's results in the order of their arrival, a page at a time in memory."""
    after = 0
    while True:
        async with database.read() as conn:
            page = await rows.results.after(conn, run_id, after, _PAGE)
        for row in page:
            yield decode_result(row)
        if len(page) < _PAGE:
            return
        after = page[-1].seq


def decode_result(row: StoredResult) -> Result:
    """A result as it was stored, with the number and round of its row."""
    return replace(msgspec.json.decode(row.body, type=Result), seq=row.seq, round=row.round)


async def _patiently(write: Callable[[], Awaitable[None]]) -> None:
    """Write, again and again while the database is away. Raises Unavailable after five minutes."""
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
