"""Signing in: one text for every way to fail, and as long a wait for an unknown address as for a wrong password.

Attempts are limited so that guessing passwords is slow, and an owner at another address is never locked out.
"""

import time
from hashlib import sha256

from msgspec import Struct

from ownkey.control.context import Control
from ownkey.control.identity import LIFETIME, hash_token, lock_sessions, new_token
from ownkey.domain.allowance import Pool, Refused
from ownkey.domain.errors import RateLimited, Unauthenticated
from ownkey.domain.ids import SessionId, UserId, new_id
from ownkey.storage import sessions, users
from ownkey.storage.records import Session, User

_PER_ACCOUNT_AND_ADDRESS = 10
_PER_ADDRESS = 1000
_WINDOW_S = 900.0
"""Attempts per 15 minutes. The limit per account *and* address does not lock out an owner because a stranger guesses
elsewhere; a success resets it. The limit per address stops one host from trying many accounts; it is high because an
address may be a whole office, whose successes count as well."""
_WRONG = "The e-mail address or the password is wrong."


class SignIn(Struct, frozen=True):
    """A new session: `token` goes into the cookie and is nowhere else."""

    token: str
    user: User
    session: Session


async def sign_in(control: Control, email: str, password: str, address: str, user_agent: str) -> SignIn:
    """Raises Unauthenticated with one text for every cause, or RateLimited."""
    email = users.fold_email(email)
    await count_attempt(control, email, address)
    async with control.database.read() as connection:
        user = await users.by_email(connection, email)
    matches = await control.passwords.check(user.password_hash if user else None, password)
    if user is None or user.password_hash is None or not matches or user.disabled_at is not None:
        raise Unauthenticated(_WRONG)
    outdated = control.passwords.is_outdated(user.password_hash)
    renewed = await control.passwords.hash(password) if outdated else None
    await forgive(control, email, address)
    token = new_token()
    session = _session(user.id, hash_token(token, control.session_pepper), address, user_agent)
    async with control.database.write() as connection:
        await lock_sessions(connection, user.id)
        present = await users.get(connection, user.id)
        if present is None or present.password_hash != user.password_hash or present.disabled_at is not None:
            raise Unauthenticated(_WRONG)
        if renewed is not None:
            await users.update_password(connection, user.id, renewed)
        await sessions.create(connection, session)
    return SignIn(token, user, session)


def _session(user_id: UserId, token_hash: bytes, address: str, user_agent: str) -> Session:
    now = time.time()
    return Session(
        id=SessionId(new_id("sess")),
        token_hash=token_hash,
        user_id=user_id,
        created_at=now,
        expires_at=now + LIFETIME,
        last_seen_at=now,
        address=address,
        user_agent=user_agent,
    )


async def count_attempt(control: Control, email: str, address: str) -> None:
    """Count an attempt before the password is checked, so that concurrent attempts count too.

    Raises RateLimited.
    """
    pools = (
        Pool(_name(address), _PER_ADDRESS, _WINDOW_S, "attempts"),
        Pool(_name(address, email), _PER_ACCOUNT_AND_ADDRESS, _WINDOW_S, "attempts"),
    )
    outcome = await control.allowance.acquire(pools, (1, 1))
    if isinstance(outcome, Refused):
        text = "Too many password attempts from your address. Wait and retry."
        raise RateLimited(text, retry_after=outcome.retry_after)


async def forgive(control: Control, email: str, address: str) -> None:
    """Reset the count after a correct password."""
    await control.allowance.forget(_name(address, email))


def _name(address: str, email: str | None = None) -> str:
    """A pool's id. It is a digest, because what was typed as an e-mail address may be long, secret or not text."""
    kind, text = ("address", address) if email is None else ("account", f"{address}\0{email}")
    return f"sign-in:{kind}:" + sha256(text.encode(errors="surrogatepass")).hexdigest()
