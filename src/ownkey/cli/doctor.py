"""`ownkey doctor`: checks this machine's installation"""

import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ownkey.cli.client import JsonOption
from ownkey.cli.failures import CommandFailed, one_line_errors
from ownkey.cli.output import show

if TYPE_CHECKING:
    from ownkey.config import Settings

_LOW_DISK = 512 * 1024 * 1024


def doctor(
    data_dir: Annotated[Path | None, typer.Option(help="Where database and master key live [.data]")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file (ownkey.toml)")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check settings, disk, database, master key and provider rows. Exits with 1 when something is wrong."""
    import asyncio  # not above: `ownkey keys …` does without it

    with one_line_errors():
        from ownkey.config import load_settings

        settings = load_settings(os.environ, {"data_dir": data_dir}, config)
    steps = asyncio.run(_examine(settings))
    success = all(step["ok"] for step in steps)
    text = "\n".join(f"{'ok ' if step['ok'] else 'BAD'}  {step['name']}: {step['message']}" for step in steps)
    show({"success": success, "steps": steps}, as_json, text)
    if not success:
        raise typer.Exit(1)


async def _examine(settings: "Settings") -> list[dict[str, Any]]:
    checks: list[tuple[str, Callable[[Settings], Awaitable[str]]]] = [
        ("disk", _disk),
        ("catalogue", _catalogue),
        ("database", _database),
        ("master key", _master_keys),
    ]
    steps: list[dict[str, Any]] = []
    for name, check in checks:
        try:
            with one_line_errors():
                steps.append({"name": name, "ok": True, "message": await check(settings)})
        except (CommandFailed, OSError, ValueError) as error:
            steps.append({"name": name, "ok": False, "message": str(error)})
    return steps


async def _disk(settings: "Settings") -> str:
    folder = settings.data_dir.absolute()
    if not folder.is_dir():
        return f"{folder} does not exist yet; `ownkey serve` creates it"
    free = shutil.disk_usage(folder).free
    if free < _LOW_DISK:
        raise CommandFailed(
            f"only {free // 2**20} MiB are free at {folder}: the journal stops requests when it is full"
        )
    return f"{free // 2**30} GiB free at {folder}"


async def _catalogue(settings: "Settings") -> str:
    from ownkey.main.parts import open_catalogue

    return f"{len(open_catalogue(settings).providers())} providers"


async def _master_keys(settings: "Settings") -> str:
    from ownkey.cli.local import check_master_keys

    return await check_master_keys(settings)


async def _database(settings: "Settings") -> str:
    from ownkey.storage.database import Database

    if settings.database_url is None and not (settings.data_dir / "ownkey.db").exists():
        return "not created yet; `ownkey serve` creates it"
    database = await Database.open(settings.database)
    try:
        await database.ping()
        return f"answers at {database.place}"
    finally:
        await database.close()
