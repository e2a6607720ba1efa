"""Pools and leases in the database: one transaction reports what was spent and grants what is needed.

Each pool's row is locked, in the order of ids, before anything is read of it; on SQLite a write transaction is alone.
Time is the database's, read under that lock, so that no process's clock matters. A clock set back delays what is in
a window by one window at most; one set forward by more than a window forgets it, which cannot be distinguished from
time that has passed.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.allowance import SlidingWindow, slice_size
from ownkey.domain.slices import Ask, Grant
from ownkey.storage.database import Database
from ownkey.storage.statements import excluded, is_postgres, upsert
from ownkey.storage.tables import leases, pools, runs

_FORGOTTEN_AFTER_S = 600.0
"""Seconds after the end of a pool's window when its row goes. Far longer than a run is valid without renewal."""


class Exchange(Struct, frozen=True):
    """The store's reply, a grant for each ask. `expired`: the run has expired, all that it held counts as spent, and
    nothing was granted; continue under a new id."""

    grants: tuple[Grant, ...] = ()
    expired: bool = False


class PoolStore:
    """What `LeasedAllowance` needs of the database. `process` and `journal` name this process to an operator. `clock`
    (Unix seconds) replaces the database's."""

    def __init__(
        self, database: Database, process: str, journal: str, clock: sa.ColumnElement[float] | None = None
    ) -> None:
        self._database = database
        self._process = process
        self._journal = journal
        self._clock = _clock(database.engine == "postgresql") if clock is None else clock

    async def exchange(self, run_id: str, asks: Sequence[Ask], validity_s: float) -> Exchange:
        """Renew the run for `validity_s` seconds and answer `asks`. Raises Unavailable."""
        async with self._database.write() as conn:
            if not await self._renew(conn, run_id, validity_s):
                return Exchange(expired=True)
            live = sa.select(sa.func.count()).where(runs.c.expires_at > self._clock)
            count = (await conn.execute(live)).scalar_one() if any(ask.want for ask in asks) else 1
            grants: dict[str, Grant] = {}
            for ask in sorted(asks, key=lambda ask: ask.pool.id):
                grants[ask.pool.id] = await self._answer(conn, run_id, ask, count)
        return Exchange(tuple(grants[ask.pool.id] for ask in asks))

    async def recalled(self, run_id: str) -> frozenset[str]:
        """Ids of the pools whose lease others need. Raises Unavailable."""
        statement = sa.select(leases.c.pool_id).where(leases.c.run_id == run_id, leases.c.recalled)
        async with self._database.read() as conn:
            return frozenset((await conn.execute(statement)).scalars())

    async def forget(self, run_id: str, pool_id: str) -> None:
        """Forget what was taken from a pool and what `run_id` holds of it. Raises Unavailable."""
        async with self._database.write() as conn:
            locked = sa.select(pools.c.leased).where(pools.c.id == pool_id).with_for_update()
            leased = (await conn.execute(locked)).scalar_one_or_none()
            if leased is None:
                return
            held, _ = await _lease(conn, run_id, pool_id)
            await _put_lease(conn, run_id, pool_id, 0, 0)
            update = sa.update(pools).where(pools.c.id == pool_id)
            await conn.execute(update.values(leased=leased - held, spent=0, spends=[]))

    async def _renew(self, conn: AsyncConnection, run_id: str, validity_s: float) -> bool:
        new = upsert(conn, runs).values(
            id=run_id, process=self._process, journal=self._journal, expires_at=self._clock + validity_s
        )
        renewed = new.on_conflict_do_update(
            index_elements=[runs.c.id],
            set_={"expires_at": excluded(runs.c.expires_at)},
            where=runs.c.expires_at > self._clock,
        )
        return (await conn.execute(renewed.returning(runs.c.id))).first() is not None

    async def _answer(self, conn: AsyncConnection, run_id: str, ask: Ask, live: int) -> Grant:
        pool = ask.pool
        row = await self._lock(conn, ask)
        window, leased, now = SlidingWindow(pool.window_s, row.spends), row.leased, row.now
        held, settled = await _lease(conn, run_id, pool.id) if leased else (0, 0)
        reported = 0
        for age, amount in ask.spent:
            # More than is leased can only be what has been counted already, when the lease expired.
            counted = min(amount, held - reported)
            if counted > 0:
                window.add(now - age, counted)
                reported += counted
        kept = min(ask.keep, held - reported)
        others = leased - held
        free = pool.limit - window.total(now) - others - kept
        if free < ask.need and others:
            expired = await self._expire(conn, pool.id, window)
            others -= expired
            free = pool.limit - window.total(now) - others - kept
        units = slice_size(free, ask.need, ask.least, ask.want, live)
        if kept + units or held:
            await _put_lease(conn, run_id, pool.id, settled + reported, kept + units)
        values = {
            "spent": window.total(now),
            "leased": others + kept + units,
            "spends": window.spends,
            "used_at": now,
        }
        await conn.execute(sa.update(pools).where(pools.c.id == pool.id).values(values))
        if units >= ask.need:
            return Grant(units, kept)
        if others:
            recall = sa.update(leases).where(leases.c.pool_id == pool.id, leases.c.run_id != run_id)
            await conn.execute(recall.values(recalled=True))
        return Grant(units, kept, window.room_in(free - units, ask.least, now), leased=others > 0)

    async def _lock(self, conn: AsyncConnection, ask: Ask) -> sa.Row[tuple[int, list[tuple[float, int]], float]]:
        """(leased, spends, now) of the pool, created when absent, locked until the transaction ends."""
        pool = ask.pool
        new = upsert(conn, pools).values(
            id=pool.id,
            kind="rate",
            unit=pool.unit,
            amount=pool.limit,
            window_s=pool.window_s,
            spent=0,
            leased=0,
            spends=[],
            used_at=0.0,
        )
        changed = {"amount": excluded(pools.c.amount), "window_s": excluded(pools.c.window_s)}
        locked = new.on_conflict_do_update(index_elements=[pools.c.id], set_=changed)
        found = await conn.execute(locked.returning(pools.c.leased, pools.c.spends, self._clock.label("now")))
        return found.one()

    async def _expire(self, conn: AsyncConnection, pool_id: str, window: SlidingWindow) -> int:
        """Count the expired leases of a pool as spent when they expired; how many units that was.

        A run that is being renewed at this moment is passed over.
        """
        over = (
            sa.select(leases.c.run_id, leases.c.granted - leases.c.settled, runs.c.expires_at)
            .join(runs, runs.c.id == leases.c.run_id)
            .where(leases.c.pool_id == pool_id, runs.c.expires_at <= self._clock)
            .with_for_update(skip_locked=True, of=runs)
        )
        total = 0
        for run_id, held, expired_at in (await conn.execute(over)).all():
            window.add(expired_at, held)
            total += held
            await conn.execute(sa.delete(leases).where(leases.c.run_id == run_id, leases.c.pool_id == pool_id))
        return total


