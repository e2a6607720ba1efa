"""Users: made, changed and deleted by operators. There is always one operator left who can sign in."""

import time

from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.control.admin.accounts import new_user
from ownkey.control.admin.schemas import NewUser, UserChange
from ownkey.control.context import Control
from ownkey.domain.errors import Conflict, NotFound
from ownkey.domain.tenancy import Role
from ownkey.storage import changes, sessions, users
from ownkey.storage.records import User


async def create_user(control: Control, new: NewUser) -> User:
    """Raises Conflict when the address is taken, InvalidRequest for a weak password."""
    password = new.password.get_secret_value() if new.password else None
    hashed = await control.passwords.hash(password) if password else None
    user = new_user(new.email, hashed, new.role, new.tier)
    async with control.database.write() as connection:
        await users.create(connection, user)
    return user


async def find_user(control: Control, user_id: str) -> User:
    """Raises NotFound."""
    async with control.database.read() as connection:
        user = await users.get(connection, user_id)
    if user is None:
        raise NotFound("There is no user with this id.")
    return user


async def change_user(control: Control, user_id: str, wanted: UserChange) -> User:
    """Change an account; whatever takes rights away works everywhere within a second."""
    user = await find_user(control, user_id)
    hashed = await control.passwords.hash(wanted.password.get_secret_value()) if wanted.password else None
    demoted = wanted.role is Role.USER and user.role is Role.OPERATOR
    async with control.database.write() as connection:
        if demoted or wanted.disabled:
            await _keep_an_operator(connection, user)
        if wanted.role is not None:
            await users.set_role(connection, user.id, wanted.role)
        if wanted.tier is not None:
            await users.set_tier(connection, user.id, wanted.tier)
        if wanted.disabled is not None:
            await users.set_disabled(connection, user.id, time.time() if wanted.disabled else None)
        if hashed is not None:
            await users.update_password(connection, user.id, hashed)
        if hashed is not None or wanted.disabled or (wanted.role is not None and wanted.role is not user.role):
            await sessions.revoke_all(connection, user.id)
        await changes.append(connection, f"user:{user.id}")
    await control.gateway.changed()
    return await find_user(control, user_id)


async def delete_user(control: Control, user_id: str) -> None:
    """Delete an account with its keys, sessions, preferences and books."""
    user = await find_user(control, user_id)
    await control.gateway.flush_usage()
    async with control.database.write() as connection:
        await _keep_an_operator(connection, user)
        erased = await users.delete(connection, user.id, time.time())
        if erased is None:
            raise NotFound("There is no user with this id.")
        await changes.append(connection, f"user:{user.id}")
        for key_hash in erased.api_key_hashes:
            await changes.append(connection, f"api_key:{key_hash.hex()}")
    await control.gateway.changed()
    await control.database.scrub()


async def _keep_an_operator(connection: AsyncConnection, user: User) -> None:
    if user.role is Role.OPERATOR and await users.count(connection, Role.OPERATOR) <= 1:
        raise Conflict("This is the only operator: make another one first.")
