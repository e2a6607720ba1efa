"""Runs: created, begun, ended, begun again."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.storage.workbench.rows import RunProgress, StoredRun
from ownkey.storage.workbench.tables import workbench_runs

OPEN = ("pending", "running")


async def create(conn: AsyncConnection, run: StoredRun) -> None:
    """Store a new run. Raises Conflict, when the transaction ends, if its session is gone."""
    await conn.execute(sa.insert(workbench_runs), {name: getattr(run, name) for name in run.__struct_fields__})


async def get(conn: AsyncConnection, run_id: str) -> StoredRun | None:
    row = (await conn.execute(sa.select(workbench_runs).where(workbench_runs.c.id == run_id))).mappings().first()
    return None if row is None else StoredRun(**row)


async def list_of_session(conn: AsyncConnection, session_id: str) -> list[StoredRun]:
    """The session's runs, newest first."""
    columns = workbench_runs.c
    wanted = sa.select(workbench_runs).where(columns.session_id == session_id)
    rows = await conn.execute(wanted.order_by(columns.created_at.desc(), columns.id.desc()))
    return [StoredRun(**row) for row in rows.mappings()]


async def count_open(conn: AsyncConnection, session_id: str) -> int:
    """How many of the session's runs have not ended."""
    columns = workbench_runs.c
    wanted = sa.select(sa.func.count()).where(columns.session_id == session_id, columns.status.in_(OPEN))
    return (await conn.execute(wanted)).scalar_one()


async def progress(conn: AsyncConnection, run_id: str) -> RunProgress | None:
    columns = workbench_runs.c
    fields = (columns.status, columns.done, columns.total, columns.round, columns.cancel_requested)
    row = (await conn.execute(sa.select(*fields).where(columns.id == run_id))).first()
    return None if row is None else RunProgress(*row)


async def begin(conn: AsyncConnection, run_id: str, round_: int, now: float) -> bool:
    """Mark the run as running in this round; False when it has ended, was begun again meanwhile, or is gone."""
    columns = workbench_runs.c
    statement = sa.update(workbench_runs).where(columns.id == run_id, columns.round == round_, columns.status.in_(OPEN))
    started = sa.func.coalesce(columns.started_at, now)
    result = await conn.execute(statement.values(status="running", started_at=started))
    return result.rowcount > 0


async def request_cancel(conn: AsyncConnection, run_id: str) -> bool:
    """Ask for the end of a run that has not ended; False when it has."""
    columns = workbench_runs.c
    statement = sa.update(workbench_runs).where(columns.id == run_id, columns.status.in_(OPEN))
    return (await conn.execute(statement.values(cancel_requested=True))).rowcount > 0


async def end(
    conn: AsyncConnection, run_id: str, round_: int, status: str, detail: str, summary: bytes | None, now: float
) -> bool:
    """Store how a round ended; False when it had ended before or another round has begun."""
    columns = workbench_runs.c
    statement = sa.update(workbench_runs).where(columns.id == run_id, columns.round == round_, columns.status.in_(OPEN))
    values = {"status": status, "detail": detail, "summary": summary, "ended_at": now, "cancel_requested": False}
    return (await conn.execute(statement.values(values))).rowcount > 0


async def again(conn: AsyncConnection, run_id: str) -> int | None:
    """Open an ended run for another round; its number, None when the run has not ended."""
    columns = workbench_runs.c
    statement = sa.update(workbench_runs).where(columns.id == run_id, columns.status.not_in(OPEN))
    values = {"status": "pending", "detail": "", "round": columns.round + 1, "ended_at": None}
    return (await conn.execute(statement.values(values).returning(columns.round))).scalar_one_or_none()


async def delete(conn: AsyncConnection, run_id: str) -> bool:
    return (await conn.execute(sa.delete(workbench_runs).where(workbench_runs.c.id == run_id))).rowcount > 0
