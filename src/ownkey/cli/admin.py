"""`ownkey admin …`: what the operator does on the machine itself, with the data directory at hand."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from ownkey.cli.client import CommandFailed, JsonOption
from ownkey.cli.output import show
from ownkey.cli.secret_input import read_secret
from ownkey.config import Settings, load_settings

app = typer.Typer(help="The operator's commands; they work on the data directory or the database directly.")
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Where database and master key live [.data]")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file (ownkey.toml)")]


@app.command("create-user")
def create_user(
    email: Annotated[str, typer.Option(help="E-mail address")],
    operator: Annotated[bool, typer.Option("--operator", help="May create users and platform keys")] = False,
    data_dir: DataDir = None,
    config: Config = None,
    as_json: JsonOption = False,
) -> None:
    """Make an account. The password is read from the terminal or from standard input."""
    from ownkey.cli.local import add_user

    password = read_secret("Password")
    user = _run(lambda settings: add_user(settings, email, password, operator), data_dir, config)
    show(user, as_json, f"Made {user['email']} ({user['role']}, {user['id']}).")


@app.command("rotate-master-key")
def rotate_master_key(data_dir: DataDir = None, config: Config = None, as_json: JsonOption = False) -> None:
    """Bring every data key under a new master key while the server runs. Run it again if it was cut off."""
    from ownkey.cli.local import rotate_keys

    report = _run(rotate_keys, data_dir, config)
    text = f"Primary master key {report['primary']}; {report['rewrapped']} data keys rewrapped. {report['advice']}"
    show(report, as_json, text)


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="A new file")],
    data_dir: DataDir = None,
    config: Config = None,
    as_json: JsonOption = False,
) -> None:
    """Write a consistent copy of the database while the server runs. It holds no plaintext and no master key."""
    from ownkey.cli.local import back_up

    _run(lambda settings: back_up(settings, target), data_dir, config)
    text = f"Wrote {target}. It opens only with the master key: keep that elsewhere."
    show({"backup": str(target)}, as_json, text)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="A file that `backup` wrote")],
    data_dir: DataDir = None,
    config: Config = None,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in place of an absent or empty database. Stop the server first."""
    from ownkey.cli.local import put_back

    _run(lambda settings: put_back(settings, source), data_dir, config)
    show({"restored": str(source)}, as_json, f"Restored {source}.")


def _run(work: Callable[[Settings], Awaitable[Any]], data_dir: Path | None, config: Path | None) -> Any:
    settings = load_settings(os.environ, {"data_dir": data_dir}, config)
    if not settings.data_dir.is_dir() and settings.database_url is None:
        raise CommandFailed(f"there is no data directory {settings.data_dir}: see --data-dir")

    async def run() -> Any:
        return await work(settings)

    return asyncio.run(run())
