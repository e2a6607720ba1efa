"""Limits that hold across processes: at most so many hits in any window of time.

A sliding-window log: the times of the admitted hits of a key, at most `limit` of them. Unlike a
fixed window it never admits twice the limit across a boundary, and unlike a token bucket no burst.
Meant for small limits on rare deeds (testing a key, signing in), each hit being a transaction.
"""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.storage.records import Allowed
from ownkey.storage.statements import excluded, upsert
from ownkey.storage.tables import counters


async def hit(conn: AsyncConnection, key: str, limit: int, window_s: float, now: float) -> Allowed:
    """Count a deed against `key`; a refused one is not counted. `now` is Unix seconds.

    The count stands when the transaction commits, so give it one of its own: a deed that fails
    later and rolls back its work has been counted. A clock set back counts former hits as of now
    and so never waits longer than one window.
    """
    new = upsert(conn, counters).values(key=key, hits=[], expires_at=now + window_s)
    locked = new.on_conflict_do_update(
        index_elements=[counters.c.key], set_={"expires_at": excluded(counters.c.expires_at)}
    )
    stored: list[float] = (await conn.execute(locked.returning(counters.c.hits))).scalar_one()
    hits = sorted(min(at, now) for at in stored if at > now - window_s)
    allowed = len(hits) < limit
    if allowed:
        hits.append(now)
    await conn.execute(sa.update(counters).where(counters.c.key == key).values(hits=hits))
    if allowed:
        return Allowed(True, limit - len(hits), 0.0)
    retry_after = hits[len(hits) - limit] + window_s - now if limit > 0 else window_s
    return Allowed(False, 0, retry_after)


async def reset(conn: AsyncConnection, key: str) -> None:
    """Forget the hits of `key`, as after a successful sign-in."""
    await conn.execute(sa.delete(counters).where(counters.c.key == key))


async def sweep(conn: AsyncConnection, now: float) -> int:
    """Delete counters whose window has passed; how many there were."""
    return (await conn.execute(sa.delete(counters).where(counters.c.expires_at <= now))).rowcount
