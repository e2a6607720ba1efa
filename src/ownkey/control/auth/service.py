"""Sign-in with a throttle that slows a guesser and never locks an owner out."""

import time

from msgspec import Struct

from ownkey.control.context import Control
from ownkey.control.session_tokens import LIFETIME, hash_token, new_token
from ownkey.domain.errors import RateLimited, Unauthenticated
from ownkey.domain.ids import SessionId, new_id
from ownkey.storage import counters, sessions, users
from ownkey.storage.records import Session, User

_PER_ACCOUNT_AND_ADDRESS = (10, 900.0)
_PER_ADDRESS = (200, 900.0)
"""(failures, seconds). Counted per account *and* address, so that a stranger's guesses elsewhere do not
keep the owner out, and per address, so that one host cannot try many accounts."""


class SignIn(Struct, frozen=True):
    """A new session: `token` goes into the cookie and is nowhere else."""

    token: str
    user: User
    session: Session


async def sign_in(control: Control, email: str, password: str, address: str, user_agent: str) -> SignIn:
    """Raises Unauthenticated with one text for every cause, or RateLimited."""
    folded = users.fold_email(email)
    await _throttle(control, folded, address)
    async with control.database.read() as connection:
        user = await users.by_email(connection, folded)
    matches = await control.passwords.check(user.password_hash if user else None, password)
    if user is None or not matches or user.disabled_at is not None:
        raise Unauthenticated("The e-mail address or the password is wrong.")
    async with control.database.write() as connection:
        await counters.reset(connection, _account_key(folded, address))
    if user.password_hash is not None and control.passwords.is_outdated(user.password_hash):
        renewed = await control.passwords.hash(password)
        async with control.database.write() as connection:
            await users.update_password(connection, user.id, renewed)
    return await open_session(control, user, address, user_agent)


async def open_session(control: Control, user: User, address: str, user_agent: str) -> SignIn:
    """A session for a user whose identity is proven."""
    token, now = new_token(), time.time()
    session = Session(
        id=SessionId(new_id("sess")),
        token_hash=hash_token(token, control.session_pepper),
        user_id=user.id,
        created_at=now,
        expires_at=now + LIFETIME,
        last_seen_at=now,
        address=address,
        user_agent=user_agent[:300],
    )
    async with control.database.write() as connection:
        await sessions.create(connection, session)
    return SignIn(token, user, session)


async def _throttle(control: Control, email: str, address: str) -> None:
    now = time.time()
    async with control.database.write() as connection:
        account = await counters.hit(connection, _account_key(email, address), *_PER_ACCOUNT_AND_ADDRESS, now)
        host = await counters.hit(connection, f"login:{address}", *_PER_ADDRESS, now)
    for allowed in (account, host):
        if not allowed.allowed:
            text = "Too many sign-in attempts from your address: wait and try again."
            raise RateLimited(text, retry_after=allowed.retry_after)


def _account_key(email: str, address: str) -> str:
    return f"login:{address}:{email[:320]}"
