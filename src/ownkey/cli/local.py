"""What the operator's commands do, on the library itself. Imported late: its imports take longer than most commands."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from ownkey.cli.failures import CommandFailed
from ownkey.config import Settings
from ownkey.control.admin.service import new_user
from ownkey.control.passwords import Passwords
from ownkey.domain.tenancy import Role
from ownkey.main.keyrings import open_keyring
from ownkey.storage import backup, changes, users
from ownkey.storage.data_keys import DatabaseDataKeys
from ownkey.storage.database import Database
from ownkey.vault import MasterKeyState, forget, rotate, verify


@asynccontextmanager
async def _database(settings: Settings, *, migrate: bool = True) -> AsyncGenerator[Database]:
    database = await Database.open(settings.database)
    try:
        if migrate:
            await database.migrate()
        yield database
    finally:
        await database.close()


async def add_user(settings: Settings, email: str, password: str, operator: bool) -> dict[str, Any]:
    """Create an account; returns its public fields."""
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


async def forget_key(settings: Settings, key_id: str) -> None:
    """Erase a retired master key. Raises MasterKeyError when it is not retired or still in use."""
    async with _database(settings, migrate=False) as database:
        await forget(open_keyring(settings), DatabaseDataKeys(database), key_id, time.time())


async def check_master_keys(settings: Settings) -> str:
    """Try every master key on the data keys it wraps, and report the state of each.

    Raises CommandFailed when a data key does not open or its master key is missing, MasterKeyError when the master
    keys cannot be read.
    """
    if settings.master_key is None and not (settings.data_dir / "master.key").exists():
        return "not created yet; `ownkey serve` creates it"
    keyring = open_keyring(settings)
    if settings.database_url is None and not (settings.data_dir / "ownkey.db").exists():
        return f"{keyring.primary} in {keyring.place}"
    async with _database(settings, migrate=False) as database:
        keys = await verify(keyring, DatabaseDataKeys(database))
    listed = ", ".join(f"{key.id} ({key.state.value}, wraps {key.references} data keys)" for key in keys)
    broken = sum(len(key.unreadable) for key in keys)
    if broken:
        raise CommandFailed(f"{broken} data keys do not open under their master key: {listed}")
    if any(key.state is MasterKeyState.MISSING for key in keys):
        raise CommandFailed(f"a master key is missing: {listed}")
    return f"{listed}; {keyring.place}"


async def back_up(settings: Settings, target: Path) -> None:
    """Copy the database to a new file."""
    async with _database(settings) as database:
        await backup.backup(database, target)


async def put_back(settings: Settings, source: Path) -> None:
    """Restore a backup into the configured database."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    await backup.restore(source, settings.database)
