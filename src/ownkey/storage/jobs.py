"""Durable jobs: requests for work, written in the transaction of the change that causes them.

`due_at` is when a process may claim the job: from the start for a new one, at the end of the lease for one that is
being executed, later for a retry; None for a dead letter. A job that succeeded leaves no row.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.storage.statements import insert_or_ignore
from ownkey.storage.tables import jobs

_AT_ONCE = 100


class JobKey(Struct, frozen=True):
    """Which job: its kind, and what it is about."""

    name: str
    key: str


class StoredJob(Struct, frozen=True):
    """A job that is due. `holder` is set where its lease has expired, `attempts` counts failures."""

    id: JobKey
    due_at: float
    holder: str | None
    attempts: int


async def enqueue(conn: AsyncConnection, name: str, key: str, now: float) -> None:
    """Request a job; nothing happens where the same one is waiting or under way."""
    values = {"name": name, "key": key, "due_at": now, "attempts": 0, "created_at": now}
    await conn.execute(insert_or_ignore(conn, jobs, jobs.c.name, jobs.c.key), values)


async def due(conn: AsyncConnection, names: Sequence[str], now: float) -> list[StoredJob]:
    """Jobs of these kinds that may be claimed, the oldest first."""
    columns = jobs.c
    wanted = sa.select(columns.name, columns.key, columns.due_at, columns.holder, columns.attempts)
    wanted = wanted.where(columns.due_at <= now, columns.name.in_(names)).order_by(columns.due_at).limit(_AT_ONCE)
    return [StoredJob(JobKey(row[0], row[1]), *row[2:]) for row in await conn.execute(wanted)]


async def claim(conn: AsyncConnection, job: StoredJob, holder: str, until: float) -> bool:
    """Take the lease of a due job; False when somebody else was first."""
    statement = sa.update(jobs).where(_is(job.id), jobs.c.due_at == job.due_at)
    return (await conn.execute(statement.values(holder=holder, due_at=until))).rowcount > 0


async def renew(conn: AsyncConnection, holder: str, until: float) -> set[JobKey]:
    """Extend the holder's leases; the jobs that it still holds."""
    statement = sa.update(jobs).where(jobs.c.holder == holder, jobs.c.due_at.is_not(None)).values(due_at=until)
    rows = await conn.execute(statement.returning(jobs.c.name, jobs.c.key))
    return {JobKey(row[0], row[1]) for row in rows}


async def release(conn: AsyncConnection, holder: str, now: float) -> None:
    """Give back all leases of a holder that has stopped, or died."""
    statement = sa.update(jobs).where(jobs.c.holder == holder, jobs.c.due_at.is_not(None))
    await conn.execute(statement.values(holder=None, due_at=now))


async def finish(conn: AsyncConnection, job: JobKey, holder: str) -> None:
    """Delete a job that its holder has done."""
    await conn.execute(sa.delete(jobs).where(_is(job), jobs.c.holder == holder))


async def postpone(conn: AsyncConnection, job: JobKey, holder: str, due_at: float, attempts: int) -> None:
    """Give a job back until `due_at`."""
    statement = sa.update(jobs).where(_is(job), jobs.c.holder == holder)
    await conn.execute(statement.values(holder=None, due_at=due_at, attempts=attempts))


async def bury(conn: AsyncConnection, job: JobKey, holder: str, failure: str) -> None:
    """Make a dead letter of a job: nobody tries it again, and the operator can see that it failed, and by what kind
    of error."""
    statement = sa.update(jobs).where(_is(job), jobs.c.holder == holder)
    await conn.execute(statement.values(due_at=None, attempts=jobs.c.attempts + 1, failure=failure))


async def forget(conn: AsyncConnection, name: str, keys: Sequence[str]) -> int:
    """Delete jobs whose subject is gone; how many there were. Whoever carries one out stops within a second."""
    count = 0
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        count += (await conn.execute(sa.delete(jobs).where(jobs.c.name == name, jobs.c.key.in_(some)))).rowcount
    return count


async def prune(conn: AsyncConnection, before: float) -> int:
    """Delete dead letters that were enqueued before; how many there were."""
    return (await conn.execute(sa.delete(jobs).where(jobs.c.due_at.is_(None), jobs.c.created_at < before))).rowcount


def _is(job: JobKey) -> sa.ColumnElement[bool]:
    return sa.and_(jobs.c.name == job.name, jobs.c.key == job.key)
