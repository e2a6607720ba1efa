"""The change feed: nothing written is missed by a reader, whatever the order of commits."""

import asyncio

import pytest

from ownkey.storage import Database, changes


async def test_a_reader_gets_what_was_appended_since_its_last_look(database: Database) -> None:
    async with database.read() as conn:
        start = await changes.latest(conn)
    async with database.write() as conn:
        await changes.append(conn, "platform")
        await changes.append(conn, "user:user_1")
    async with database.read() as conn:
        assert [change.topic for change in await changes.since(conn, start)] == ["platform", "user:user_1"]
        assert await changes.since(conn, start + 2) == []
        assert await changes.since(conn, start, limit=1) == [(start + 1, "platform")]


async def test_a_change_that_is_rolled_back_is_neither_seen_nor_leaves_a_gap(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as conn:
            await changes.append(conn, "never")
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with database.write() as conn:
        assert await changes.append(conn, "platform") == 1


async def test_a_number_is_never_overtaken_by_one_that_commits_earlier(database: Database) -> None:
    """The second appender must wait for the first: had it committed 2 before 1, a reader at 2 would miss 1."""
    first_appended, first_may_commit = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with database.write() as conn:
            await changes.append(conn, "first")
            first_appended.set()
            await first_may_commit.wait()

    async def second() -> None:
        await first_appended.wait()
        async with database.write() as conn:
            await changes.append(conn, "second")

    slow, fast = asyncio.create_task(first()), asyncio.create_task(second())
    await first_appended.wait()
    done, _ = await asyncio.wait([fast], timeout=0.2)
    assert not done
    async with database.read() as conn:
        assert await changes.since(conn, 0) == []
    first_may_commit.set()
    await asyncio.gather(slow, fast)
    async with database.read() as conn:
        assert await changes.since(conn, 0) == [(1, "first"), (2, "second")]


async def test_a_polling_reader_sees_every_change_of_concurrent_writers_once(database_url: str) -> None:
    writers, each = 4, 15
    databases = [await Database.open(database_url, pool_size=2) for _ in range(writers + 1)]
    reader, *writing = databases

    async def write(database: Database, name: int) -> None:
        for number in range(each):
            async with database.write() as conn:
                await changes.append(conn, f"{name}/{number}")

    seen: list[str] = []

    async def read() -> None:
        last = 0
        while len(seen) < writers * each:
            async with reader.read() as conn:
                news = await changes.since(conn, last, limit=7)
            seen.extend(topic for _, topic in news)
            last = news[-1].seq if news else last

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read())
        for name, database in enumerate(writing):
            tasks.create_task(write(database, name))
    for database in databases:
        await database.close()
    assert sorted(seen) == sorted(f"{name}/{number}" for name in range(writers) for number in range(each))
    for name in range(writers):
        assert [topic for topic in seen if topic.startswith(f"{name}/")] == [f"{name}/{n}" for n in range(each)]


async def test_a_reader_left_behind_by_pruning_is_told_to_forget_everything(database: Database) -> None:
    async with database.write() as conn:
        for _ in range(3):
            await changes.append(conn, "platform")
        assert await changes.prune(conn, before=4e9) == 3
    async with database.read() as conn:
        assert await changes.since(conn, 1) == [(3, changes.EVERYTHING)]
        assert await changes.since(conn, 3) == []
    async with database.write() as conn:
        await changes.append(conn, "platform")
    async with database.read() as conn:
        assert await changes.since(conn, 1) == [(4, changes.EVERYTHING)]
        assert await changes.since(conn, 3) == [(4, "platform")]


async def test_a_reader_from_the_future_of_a_restored_backup_forgets_everything(database: Database) -> None:
    async with database.read() as conn:
        assert await changes.since(conn, 17) == [(0, changes.EVERYTHING)]
