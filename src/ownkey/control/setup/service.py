"""The one-time set-up link: printed at start while there is no operator, good for a day and for one use."""

import time

from ownkey.control.admin.schemas import NewUser
from ownkey.control.admin.service import lock_operators, prepare_user
from ownkey.control.context import Control
from ownkey.control.identity import hash_token, new_token
from ownkey.domain.errors import NotFound
from ownkey.domain.tenancy import Role
from ownkey.storage import sessions, users
from ownkey.storage.records import User

_LIFETIME = 86_400.0
_SET_UP = "Ownkey is set up already: sign in, or ask an operator for an account."


async def needs_operator(control: Control) -> bool:
    """Whether there is no operator yet."""
    async with control.database.read() as connection:
        return await users.count(connection, Role.OPERATOR) == 0


async def make_link_token(control: Control) -> str:
    """A fresh token; the link's text is nowhere stored."""
    token = new_token()
    async with control.database.write() as connection:
        await sessions.put_setup_token(connection, hash_token(token, control.session_pepper), time.time() + _LIFETIME)
    return token


async def set_up(control: Control, token: str, new: NewUser) -> User:
    """Make the first operator. Raises NotFound when the link is used, expired or not needed any more.

    Everything that is wrong with the account itself raises InvalidRequest or Conflict and leaves the link good:
    the link is used up in the transaction that makes the operator.
    """
    if not await needs_operator(control):
        raise NotFound(_SET_UP)
    user = await prepare_user(control, new)
    async with control.database.write() as connection:
        await lock_operators(connection)
        if not await sessions.consume_setup_token(connection, hash_token(token, control.session_pepper), time.time()):
            raise NotFound("This link has been used or has expired: restart Ownkey for a new one.")
        if await users.count(connection, Role.OPERATOR) > 0:
            raise NotFound(_SET_UP)
        await users.create(connection, user)
        await sessions.clear_setup_tokens(connection)
    return user
