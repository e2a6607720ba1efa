"""The two doors of a database: what they let through, what they queue, and what they make of failures."""

import asyncio
import os
import random
import sqlite3
import stat
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.services.postgres import Cluster
from tests.storage.values import a_user, stored_user

from ownkey.domain.credential import Preferences
from ownkey.domain.errors import Conflict, InvalidRequest, Unavailable
from ownkey.domain.tenancy import user_owner
from ownkey.storage import Database, changes, preferences, users
from ownkey.storage.errors import InvalidDatabaseUrl, database_border


async def _end_connections(cluster: Cluster) -> None:
    """As a restarted server does."""
    await cluster.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ownkey'")


async def test_what_is_written_is_read_and_what_raises_is_not(database: Database) -> None:
    kept, lost = a_user(), a_user()
    async with database.write() as conn:
        await users.create(conn, kept)

    async def fail() -> None:
        async with database.write() as conn:
            await users.create(conn, lost)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with database.read() as conn:
        assert await users.get(conn, kept.id) == kept
        assert await users.get(conn, lost.id) is None


async def test_the_reading_door_refuses_to_write(database: Database) -> None:
    with pytest.raises(Unavailable) as caught:
        async with database.read() as conn:
            await users.create(conn, a_user())
    assert "read" in caught.value.operator


async def test_many_writers_queue_instead_of_failing(database: Database) -> None:
    async def write() -> None:
        async with database.write() as conn:
            await changes.append(conn, "platform")

    await asyncio.gather(*(write() for _ in range(40)))
    async with database.read() as conn:
        assert await changes.latest(conn) == 40


async def test_readers_neither_wait_for_a_writer_nor_see_its_unfinished_work(database: Database) -> None:
    user = a_user()
    async with database.write() as writing:
        await users.create(writing, user)
        async with database.read() as reading:
            assert await users.get(reading, user.id) is None


async def test_a_cancelled_writer_leaves_nothing_and_lets_the_next_one_in(database: Database) -> None:
    user, entered = a_user(), asyncio.Event()

    async def write() -> None:
        async with database.write() as conn:
            await users.create(conn, user)
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.write() as conn:
        await users.create(conn, user)


@pytest.mark.parametrize("seed", range(3))
async def test_tasks_cancelled_at_any_instant_leave_all_or_nothing_and_hold_no_lock(
    database: Database, seed: int
) -> None:
    """All: a user, and the change that announces it. Some are cancelled twice, amid their cleaning up."""
    chance = random.Random(seed)

    async def write() -> None:
        user = a_user()
        async with database.write() as conn:
            await users.create(conn, user)
            await changes.append(conn, f"user:{user.id}")

    async def read() -> None:
        async with database.read() as conn:
            await users.list_page(conn, 10)

    for _ in range(12):
        tasks = [asyncio.create_task(chance.choice([read, write])()) for _ in range(4)]
        for _ in range(chance.choice([1, 2])):
            await asyncio.wait(tasks, timeout=chance.uniform(0, 0.01))
            for task in tasks:
                task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert result is None or isinstance(result, asyncio.CancelledError)
    await write()
    async with database.read() as conn:
        assert await users.count(conn) == await changes.latest(conn) == len(await changes.since(conn, 0))
    assert await database.scrub()


