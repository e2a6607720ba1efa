"""Backups taken while the database is in use, and databases made from them."""

import asyncio
import os
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.services.postgres import Cluster
from tests.storage.values import a_user, stored_user

from ownkey.domain.errors import Unavailable
from ownkey.domain.ids import UserId
from ownkey.storage import Database, changes, users
from ownkey.storage.backup import backup, restore
from ownkey.storage.errors import BackupRefused, DatabaseTooNew


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """A migrated database to back up, and an empty place of the same kind to restore into."""
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite_url"), f"sqlite:///{tmp_path / 'new' / 'restored.db'}"
    return request.getfixturevalue("postgres_url"), request.getfixturevalue("empty_postgres_url")


@asynccontextmanager
async def opened(url: str) -> AsyncGenerator[Database]:
    database = await Database.open(url)
    try:
        yield database
    finally:
        await database.close()


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_a_restored_backup_is_the_database_at_that_moment(urls: tuple[str, str], tmp_path: Path) -> None:
    source, target = urls
    path = tmp_path / "ownkey.backup"
    async with opened(source) as database:
        user = await stored_user(database)
        await backup(database, path)
        later = await stored_user(database)
    await restore(path, target)
    async with opened(target) as database:
        await database.migrate()
        async with database.read() as conn:
            assert await users.get(conn, user.id) == user
            assert await users.get(conn, later.id) is None
        await stored_user(database)


async def test_a_backup_is_for_its_owner_only_and_leaves_nothing_else(urls: tuple[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    former = os.umask(0)
    try:
        async with opened(urls[0]) as database:
            await backup(database, folder / "one")
    finally:
        os.umask(former)
    assert names_in(folder) == {"one"}
    assert stat.S_IMODE((folder / "one").stat().st_mode) == 0o600


async def test_a_backup_while_writes_flow_is_consistent(urls: tuple[str, str], tmp_path: Path) -> None:
    """Every transaction makes a user and the change that announces it: a torn copy would have one without the other."""
    source, target = urls
    stop = asyncio.Event()
    written = asyncio.Semaphore(0)

    async def write(database: Database) -> int:
        number = 0
        while not stop.is_set():
            number += 1
            async with database.write() as conn:
                await users.create(conn, a_user(id=UserId(f"user_{number}")))
                await changes.append(conn, f"user:user_{number}")
            written.release()
        return number

    async with opened(source) as database, asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(write(database))
        for number in range(3):
            # Each backup begins after some writes and while the next one is under way.
            await written.acquire()
            await backup(database, tmp_path / f"backup{number}")
        stop.set()
    await restore(tmp_path / "backup2", target)
    async with opened(target) as database, database.read() as conn:
        last = await changes.latest(conn)
        assert await users.count(conn) == last == len(await changes.since(conn, 0))
        assert 3 <= last <= writing.result()


async def test_neither_a_backup_nor_a_restore_replaces_anything(urls: tuple[str, str], tmp_path: Path) -> None:
    source, _ = urls
    path = tmp_path / "taken"
    path.write_bytes(b"mine")
    async with opened(source) as database:
        user = await stored_user(database)
        with pytest.raises(BackupRefused, match="already exists"):
            await backup(database, path)
        assert path.read_bytes() == b"mine"
        await backup(database, tmp_path / "good")
        with pytest.raises(BackupRefused, match="already"):
            await restore(tmp_path / "good", source)
        async with database.read() as conn:
            assert await users.get(conn, user.id) == user


async def test_a_damaged_or_foreign_file_is_refused_and_nothing_is_made(urls: tuple[str, str], tmp_path: Path) -> None:
    source, target = urls
    good, cut, foreign = tmp_path / "good", tmp_path / "cut", tmp_path / "foreign"
    async with opened(source) as database:
        for _ in range(50):
            await stored_user(database)
        await backup(database, good)
    cut.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    foreign.write_bytes(b"no backup")
    for bad in (cut, foreign, tmp_path / "absent"):
        with pytest.raises(BackupRefused):
            await restore(bad, target)
    await restore(good, target)
    async with opened(target) as database, database.read() as conn:
        assert await users.count(conn) == 50


async def test_a_backup_of_a_newer_version_is_refused(urls: tuple[str, str], tmp_path: Path) -> None:
    source, target = urls
    async with opened(source) as database:
        async with database.write() as conn:
            await conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await backup(database, tmp_path / "newer")
    with pytest.raises(DatabaseTooNew):
        await restore(tmp_path / "newer", target)


async def test_a_backup_that_cannot_be_written_leaves_no_file(urls: tuple[str, str], tmp_path: Path) -> None:
    async with opened(urls[0]) as database:
        with pytest.raises(BackupRefused):
            await backup(database, tmp_path / "no folder" / "one")
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "one.partial").touch()
        with pytest.raises(BackupRefused):
            await backup(database, tmp_path / "folder" / "one")
        assert names_in(tmp_path / "folder") == {"one.partial"}


async def test_a_backup_of_a_database_that_is_away_leaves_no_file(
    postgres_cluster: Cluster, sqlite_url: str, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    async with opened(f"postgresql://postgres@/absent?host={postgres_cluster.folder}") as database:
        with pytest.raises(BackupRefused) as caught:
            await backup(database, tmp_path / "folder" / "one")
        assert "absent" in caught.value.operator
    async with opened(sqlite_url) as database:
        assert database.path is not None
        database.path.write_bytes(b"overwritten by an accident" * 1000)
        with pytest.raises(Unavailable):
            await backup(database, tmp_path / "folder" / "two")
    assert names_in(tmp_path / "folder") == set()


async def test_a_backup_of_postgres_without_its_programs_says_what_to_install(
    postgres_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupRefused, match="pg_dump is not installed"):
        await backup(postgres_database, tmp_path / "one")
    assert names_in(tmp_path) == set()
