"""What the operator's commands do, on the library itself."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from ownkey.config import Settings
from ownkey.control.admin.accounts import new_user
from ownkey.control.passwords import Passwords
from ownkey.domain.tenancy import Role
from ownkey.main.keyrings import open_keyring
from ownkey.storage import backup, changes, users
from ownkey.storage.data_keys import DatabaseDataKeys
from ownkey.storage.database import Database
from ownkey.vault import rotate


@asynccontextmanager
async def _database(settings: Settings) -> AsyncGenerator[Database]:
    database = await Database.open(settings.database)
    try:
        await database.migrate()
        yield database
    finally:
        await database.close()


async def add_user(settings: Settings, email: str, password: str, operator: bool) -> dict[str, Any]:
    """Make an account; its public fields."""
    role = Role.OPERATOR if operator else Role.USER
    user = new_user(email, await Passwords().hash(password), role)
    async with _database(settings) as database, database.write() as connection:
        await users.create(connection, user)
    return {"id": user.id, "email": user.email, "role": user.role.value}


async def rotate_keys(settings: Settings) -> dict[str, Any]:
    """Rotate the master key; the report's fields."""
    async with _database(settings) as database:
        report = await rotate(open_keyring(settings), DatabaseDataKeys(database))
        async with database.write() as connection:
            await changes.append(connection, changes.MASTER_KEY)
    return msgspec.structs.asdict(report)


async def back_up(settings: Settings, target: Path) -> None:
    """Copy the database to a new file."""
    async with _database(settings) as database:
        await backup.backup(database, target)


async def put_back(settings: Settings, source: Path) -> None:
    """Restore a backup into the configured database."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    await backup.restore(source, settings.database)
