"""Changing one's own account. A new password ends all other sessions."""

from ownkey.control.account.schemas import MeChange
from ownkey.control.admin.service import find_user
from ownkey.control.auth.service import count_attempt, forgive
from ownkey.control.context import Control
from ownkey.control.identity import lock_sessions
from ownkey.domain.errors import NotAllowed
from ownkey.domain.tenancy import Principal
from ownkey.storage import changes, sessions, users
from ownkey.storage.records import User


async def change_me(control: Control, caller: Principal, wanted: MeChange, address: str) -> User:
    """Raises NotAllowed without the current password, Conflict for a taken e-mail address.

    `address` is where the caller is, for the throttle of guessed passwords.
    """
    user = await find_user(control, caller.user_id)
    if wanted.email is None and wanted.password is None:
        return user
    given = wanted.current_password.get_secret_value() if wanted.current_password else ""
    await require_password(control, user, given, address)
    hashed = None if wanted.password is None else await control.passwords.hash(wanted.password.get_secret_value())
    async with control.database.write() as connection:
        await lock_sessions(connection, user.id)
        if wanted.email is not None:
            await users.update_email(connection, user.id, wanted.email)
        if hashed is not None:
            await users.update_password(connection, user.id, hashed)
            await sessions.revoke_all(connection, user.id, except_id=caller.session_id)
        await changes.append(connection, changes.user_topic(user.id))
    await control.gateway.changed()
    return await find_user(control, caller.user_id)


async def require_password(control: Control, user: User, password: str, address: str) -> None:
    """Raise NotAllowed unless it is the user's password; accounts without one need none. Raises RateLimited."""
    if user.password_hash is None:
        return
    await count_attempt(control, user.email, address)
    if not await control.passwords.check(user.password_hash, password):
        raise NotAllowed("The current password is missing or wrong.", param="current_password")
    await forgive(control, user.email, address)