async def sweep(conn: AsyncConnection, validity_s: float = 60.0) -> None:
    """Delete pools that nobody has used for long, with their leases, and runs that have expired and hold nothing.

    A clock set back extends no run beyond `validity_s`."""
    clock = _clock(is_postgres(conn))
    late = runs.c.expires_at > clock + validity_s
    await conn.execute(sa.update(runs).where(late).values(expires_at=clock + validity_s))
    unused = (
        sa.select(pools.c.id)
        .where(pools.c.used_at + pools.c.window_s + _FORGOTTEN_AFTER_S < clock)
        .with_for_update(skip_locked=True)
    )
    ids = list((await conn.execute(unused)).scalars())
    if ids:
        await conn.execute(sa.delete(leases).where(leases.c.pool_id.in_(ids)))
        await conn.execute(sa.delete(pools).where(pools.c.id.in_(ids)))
    holders = sa.select(leases.c.run_id)
    await conn.execute(sa.delete(runs).where(runs.c.expires_at <= clock, runs.c.id.not_in(holders)))


def _clock(postgres: bool) -> sa.ColumnElement[float]:
    """Unix seconds at the moment of evaluation, not of the transaction's begin."""
    if postgres:
        return sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Double)
    return (sa.func.julianday("now", type_=sa.Double) - 2440587.5) * 86400.0


async def _lease(conn: AsyncConnection, run_id: str, pool_id: str) -> tuple[int, int]:
    """(held, settled so far)."""
    statement = sa.select(leases.c.granted, leases.c.settled)
    row = (await conn.execute(statement.where(leases.c.run_id == run_id, leases.c.pool_id == pool_id))).first()
    return (0, 0) if row is None else (row.granted - row.settled, row.settled)


async def _put_lease(conn: AsyncConnection, run_id: str, pool_id: str, settled: int, held: int) -> None:
    if not held:
        await conn.execute(sa.delete(leases).where(leases.c.run_id == run_id, leases.c.pool_id == pool_id))
        return
    values = {"granted": settled + held, "settled": settled, "recalled": False}
    new = upsert(conn, leases).values(run_id=run_id, pool_id=pool_id, **values)
    await conn.execute(
        new.on_conflict_do_update(
            index_elements=[leases.c.run_id, leases.c.pool_id],
            set_={name: excluded(leases.c[name]) for name in values},
        )
    )
