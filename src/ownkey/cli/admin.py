"""`ownkey admin …`: what the operator does on the machine itself, with access to the data directory."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ownkey.cli.client import JsonOption
from ownkey.cli.failures import CommandFailed, one_line_errors
from ownkey.cli.output import read_secret, show

if TYPE_CHECKING:
    from ownkey.config import Settings

app = typer.Typer(
    help="The operator's commands; they work on the data directory or the database directly.", no_args_is_help=True
)
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
    """Create an account. The password is read from the terminal or from standard input."""
    password = read_secret("Password")

    async def work(settings: "Settings") -> dict[str, Any]:
        from ownkey.cli.local import add_user

        return await add_user(settings, email, password, operator)

    user = _run(work, data_dir, config)
    show(user, as_json, f"Created {user['email']} ({user['role']}, {user['id']}).")


@app.command("rotate-master-key")
def rotate_master_key(data_dir: DataDir = None, config: Config = None, as_json: JsonOption = False) -> None:
    """Rewrap every data key under a new master key while the server runs. Run it again if it was interrupted."""

    async def work(settings: "Settings") -> dict[str, Any]:
        from ownkey.cli.local import rotate_keys

        return await rotate_keys(settings)

    report = _run(work, data_dir, config)
    text = f"Primary master key {report['primary']}; {report['rewrapped']} data keys rewrapped. {report['advice']}"
    show(report, as_json, text)


@app.command("forget-master-key")
def forget_master_key(
    key_id: Annotated[str, typer.Argument(help="Id of a retired master key, as `ownkey doctor` lists it")],
    data_dir: DataDir = None,
    config: Config = None,
    as_json: JsonOption = False,
) -> None:
    """Erase a retired master key. Database backups from before its rotation cannot be opened afterwards."""

    async def work(settings: "Settings") -> None:
        from ownkey.cli.local import forget_key

        await forget_key(settings, key_id)

    _run(work, data_dir, config)
    show({"forgotten": key_id}, as_json, f"Erased the master key {key_id}.")


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="A new file")],
    data_dir: DataDir = None,
    config: Config = None,
    as_json: JsonOption = False,
) -> None:
    """Write a consistent copy of the database while the server runs. It contains no plaintext and no master key."""

    async def work(settings: "Settings") -> None:
        from ownkey.cli.local import back_up

        await back_up(settings, target)

    _run(work, data_dir, config)
    text = f"Wrote {target}. It opens only with the master key: store that elsewhere."
    show({"backup": str(target)}, as_json, text)


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="A file that `backup` wrote")],
    data_dir: DataDir = None,
    config: Config = None,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in place of an absent or empty database. Stop the server first."""

    async def work(settings: "Settings") -> None:
        from ownkey.cli.local import put_back

        await put_back(settings, source)

    _run(work, data_dir, config, new=True)
    show({"restored": str(source)}, as_json, f"Restored {source}.")


def _run(
    work: "Callable[[Settings], Awaitable[Any]]", data_dir: Path | None, config: Path | None, *, new: bool = False
) -> Any:
    """Run `work` with the settings; with `new` the data directory may not exist yet."""
    with one_line_errors():
        import asyncio

        from ownkey.config import load_settings

        settings = load_settings(os.environ, {"data_dir": data_dir}, config)
        if not new and not settings.data_dir.is_dir() and settings.database_url is None:
            raise CommandFailed(f"there is no data directory {settings.data_dir}: see --data-dir")

        async def run() -> Any:
            return await work(settings)

        try:
            return asyncio.run(run())
        except OSError as error:
            raise CommandFailed(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from None
