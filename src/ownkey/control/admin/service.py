"""Users: created, changed and deleted by operators. At least one operator always remains enabled."""

import time

from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.control.admin.schemas import NewUser, UserChange, check_email
from ownkey.control.context import Control
from ownkey.control.identity import lock_sessions
from ownkey.domain.errors import Conflict, NotFound
from ownkey.domain.ids import UserId, new_id
from ownkey.domain.tenancy import Role, user_owner
from ownkey.storage import changes, sessions, users
from ownkey.storage.paging import MAX_PAGE
from ownkey.storage.records import User
from ownkey.storage.statements import lock_name


async def create_user(control: Control, new: NewUser) -> User:
    """Raises Conflict when the address is taken, InvalidRequest for a weak password."""
    user = await prepare_user(control, new)
    async with control.database.write() as connection:
        await users.create(connection, user)
    return user


async def prepare_user(control: Control, new: NewUser) -> User:
    """The account to store, with its password hashed. Raises InvalidRequest for a weak one."""
    hashed = None if new.password is None else await control.passwords.hash(new.password.get_secret_value())
    return new_user(new.email, hashed, new.role)


def new_user(email: str, password_hash: str | None, role: Role) -> User:
    """A user value with a fresh id. Raises InvalidRequest for a bad address."""
    return User(
        id=UserId(new_id("user")),
        email=users.fold_email(check_email(email)),
        password_hash=password_hash,
        role=role,
        created_at=time.time(),
    )


async def find_user(control: Control, user_id: str) -> User:
    """Raises NotFound."""
    async with control.database.read() as connection:
        return await _present(connection, user_id)


async def change_user(control: Control, user_id: str, wanted: UserChange) -> User:
    """Change an account; whatever takes rights away works everywhere within a second."""
    await find_user(control, user_id)
    hashed = None if wanted.password is None else await control.passwords.hash(wanted.password.get_secret_value())
    async with control.database.write() as connection:
        await lock_operators(connection)
        await lock_sessions(connection, user_id)
        user = await _present(connection, user_id)
        if wanted.role is Role.USER or wanted.disabled:
            await _keep_an_operator(connection, user)
        if wanted.role is not None:
            await users.set_role(connection, user.id, wanted.role)
        if wanted.disabled is not None and wanted.disabled is (user.disabled_at is None):
            await users.set_disabled(connection, user.id, time.time() if wanted.disabled else None)
        if hashed is not None:
            await users.update_password(connection, user.id, hashed)
        if hashed is not None or wanted.disabled or (wanted.role is not None and wanted.role is not user.role):
            await sessions.revoke_all(connection, user.id)
        await changes.append(connection, changes.user_topic(user.id))
        changed = await _present(connection, user_id)
    await control.gateway.changed()
    return changed


async def delete_user(control: Control, user_id: str) -> None:
    """Delete an account with its keys, sessions, preferences and usage."""
    await find_user(control, user_id)
    await control.gateway.flush_usage()
    async with control.database.write() as connection:
        await lock_operators(connection)
        user = await _present(connection, user_id)
        await _keep_an_operator(connection, user)
        erased = await users.delete(connection, user.id, time.time())
        if erased is None:
            raise NotFound("No user has this id.")
        await changes.append(connection, changes.user_topic(user.id))
        await changes.append(connection, changes.owner_topic(user_owner(user.id)))
        for key_hash in erased.api_key_hashes:
            await changes.append(connection, changes.api_key_topic(key_hash))
    await control.gateway.changed()
    await control.database.scrub()


async def lock_operators(connection: AsyncConnection) -> None:
    """Let one transaction at a time decide who is an operator."""
    await lock_name(connection, "operators")


async def _present(connection: AsyncConnection, user_id: str) -> User:
    user = await users.get(connection, user_id)
    if user is None:
        raise NotFound("No user has this id.")
    return user


async def _keep_an_operator(connection: AsyncConnection, user: User) -> None:
    """Raise Conflict when nobody but `user` could run this server."""
    if user.role is not Role.OPERATOR or user.disabled_at is not None:
        return
    cursor = None
    while True:
        page = await users.list_page(connection, MAX_PAGE, cursor)
        if any(
            other.role is Role.OPERATOR and other.disabled_at is None and other.id != user.id for other in page.items
        ):
            return
        cursor = page.next_cursor
        if cursor is None:
            raise Conflict("This is the only operator: appoint another one first.")
