"""Copies of a whole database, taken while it is in use, and new databases restored from them.

A backup contains ciphertext and hashes, no plaintext key; it is worthless without the master key, which it does not
contain. Files are created with mode 0600 and never replace another file. Postgres is copied by its own programs, which
must be installed and not older than the server.
"""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, text

from ownkey.storage.database import Database
from ownkey.storage.engines import parse_url, sqlite_path
from ownkey.storage.errors import BackupRefused, database_border, unavailable
from ownkey.storage.migrations import check_known


async def backup(database: Database, path: Path) -> None:
    """Write a consistent copy to `path`: what was committed when it began. Writers continue meanwhile. SQLite's copy is
    a compact database file without deleted bytes, Postgres's an archive of pg_dump. Raises BackupRefused when `path`
    exists or pg_dump is not installed, Unavailable when the database or the disk fails; then no file remains.
    """
    partial = await asyncio.to_thread(_reserve, path)
    try:
        with database_border(database.place):
            if database.path is None:
                await _dump_postgres(database.url, partial)
            else:
                await asyncio.to_thread(_copy_sqlite, database.path, partial)
            await asyncio.to_thread(_publish, partial, path)
    except BaseException:
        _discard(partial, path)
        raise


async def restore(path: Path, url: str) -> None:
    """Restore the database `url` from the backup `path`. `Database.migrate` then updates its schema.

    Raises BackupRefused when a database exists already, when `path` is damaged or not a backup by Ownkey for this
    engine, DatabaseTooNew when a newer Ownkey created it. Then nothing is changed.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        await _restore_postgres(path, url)
    else:
        await asyncio.to_thread(_restore_sqlite, path, sqlite_path(parsed))


def _reserve(path: Path) -> Path:
    """Claim `path` with an empty file, and another beside it that the copy is written to; the latter's path."""
    partial = path.with_name(path.name + ".partial")
    _make(path)
    try:
        _make(partial)
    except BackupRefused:
        _discard(path)
        raise
    return partial


def _make(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise BackupRefused(f"{path} already exists and is not replaced.") from None
    except OSError as error:
        raise BackupRefused(f"{path} cannot be written: {error.strerror}.") from error


def _publish(partial: Path, path: Path) -> None:
    """Give the finished copy its name, durably."""
    _sync(partial)
    partial.replace(path)
    _sync(path.parent)


def _discard(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy_sqlite(source: Path, target: Path) -> None:
    """VACUUM INTO the empty file: it reads one snapshot, which the WAL retains while writers continue."""
    try:
        with closing(sqlite3.connect(source.absolute().as_uri() + "?mode=ro", uri=True)) as conn:
            conn.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise unavailable(str(target), error) from error


def _restore_sqlite(source: Path, target: Path) -> None:
    for existing in (target, Path(f"{target}-wal"), Path(f"{target}-journal")):
        if existing.exists():
            raise BackupRefused(f"{existing} already exists: move it away before restoring.")
    _check_sqlite_backup(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = _reserve(target)
    try:
        _copy_sqlite(source, partial)
        _publish(partial, target)
    except BaseException:
        _discard(partial, target)
        raise


def _check_sqlite_backup(source: Path) -> None:
    if not source.is_file():
        raise BackupRefused(f"The file {source} does not exist.")
    try:
        with closing(sqlite3.connect(source.absolute().as_uri() + "?mode=ro", uri=True)) as conn:
            problems = [row[0] for row in conn.execute("PRAGMA integrity_check")]
            heads = {row[0] for row in conn.execute("SELECT version_num FROM alembic_version")}
    except sqlite3.Error as error:
        raise BackupRefused(f"{source} is not an SQLite backup of Ownkey.", operator=str(error)) from error
    if problems != ["ok"]:
        raise BackupRefused(f"{source} is damaged.", operator=str(problems[0]))
    check_known(heads)


async def _dump_postgres(url: URL, path: Path) -> None:
    """Write pg_dump's custom archive to the empty file `path`."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        await _run_postgres(url, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", output=descriptor)
    finally:
        os.close(descriptor)


async def _restore_postgres(path: Path, url: str) -> None:
    """Fill the empty database at `url` from an archive, all or nothing."""
    database = await Database.open(url)
    try:
        async with database.read() as conn:
            tables = await conn.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"))
            if tables.scalar_one() > 0:
                raise BackupRefused(f"{database.place} already holds tables: restore into an empty database.")
        check_known(await _postgres_heads(database.url, path))
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        await _run_postgres(database.url, "pg_restore", *options, f"--dbname={database.url.database}", str(path))
    finally:
        await database.close()


async def _postgres_heads(url: URL, path: Path) -> set[str]:
    """The schema revisions in an archive: the rows of alembic_version in Postgres' COPY format."""
    script = await _run_postgres(url, "pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(path))
    lines = iter(script.splitlines())
    for line in lines:
        if line.startswith("COPY ") and "alembic_version" in line:
            break
    heads: set[str] = set()
    for line in lines:
        if line == "\\.":
            return heads
        heads.add(line)
    raise BackupRefused(f"{path} is not a Postgres backup of Ownkey.")


async def _run_postgres(url: URL, program: str, *arguments: str, output: int = asyncio.subprocess.PIPE) -> str:
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
            env={**os.environ, **_postgres_environment(url)},
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


def _postgres_environment(url: URL) -> dict[str, str]:
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
