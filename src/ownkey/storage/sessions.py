"""Browser sessions, and one-time links that let the first operator in. Both are found by the keyed hash of a token."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.ids import SessionId, UserId
from ownkey.storage.records import Session
from ownkey.storage.tables import sessions, setup_tokens
from ownkey.storage.tenancy import of_user


async def create(conn: AsyncConnection, session: Session) -> None:
    """Store a new session. Raises Conflict, when the transaction ends, if its user is gone."""
    await conn.execute(sa.insert(sessions), {field: getattr(session, field) for field in session.__struct_fields__})


async def by_token_hash(conn: AsyncConnection, token_hash: bytes) -> Session | None:
    """The session, expired or not: the caller compares `expires_at` with its clock."""
    found = await conn.execute(sa.select(sessions).where(sessions.c.token_hash == token_hash))
    row = found.mappings().first()
    return None if row is None else _session(row)


async def list_for_user(conn: AsyncConnection, user_id: str, now: float) -> list[Session]:
    """The user's unexpired sessions, newest first."""
    statement = (
        sa.select(sessions)
        .where(of_user(sessions, user_id), sessions.c.expires_at > now)
        .order_by(sessions.c.created_at.desc(), sessions.c.id.desc())
    )
    return [_session(row) for row in (await conn.execute(statement)).mappings()]


async def touch(conn: AsyncConnection, session_id: str, at: float, address: str, user_agent: str) -> None:
    """Note when and from where the session was last used."""
    values = {"last_seen_at": at, "address": address, "user_agent": user_agent}
    await conn.execute(sa.update(sessions).where(sessions.c.id == session_id).values(values))


async def revoke(conn: AsyncConnection, user_id: str, session_id: str) -> bytes | None:
    """End one of the user's sessions; its token's hash, or None when the user has no such session."""
    ended = await conn.execute(
        sa.delete(sessions)
        .where(of_user(sessions, user_id), sessions.c.id == session_id)
        .returning(sessions.c.token_hash)
    )
    return ended.scalars().first()


async def revoke_all(conn: AsyncConnection, user_id: str, except_id: str | None = None) -> list[bytes]:
    """End the user's sessions, sparing `except_id`; the hashes of the ended tokens."""
    statement = sa.delete(sessions).where(of_user(sessions, user_id))
    if except_id is not None:
        statement = statement.where(sessions.c.id != except_id)
    return list((await conn.execute(statement.returning(sessions.c.token_hash))).scalars())


async def sweep(conn: AsyncConnection, now: float) -> int:
    """Delete expired sessions; how many there were."""
    return (await conn.execute(sa.delete(sessions).where(sessions.c.expires_at <= now))).rowcount


async def put_setup_token(conn: AsyncConnection, token_hash: bytes, expires_at: float) -> None:
    """Make a token valid. Earlier ones stay valid: several processes may each have printed one."""
    await conn.execute(sa.insert(setup_tokens), {"token_hash": token_hash, "expires_at": expires_at})


async def consume_setup_token(conn: AsyncConnection, token_hash: bytes, now: float) -> bool:
    """Use a token up. True exactly once, for an unexpired one, whoever else tries at the same time."""
    used = await conn.execute(
        sa.delete(setup_tokens).where(setup_tokens.c.token_hash == token_hash).returning(setup_tokens.c.expires_at)
    )
    expires_at = used.scalars().first()
    return expires_at is not None and expires_at > now


async def clear_setup_tokens(conn: AsyncConnection) -> None:
    """Forget every token, as when the first operator exists."""
    await conn.execute(sa.delete(setup_tokens))


def _session(row: sa.RowMapping) -> Session:
    return Session(
        id=SessionId(row["id"]),
        token_hash=row["token_hash"],
        user_id=UserId(row["user_id"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_seen_at=row["last_seen_at"],
        address=row["address"],
        user_agent=row["user_agent"],
    )
