"""Backups of Postgres by its own programs, which must be installed and not older than the server."""

import asyncio
import os
from pathlib import Path

from sqlalchemy import URL, text

from ownkey.storage.database import Database
from ownkey.storage.errors import BackupRefused
from ownkey.storage.migrations import check_known


async def dump(url: URL, path: Path) -> None:
    """Write pg_dump's custom archive to the empty file `path`."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        await _run(url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", output=descriptor)
    finally:
        os.close(descriptor)


async def restore(path: Path, url: str) -> None:
    """Fill the empty database at `url` from an archive, all or nothing."""
    database = await Database.open(url)
    try:
        async with database.read() as conn:
            tables = await conn.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"))
            if tables.scalar_one() > 0:
                raise BackupRefused(f"{database.place} holds tables already; restore into an empty database.")
        check_known(await _heads(database.url, path))
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        await _run(database.url, "pg_restore", *options, f"--dbname={database.url.database}", str(path))
    finally:
        await database.close()


async def _heads(url: URL, path: Path) -> set[str]:
    """The schema revisions in an archive: the rows of alembic_version in Postgres' COPY format."""
    script = await _run(url, "pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(path))
    lines = iter(script.splitlines())
    for line in lines:
        if line.startswith("COPY ") and "alembic_version" in line:
            break
    heads: set[str] = set()
    for line in lines:
        if line == "\\.":
            return heads
        heads.add(line)
    raise BackupRefused(f"{path} is no Postgres backup of Ownkey's.")


async def _run(url: URL, program: str, *arguments: str, output: int = asyncio.subprocess.PIPE) -> str:
    """Run one of Postgres' programs against `url`; its output unless that goes to a descriptor.

    The password travels in the environment: everybody on the machine can read a command line.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **_environment(url)},
        )
    except FileNotFoundError:
        text_ = f"{program} is not installed; it comes with Postgres' client programs."
        raise BackupRefused(text_, operator=f"{program} is not in the search path") from None
    try:
        printed, complaint = await process.communicate()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
    if process.returncode != 0:
        raise BackupRefused(f"{program} failed.", operator=complaint.decode(errors="replace").strip())
    return printed.decode() if printed else ""


def _environment(url: URL) -> dict[str, str]:
    """libpq's variables for what a URL of asyncpg's says."""
    query = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    values = {
        "PGHOST": url.host or query.get("host"),
        "PGPORT": str(url.port) if url.port else query.get("port"),
        "PGUSER": url.username or query.get("user"),
        "PGPASSWORD": url.password or query.get("password"),
        "PGDATABASE": url.database,
        "PGSSLMODE": query.get("ssl"),
    }
    return {name: value for name, value in values.items() if value}
