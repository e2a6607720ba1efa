"""Workbench sessions: found by the keyed hash of their token or by their user, erased whole."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.storage.statements import insert_or_ignore, lock_name
from ownkey.storage.tables import data_keys
from ownkey.storage.workbench.rows import ErasedSession, WorkbenchSession
from ownkey.storage.workbench.tables import (
    workbench_prompts,
    workbench_results,
    workbench_runs,
    workbench_sessions,
    workbench_suites,
    workbench_targets,
)


async def create(conn: AsyncConnection, session: WorkbenchSession) -> bool:
    """Store a new session; False when its creator's address has one already."""
    values = {field: getattr(session, field) for field in session.__struct_fields__}
    statement = insert_or_ignore(conn, workbench_sessions, workbench_sessions.c.peer_hash)
    row = (await conn.execute(statement.returning(workbench_sessions.c.id), values)).first()
    return row is not None


async def by_token(conn: AsyncConnection, session_id: str, token_hash: bytes, now: float) -> WorkbenchSession | None:
    """The session with this id and token, unless it has expired."""
    columns = workbench_sessions.c
    return await _first(conn, columns.id == session_id, columns.token_hash == token_hash, columns.expires_at > now)


async def of_token(conn: AsyncConnection, token_hash: bytes, now: float) -> WorkbenchSession | None:
    """The session whose token this is, unless it has expired."""
    columns = workbench_sessions.c
    return await _first(conn, columns.token_hash == token_hash, columns.expires_at > now)


async def of_user(conn: AsyncConnection, session_id: str, user_id: str, now: float) -> WorkbenchSession | None:
    """The user's own session, unless it has expired."""
    columns = workbench_sessions.c
    return await _first(conn, columns.id == session_id, columns.user_id == user_id, columns.expires_at > now)


async def get(conn: AsyncConnection, session_id: str) -> WorkbenchSession | None:
    """A session for work that was allowed before, expired or not."""
    return await _first(conn, workbench_sessions.c.id == session_id)


async def list_of_user(conn: AsyncConnection, user_id: str, now: float, limit: int) -> list[WorkbenchSession]:
    """The user's sessions, newest first."""
    columns = workbench_sessions.c
    statement = (
        sa.select(workbench_sessions)
        .where(columns.user_id == user_id, columns.expires_at > now)
        .order_by(columns.created_at.desc(), columns.id.desc())
        .limit(limit)
    )
    return [WorkbenchSession(**row) for row in (await conn.execute(statement)).mappings()]


async def expired(conn: AsyncConnection, now: float, limit: int, peer_hash: bytes | None = None) -> list[str]:
    """Ids of expired sessions, of one address if given."""
    columns = workbench_sessions.c
    statement = sa.select(columns.id).where(columns.expires_at <= now).limit(limit)
    if peer_hash is not None:
        statement = statement.where(columns.peer_hash == peer_hash)
    return list((await conn.execute(statement)).scalars())


async def erase(conn: AsyncConnection, session_id: str) -> ErasedSession | None:
    """Delete a session and everything that belongs to it; None if it does not exist. The caller runs `Database.scrub`
    to remove the bytes."""
    # Only one of two concurrent erasures has a receipt.
    await lock(conn, session_id)
    session = await get(conn, session_id)
    if session is None:
        return None
    of_session = workbench_runs.c.session_id == session_id
    run_ids = tuple((await conn.execute(sa.select(workbench_runs.c.id).where(of_session))).scalars())
    suites = sa.select(workbench_suites.c.id).where(workbench_suites.c.session_id == session_id).scalar_subquery()
    runs = sa.select(workbench_runs.c.id).where(of_session).scalar_subquery()
    targets = workbench_targets.c.session_id == session_id
    keys = sa.select(sa.func.count()).where(targets, workbench_targets.c.sealed.is_not(None))
    erased = ErasedSession(
        run_ids=run_ids,
        keys=(await conn.execute(keys)).scalar_one(),
        results=await _delete(conn, workbench_results, workbench_results.c.run_id.in_(runs)),
        prompts=await _delete(conn, workbench_prompts, workbench_prompts.c.suite_id.in_(suites)),
        runs=await _delete(conn, workbench_runs, of_session),
        suites=await _delete(conn, workbench_suites, workbench_suites.c.session_id == session_id),
        targets=await _delete(conn, workbench_targets, targets),
        data_keys=await _own_data_keys(conn, session),
    )
    await _delete(conn, workbench_sessions, workbench_sessions.c.id == session_id)
    return erased


async def lock(conn: AsyncConnection, session_id: str) -> None:
    """Let one transaction at a time add to a session."""
    await lock_name(conn, f"workbench session {session_id}")


async def _own_data_keys(conn: AsyncConnection, session: WorkbenchSession) -> int:
    """A user's data keys also seal what stays; those of a session without an account go with it."""
    return 0 if session.user_id is not None else await _delete(conn, data_keys, data_keys.c.tenant == session.tenant)


async def _delete(conn: AsyncConnection, table: sa.Table, which: sa.ColumnElement[bool]) -> int:
    return (await conn.execute(sa.delete(table).where(which))).rowcount


async def _first(conn: AsyncConnection, *where: sa.ColumnElement[bool]) -> WorkbenchSession | None:
    row = (await conn.execute(sa.select(workbench_sessions).where(*where))).mappings().first()
    return None if row is None else WorkbenchSession(**row)
