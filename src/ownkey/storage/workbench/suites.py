"""Uploaded suites and their prompts."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.storage.statements import lock_name
from ownkey.storage.workbench.rows import StoredSuite
from ownkey.storage.workbench.tables import workbench_prompts, workbench_suites

_AT_ONCE = 500


async def create(conn: AsyncConnection, suite: StoredSuite, prompts: Sequence[bytes]) -> None:
    """Store a suite with its prompts. Raises Conflict, when the transaction ends, if its owner is gone."""
    await conn.execute(sa.insert(workbench_suites), {name: getattr(suite, name) for name in suite.__struct_fields__})
    for start in range(0, len(prompts), _AT_ONCE):
        rows = [
            {"suite_id": suite.id, "position": position, "body": body}
            for position, body in enumerate(prompts[start : start + _AT_ONCE], start)
        ]
        await conn.execute(sa.insert(workbench_prompts), rows)


async def lock(conn: AsyncConnection, session_id: str | None, user_id: str | None) -> None:
    """Let one transaction at a time add to the suites of a session or a user."""
    await lock_name(conn, f"workbench suites {user_id or session_id}")


async def visible(conn: AsyncConnection, session_id: str | None, user_id: str | None) -> list[StoredSuite]:
    """The suites of a session and of a user, oldest first."""
    columns = workbench_suites.c
    statement = sa.select(workbench_suites).where(_owned(session_id, user_id))
    rows = await conn.execute(statement.order_by(columns.created_at, columns.id))
    return [StoredSuite(**row) for row in rows.mappings()]


async def get(conn: AsyncConnection, suite_id: str, session_id: str | None, user_id: str | None) -> StoredSuite | None:
    """A suite of the session's or the user's; a foreign one is absent."""
    statement = sa.select(workbench_suites).where(workbench_suites.c.id == suite_id, _owned(session_id, user_id))
    row = (await conn.execute(statement)).mappings().first()
    return None if row is None else StoredSuite(**row)


async def delete(conn: AsyncConnection, suite_id: str, session_id: str | None, user_id: str | None) -> bool:
    """Whether the suite existed. Its runs retain their results."""
    statement = sa.delete(workbench_suites).where(workbench_suites.c.id == suite_id, _owned(session_id, user_id))
    return (await conn.execute(statement)).rowcount > 0


async def page(conn: AsyncConnection, suite_id: str, start: int, count: int) -> list[bytes]:
    """The bodies of at most `count` prompts from position `start` on."""
    columns = workbench_prompts.c
    statement = (
        sa.select(columns.body)
        .where(columns.suite_id == suite_id, columns.position >= start)
        .order_by(columns.position)
        .limit(count)
    )
    return list((await conn.execute(statement)).scalars())


def _owned(session_id: str | None, user_id: str | None) -> sa.ColumnElement[bool]:
    columns = workbench_suites.c
    mine: list[sa.ColumnElement[bool]] = [sa.false()]
    if session_id is not None:
        mine.append(columns.session_id == session_id)
    if user_id is not None:
        mine.append(columns.user_id == user_id)
    return sa.or_(*mine)
