"""Slows whoever guesses passwords, and never locks an owner out who comes from somewhere else."""

import time

from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.control.context import Control
from ownkey.domain.errors import RateLimited
from ownkey.storage import counters

_PER_ACCOUNT_AND_ADDRESS = (10, 900.0)
_PER_ADDRESS = (1000, 900.0)
"""(attempts, seconds). Counted per account *and* address, so that a stranger's guesses elsewhere do not keep the
owner out; a success forgets these. And per address, so that one host cannot try many accounts; an address may be a
whole office whose successes count as well, hence the room."""


async def count_attempt(control: Control, email: str, address: str) -> None:
    """Count an attempt before the password is looked at, so that attempts at the same time are counted, too.

    Raises RateLimited.
    """
    now = time.time()
    async with control.database.write() as connection:
        allowed = await counters.hit(connection, f"login:{address}", *_PER_ADDRESS, now)
        if allowed.allowed:
            allowed = await counters.hit(connection, _key(email, address), *_PER_ACCOUNT_AND_ADDRESS, now)
    if not allowed.allowed:
        text = "Too many attempts with a password from your address: wait and try again."
        raise RateLimited(text, retry_after=allowed.retry_after)


async def forgive(connection: AsyncConnection, email: str, address: str) -> None:
    """The password was right: forget what went before."""
    await counters.reset(connection, _key(email, address))


def _key(email: str, address: str) -> str:
    return f"login:{address}:{email}"
