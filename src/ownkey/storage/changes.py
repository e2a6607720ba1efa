"""The change feed: what other processes must forget because it was written here.

A number is taken from one counter row, whose lock a transaction holds until it ends. Appends are
therefore serial: numbers have no gaps and become visible in their order, so that a reader of what follows the last
number it saw misses nothing. (A Postgres sequence would give number 8 to a transaction that commits before number 7's.)
Append as the last step of a transaction, to hold that lock briefly and to take it in the same order as everybody else.
"""

import time
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.tenancy import Owner
from ownkey.storage.tables import change_counter, changes

EVERYTHING = "*"
"""The topic a reader gets when the changes it missed are deleted: forget everything cached."""

MASTER_KEY = "master-key"
"""The master key was rotated: every wrapped data key has changed."""


def owner_topic(owner: Owner) -> str:
    """What `owner` owns has changed: credentials, preferences, routes."""
    return f"owner:{owner.tenant}"


def user_topic(user_id: str) -> str:
    """The rights of an account have changed, or the account is gone."""
    return f"user:{user_id}"


def api_key_topic(key_hash: bytes) -> str:
    """The rights of an API key have changed, or the key is gone."""
    return f"api_key:{key_hash.hex()}"


class Change(NamedTuple):
    seq: int
    topic: str


async def append(conn: AsyncConnection, topic: str) -> int:
    """Announce a change in the transaction that makes it; its number."""
    taken = await conn.execute(
        sa.update(change_counter).values(seq=change_counter.c.seq + 1).returning(change_counter.c.seq)
    )
    seq: int = taken.scalar_one()
    await conn.execute(sa.insert(changes), {"seq": seq, "topic": topic, "at": time.time()})
    return seq


async def since(conn: AsyncConnection, seq: int, limit: int = 1000) -> list[Change]:
    """The changes after `seq`, oldest first, at most `limit`.

    When some of them were pruned already, or `seq` is of another database's future (a restored
    backup), the answer is one change: the latest number with the topic EVERYTHING.
    """
    following = change_counter.outerjoin(changes, changes.c.seq > seq)
    # One statement, hence one snapshot: read separately, the counter could be ahead of the rows.
    statement = sa.select(change_counter.c.seq.label("newest"), changes.c.seq, changes.c.topic).select_from(following)
    rows = (await conn.execute(statement.order_by(changes.c.seq).limit(limit))).all()
    newest: int = rows[0].newest
    if newest == seq:
        return []
    if rows[0].seq != seq + 1:
        return [Change(newest, EVERYTHING)]
    return [Change(row.seq, row.topic) for row in rows]


async def latest(conn: AsyncConnection) -> int:
    """The number of the last change, 0 before the first."""
    return (await conn.execute(sa.select(change_counter.c.seq))).scalar_one()


async def prune(conn: AsyncConnection, before: float) -> int:
    """Delete changes announced before `before` (Unix seconds); how many there were."""
    return (await conn.execute(sa.delete(changes).where(changes.c.at < before))).rowcount
