"""Changing one's own account. A new password ends all other sessions."""

from ownkey.control.account.schemas import MeChange
from ownkey.control.admin.service import find_user
from ownkey.control.context import Control
from ownkey.domain.errors import NotAllowed
from ownkey.domain.tenancy import Principal
from ownkey.storage import changes, sessions, users
from ownkey.storage.records import User


async def change_me(control: Control, caller: Principal, wanted: MeChange) -> User:
    """Raises NotAllowed without the present password, Conflict for a taken address."""
    user = await find_user(control, caller.user_id)
    if wanted.email is None and wanted.password is None:
        return user
    await require_password(control, user, wanted.current_password.get_secret_value() if wanted.current_password else "")
    hashed = await control.passwords.hash(wanted.password.get_secret_value()) if wanted.password else None
    async with control.database.write() as connection:
        if wanted.email is not None:
            await users.update_email(connection, user.id, users.fold_email(wanted.email))
        if hashed is not None:
            await users.update_password(connection, user.id, hashed)
            await sessions.revoke_all(connection, user.id, except_id=caller.session_id)
        await changes.append(connection, f"user:{user.id}")
    await control.gateway.changed()
    return await find_user(control, caller.user_id)


async def require_password(control: Control, user: User, password: str) -> None:
    """Raise NotAllowed unless it is the user's password; accounts without one need none."""
    if user.password_hash is None:
        return
    if not await control.passwords.check(user.password_hash, password):
        raise NotAllowed("The present password is missing or wrong.", param="current_password")