async def test_a_writer_cancelled_while_it_waits_for_another_process_lets_the_next_one_in(
    sqlite_database: Database,
) -> None:
    assert sqlite_database.path is not None
    other = sqlite3.connect(sqlite_database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with sqlite_database.write() as conn:
            await changes.append(conn, "platform")

    task = asyncio.create_task(write())
    await asyncio.wait([task], timeout=0.1)
    task.cancel()
    following = asyncio.create_task(write())
    await asyncio.wait([task, following], timeout=0.1)
    other.execute("COMMIT")
    other.close()
    with pytest.raises(asyncio.CancelledError):
        await task
    await following
    async with sqlite_database.read() as conn:
        assert await changes.latest(conn) == 1


async def test_a_violated_reference_is_a_conflict_that_names_no_table_in_public(database: Database) -> None:
    with pytest.raises(Conflict) as caught:
        async with database.write() as conn:
            await preferences.put(conn, user_owner("user_absent"), Preferences())
    assert "preferences" not in caught.value.public
    assert "user_absent" not in caught.value.operator


@pytest.mark.parametrize(
    "unfit",
    [Preferences(max_tokens=1 << 70), Preferences(model="canary\ud800")],
    ids=["number beyond 64 bits", "lone surrogate"],
)
async def test_a_value_no_column_can_hold_is_an_invalid_request_that_is_not_quoted(
    database: Database, unfit: Preferences
) -> None:
    user = await stored_user(database)
    with pytest.raises(InvalidRequest) as caught:
        async with database.write() as conn:
            await preferences.put(conn, user_owner(user.id), unfit)
    assert "canary" not in caught.value.operator + str(caught.value)
    assert "118059" not in caught.value.operator + str(caught.value)
    assert caught.value.__suppress_context__


async def test_a_nul_character_that_postgres_cannot_hold_is_an_invalid_request(postgres_database: Database) -> None:
    user = await stored_user(postgres_database)
    with pytest.raises(InvalidRequest):
        async with postgres_database.write() as conn:
            await preferences.put(conn, user_owner(user.id), Preferences(model="canary\0"))


@pytest.mark.parametrize(
    "url",
    [
        "mysql://root:canary@localhost/db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:////tmp/x.db?mode=ro",
        "postgresql://user:canary@localhost",
        "canary",
        "",
    ],
)
async def test_a_url_of_another_kind_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(InvalidDatabaseUrl) as caught:
        await Database.open(url)
    assert "canary" not in caught.value.public + caught.value.operator


async def test_the_name_for_logs_hides_the_password() -> None:
    database = await Database.open("postgresql://joe:canary@db.example.org/ownkey?sslmode=require")
    assert database.place == "postgresql://joe:***@db.example.org/ownkey"
    await database.close()


async def test_postgres_away_is_unavailable_at_both_doors_and_back_again_without_a_restart(
    postgres_cluster: Cluster, postgres_url: str
) -> None:
    away = await Database.open(f"postgresql://postgres@/absent?host={postgres_cluster.folder / 'nowhere'}")
    with pytest.raises(Unavailable, match="try again"):
        await away.ping()
    with pytest.raises(Unavailable):
        async with away.write():
            pass
    await away.close()

    database = await Database.open(postgres_url)
    await database.ping()
    await _end_connections(postgres_cluster)
    await database.ping()
    await database.close()


async def test_a_connection_lost_amid_a_transaction_is_unavailable(
    postgres_cluster: Cluster, postgres_database: Database
) -> None:
    user = a_user()

    async def write() -> None:
        async with postgres_database.write() as conn:
            await users.create(conn, user)
            await _end_connections(postgres_cluster)
            await conn.execute(text("SELECT 1"))

    with pytest.raises(Unavailable) as caught:
        await write()
    assert caught.value.retry_after is not None
    async with postgres_database.read() as conn:
        assert await users.get(conn, user.id) is None


async def test_a_locked_file_is_unavailable_after_the_timeout(sqlite_url: str) -> None:
    database = await Database.open(sqlite_url, timeout_s=0.1)
    assert database.path is not None
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable) as caught:
        async with database.write() as conn:
            await changes.append(conn, "platform")
    assert "locked" in caught.value.operator
    other.execute("ROLLBACK")
    other.close()
    async with database.write() as conn:
        await changes.append(conn, "platform")
    await database.close()


async def test_a_writer_waits_for_another_process_to_finish(sqlite_database: Database) -> None:
    assert sqlite_database.path is not None
    other = sqlite3.connect(sqlite_database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with sqlite_database.write() as conn:
            await changes.append(conn, "platform")

    waiting = asyncio.create_task(write())
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    assert not done
    other.execute("COMMIT")
    other.close()
    await waiting


async def test_a_full_disk_is_unavailable_and_the_database_survives_it(sqlite_database: Database) -> None:
    async def write_much() -> None:
        async with sqlite_database.write() as conn:
            await conn.exec_driver_sql("PRAGMA max_page_count = 1")
            for _ in range(500):
                await users.create(conn, a_user(password_hash="x" * 1000))

    with pytest.raises(Unavailable) as caught:
        await write_much()
    assert "full" in caught.value.operator
    async with sqlite_database.write() as conn:
        await conn.exec_driver_sql("PRAGMA max_page_count = 1000000")
        await users.create(conn, a_user())


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "ownkey.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(Unavailable) as caught:
        await Database.open(f"sqlite:///{tmp_path / 'ownkey.db'}")
    assert "not a database" in caught.value.operator


async def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable):
        await Database.open(f"sqlite:///{tmp_path / 'file' / 'ownkey.db'}")


async def test_every_file_of_sqlite_is_for_its_owner_only(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        database = await Database.open(f"sqlite:///{tmp_path / 'new' / 'ownkey.db'}")
        await database.migrate()
        names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()}
    finally:
        os.umask(former)
    await database.close()
    assert names == {"ownkey.db": 0o600, "ownkey.db-wal": 0o600, "ownkey.db-shm": 0o600}


async def test_sqlite_runs_with_the_promised_settings(sqlite_database: Database) -> None:
    async def settings() -> dict[str, object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "temp_store")
        return {name: (await conn.exec_driver_sql(f"PRAGMA {name}")).scalar_one() for name in names}

    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "temp_store": 2}
    async with sqlite_database.read() as conn:
        assert await settings() == expected
    async with sqlite_database.write() as conn:
        assert await settings() == expected


@pytest.mark.parametrize("error", [asyncpg.InterfaceError("closed"), asyncpg.PostgresConnectionError("gone")])
def test_errors_of_postgres_driver_that_sqlalchemy_does_not_know_are_unavailable(error: Exception) -> None:
    with pytest.raises(Unavailable), database_border("postgresql://db/ownkey"):
        raise error


def test_a_value_that_postgres_driver_rejects_before_sending_is_an_invalid_request() -> None:
    refused = RuntimeError("refused")
    refused.__cause__ = asyncpg.DataError("out of range")
    with pytest.raises(InvalidRequest), database_border("postgresql://db/ownkey"):
        raise DBAPIError("INSERT", (), refused)
