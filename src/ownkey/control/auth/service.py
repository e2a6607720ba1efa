"""Signing in: one text for every way to fail, and as long a wait for an unknown address as for a wrong password."""

import time

from msgspec import Struct

from ownkey.control.auth.throttle import count_attempt, forgive
from ownkey.control.context import Control
from ownkey.control.session_tokens import LIFETIME, hash_token, lock_sessions, new_token
from ownkey.domain.errors import Unauthenticated
from ownkey.domain.ids import SessionId, UserId, new_id
from ownkey.storage import sessions, users
from ownkey.storage.records import Session, User

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
