"""`ownkey admin forget-master-key`, and what `ownkey doctor` says of the master keys."""

import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ownkey.cli.client import JsonOption
from ownkey.cli.failures import CommandFailed, told_in_a_line
from ownkey.cli.output import show

if TYPE_CHECKING:
    from ownkey.config import Settings
    from ownkey.storage.database import Database


def forget_master_key(
    key_id: Annotated[str, typer.Argument(help="Id of a retired master key, as `ownkey doctor` lists it")],
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Where master.key lives [.data]")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="Settings file (ownkey.toml)")] = None,
    as_json: JsonOption = False,
) -> None:
    """Erase a retired master key. Backups of the database made before its rotation cannot be opened afterwards."""
    with told_in_a_line():
        import asyncio

        from ownkey.config import load_settings

        settings = load_settings(os.environ, {"data_dir": data_dir}, config)
        if not settings.data_dir.is_dir() and settings.database_url is None:
            raise CommandFailed(f"there is no data directory {settings.data_dir}: see --data-dir")
        asyncio.run(_forget(settings, key_id))
    show({"forgotten": key_id}, as_json, f"Erased the master key {key_id}.")


async def examine_master_keys(settings: "Settings") -> str:
    """Try every master key on the data keys it wraps, and say how each stands.

    Raises CommandFailed when a data key does not open or its master key is missing, MasterKeyError when the master
    keys cannot be read.
    """
    from ownkey.main.keyrings import open_keyring
    from ownkey.storage.data_keys import DatabaseDataKeys
    from ownkey.vault import MasterKeyState, verify

    if settings.master_key is None and not (settings.data_dir / "master.key").exists():
        return "not made yet; `ownkey serve` makes it"
    keyring = open_keyring(settings)
    if settings.database_url is None and not (settings.data_dir / "ownkey.db").exists():
        return f"{keyring.primary} in {keyring.place}"
    async with _database(settings) as database:
        found = await verify(keyring, DatabaseDataKeys(database))
    told = ", ".join(f"{key.id} ({key.state.value}, wraps {key.references} data keys)" for key in found)
    broken = sum(len(key.unreadable) for key in found)
    if broken:
        raise CommandFailed(f"{broken} data keys do not open under their master key: {told}")
    if any(key.state is MasterKeyState.MISSING for key in found):
        raise CommandFailed(f"a master key is missing: {told}")
    return f"{told}; {keyring.place}"


async def _forget(settings: "Settings", key_id: str) -> None:
    from ownkey.main.keyrings import open_keyring
    from ownkey.storage.data_keys import DatabaseDataKeys
    from ownkey.vault import forget

    async with _database(settings) as database:
        await forget(open_keyring(settings), DatabaseDataKeys(database), key_id, time.time())


@asynccontextmanager
async def _database(settings: "Settings") -> "AsyncGenerator[Database]":
    from ownkey.storage.database import Database

    database = await Database.open(settings.database)
    try:
        yield database
    finally:
        await database.close()
