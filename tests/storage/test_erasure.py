"""Deleting means that nothing is left: no row, and after a scrub no byte in the database's files."""

import os
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.services.postgres import Cluster
from tests.storage.test_stored_responses import a_response
from tests.storage.values import NOW, a_credential, a_request, a_session, an_api_key, stored_user

from ownkey.domain.credential import Preferences
from ownkey.domain.ids import new_id
from ownkey.domain.tenancy import PLATFORM, user_owner
from ownkey.storage import Database, api_keys, credentials, preferences, sessions, stored_responses, usage, users
from ownkey.storage.data_keys import DatabaseDataKeys
from ownkey.storage.records import Erased
from ownkey.storage.workbench.tables import metadata
from ownkey.vault.data_keys import DataKey


def found_in(needles: list[bytes], files: Iterator[Path]) -> list[bytes]:
    """The needles that occur in any of the files."""
    contents = [path.read_bytes() for path in files if path.is_file()]
    return [needle for needle in needles if any(needle in content for content in contents)]


def sqlite_files(database: Database) -> Iterator[Path]:
    assert database.path is not None
    return database.path.parent.glob(database.path.name + "*")


def a_data_key(tenant: str, wrapped: bytes) -> DataKey:
    key_id = new_id("key")
    return DataKey(
        id=key_id, tenant=tenant, use="seal", generation=1, master_version="m1", wrapped=wrapped, created_at=NOW
    )


async def test_with_a_user_everything_of_theirs_goes_and_nothing_of_others(database: Database) -> None:
    user, other = await stored_user(database), await stored_user(database)
    session, key, credential = a_session(user.id), an_api_key(user.id), a_credential(user.id)
    async with database.write() as conn:
        for one_session in (session, a_session(other.id)):
            await sessions.create(conn, one_session)
        for one_key in (key, an_api_key(other.id)):
            await api_keys.create(conn, one_key)
        for one_credential in (credential, a_credential(other.id), a_credential(PLATFORM)):
            await credentials.create(conn, one_credential, b"f")
        for someone in (user, other):
            await preferences.put(conn, user_owner(someone.id), Preferences())
            await stored_responses.put(conn, a_response(someone.id))
            await usage.insert_batch(conn, [a_request(someone.id)])
    for someone in (user, other):
        assert await DatabaseDataKeys(database).add(a_data_key(user_owner(someone.id).tenant, b"wrapped"))

    async with database.write() as conn:
        erased = await users.delete(conn, user.id, NOW)
        assert await users.delete(conn, user.id, NOW) is None
        assert await users.delete(conn, "user_absent", NOW) is None
    assert erased == Erased((key.hash,), (session.token_hash,), (credential.id,))

    kept: dict[str, int] = {}
    async with database.read() as conn:
        for table in metadata.sorted_tables:
            rows = (await conn.execute(table.select())).all()
            kept[table.name] = len(rows)
            if table.name != "erased_users":
                assert user.id not in repr(rows)
    ones = {
        "users",
        "stored_responses",
        "sessions",
        "api_keys",
        "preferences",
        "data_keys",
        "requests",
        "erased_users",
        "change_counter",
    }
    assert kept == {name: 2 if name == "credentials" else int(name in ones) for name in kept}


