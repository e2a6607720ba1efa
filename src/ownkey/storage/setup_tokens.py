"""One-time links that let the first operator in, kept as hashes."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.storage.tables import setup_tokens


async def put(conn: AsyncConnection, token_hash: bytes, expires_at: float) -> None:
    """Make a token valid. Earlier ones stay valid: several processes may each have printed one."""
    await conn.execute(sa.insert(setup_tokens), {"token_hash": token_hash, "expires_at": expires_at})


async def consume(conn: AsyncConnection, token_hash: bytes, now: float) -> bool:
    """Use a token up. True exactly once, for an unexpired one, whoever else tries at the same time."""
    used = await conn.execute(
        sa.delete(setup_tokens).where(setup_tokens.c.token_hash == token_hash).returning(setup_tokens.c.expires_at)
    )
    expires_at = used.scalars().first()
    return expires_at is not None and expires_at > now


async def clear(conn: AsyncConnection) -> None:
    """Forget every token, as when the first operator exists."""
    await conn.execute(sa.delete(setup_tokens))