# Which pages are rebuilt depends on the ids: one database in twenty keeps old copies of rows if nothing is done.
@pytest.mark.parametrize(
    ("size", "turn"),
    [(6000, 0)] + [pytest.param(120, turn, marks=[pytest.mark.long] if turn >= 10 else []) for turn in range(30)],
)
async def test_a_deleted_or_replaced_ciphertext_leaves_no_byte_in_sqlites_files(
    sqlite_database: Database, size: int, turn: int
) -> None:
    """In a database grown and thinned at random, so that pages have been split, merged and rebalanced."""
    chance = random.Random(size + turn)
    user = await stored_user(sqlite_database)
    living: dict[str, bytes] = {}
    dead: list[bytes] = []

    def sealed() -> bytes:
        """A ciphertext that repeats 12 bytes, so that any larger fragment of it is recognised."""
        return os.urandom(12) * (chance.randrange(size // 2, size) // 12)

    for _ in range(6):
        async with sqlite_database.write() as conn:
            for _ in range(60):
                credential = a_credential(user.id, sealed=sealed())
                await credentials.create(conn, credential, os.urandom(32))
                living[credential.id] = credential.sealed
            for credential_id in chance.sample(sorted(living), 40):
                dead.append(living.pop(credential_id))
                await credentials.delete(conn, user_owner(user.id), credential_id)
            for credential_id in chance.sample(sorted(living), 10):
                dead.append(living[credential_id])
                living[credential_id] = sealed()
                await credentials.update(conn, user_owner(user.id), credential_id, sealed=living[credential_id])
    assert found_in([one[:12] for one in dead], sqlite_files(sqlite_database)) != []
    assert await sqlite_database.scrub()
    assert found_in([one[:12] for one in dead], sqlite_files(sqlite_database)) == []
    assert len(found_in([one[:12] for one in living.values()], sqlite_files(sqlite_database))) == len(living)


async def test_a_reader_that_still_sees_the_row_holds_the_scrub_back(sqlite_url: str) -> None:
    database = await Database.open(sqlite_url, timeout_s=0.1)
    user, secret = await stored_user(database), os.urandom(120)
    credential = a_credential(user.id, sealed=secret)
    async with database.write() as conn:
        await credentials.create(conn, credential, b"f")
    async with database.read() as reading:
        assert await credentials.list_for_owners(reading, (credential.owner,)) == [credential]
        async with database.write() as conn:
            await credentials.delete(conn, credential.owner, credential.id)
        assert not await database.scrub()
    assert await database.scrub()
    assert found_in([secret[:16]], sqlite_files(database)) == []
    await database.close()


async def test_another_process_that_writes_holds_the_scrub_back_and_nothing_is_lost(sqlite_url: str) -> None:
    database, other = [await Database.open(sqlite_url, timeout_s=0.1) for _ in range(2)]
    user = await stored_user(database)
    credential = a_credential(user.id)
    async with other.write() as writing:
        await credentials.create(writing, credential, b"f")
        assert not await database.scrub()
    assert await database.scrub()
    async with database.read() as conn:
        assert await credentials.list_for_owners(conn, (credential.owner,)) == [credential]
    for each in (database, other):
        await each.close()


async def test_after_a_scrub_rows_still_go_with_their_owner(sqlite_database: Database) -> None:
    user = await stored_user(sqlite_database)
    credential = a_credential(user.id)
    async with sqlite_database.write() as conn:
        await credentials.create(conn, credential, b"f")
    assert await sqlite_database.scrub()
    async with sqlite_database.write() as conn:
        assert await credentials.list_for_owners(conn, (credential.owner,)) == [credential]
        await users.delete(conn, user.id, NOW)
        assert await credentials.list_for_owners(conn, (credential.owner,)) == []


async def test_a_scrub_waits_for_the_writer_and_harms_nobody(sqlite_database: Database) -> None:
    assert sqlite_database.path is not None
    user = await stored_user(sqlite_database)
    for _ in range(3):
        assert await sqlite_database.scrub()
    assert os.stat(f"{sqlite_database.path}-wal").st_size == 0
    await stored_user(sqlite_database)
    with sqlite3.connect(sqlite_database.path) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    conn.close()
    async with sqlite_database.read() as conn:
        assert await users.get(conn, user.id) == user


async def test_a_deleted_ciphertext_leaves_no_byte_in_postgres_tables(
    postgres_cluster: Cluster, postgres_database: Database
) -> None:
    user, secret = await stored_user(postgres_database), os.urandom(120)
    credential = a_credential(user.id, sealed=secret)
    async with postgres_database.write() as conn:
        await credentials.create(conn, credential, b"f")
    await postgres_cluster.execute("CHECKPOINT")
    assert found_in([secret[:16]], (postgres_cluster.data / "base").rglob("*")) != []
    async with postgres_database.write() as conn:
        await credentials.delete(conn, credential.owner, credential.id)
    assert await postgres_database.scrub()
    await postgres_cluster.execute("CHECKPOINT")
    assert found_in([secret[:16]], (postgres_cluster.data / "base").rglob("*")) == []


async def test_a_scrub_of_postgres_says_when_an_older_transaction_holds_it_back(postgres_database: Database) -> None:
    user = await stored_user(postgres_database)
    credential = a_credential(user.id)
    async with postgres_database.write() as conn:
        await credentials.create(conn, credential, b"f")
    async with postgres_database.write() as locking:
        await credentials.delete(locking, credential.owner, credential.id)
        assert not await postgres_database.scrub()
    assert await postgres_database.scrub()
