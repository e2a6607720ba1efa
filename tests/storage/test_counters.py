"""Limits that hold across processes."""

import asyncio
import random

import pytest
from tests.storage.values import NOW

from ownkey.storage import Database, counters
from ownkey.storage.records import Allowed


async def hit(database: Database, key: str, now: float, limit: int = 5, window_s: float = 60.0) -> Allowed:
    async with database.write() as conn:
        return await counters.hit(conn, key, limit, window_s, now)


async def test_the_sixth_hit_in_a_minute_is_told_when_to_come_back(database: Database) -> None:
    answers = [await hit(database, "test:user_1", NOW + second) for second in range(6)]
    assert [answer.remaining for answer in answers] == [4, 3, 2, 1, 0, 0]
    assert [answer.allowed for answer in answers] == [True] * 5 + [False]
    assert answers[5].retry_after == 55.0
    assert (await hit(database, "test:user_2", NOW)).allowed
    assert not (await hit(database, "test:user_1", NOW + 59.999)).allowed
    assert (await hit(database, "test:user_1", NOW + 60)).allowed
    assert not (await hit(database, "test:user_1", NOW + 60)).allowed


async def test_concurrent_processes_never_exceed_the_limit_together(database_url: str) -> None:
    databases = [await Database.open(database_url) for _ in range(3)]
    answers = await asyncio.gather(*(hit(databases[number % 3], "login:a", NOW) for number in range(30)))
    assert sum(answer.allowed for answer in answers) == 5
    for database in databases:
        await database.close()


async def test_a_clock_set_back_neither_forgives_nor_blocks_for_longer_than_the_window(database: Database) -> None:
    for _ in range(5):
        await hit(database, "key", NOW)
    answer = await hit(database, "key", NOW - 3600)
    assert (answer.allowed, answer.retry_after) == (False, 60.0)


async def test_a_limit_of_nothing_allows_nothing(database: Database) -> None:
    assert await hit(database, "key", NOW, limit=0) == Allowed(False, 0, 60.0)


async def test_a_lowered_limit_holds_at_once(database: Database) -> None:
    for second in range(5):
        await hit(database, "key", NOW + second)
    answer = await hit(database, "key", NOW + 5, limit=2)
    # Two of the five remain in the window once the fourth has left it.
    assert (answer.allowed, answer.retry_after) == (False, 58.0)


async def test_a_key_is_forgotten_when_reset_or_past(database: Database) -> None:
    for _ in range(5):
        await hit(database, "key", NOW)
    async with database.write() as conn:
        await counters.reset(conn, "key")
    assert (await hit(database, "key", NOW)).remaining == 4
    async with database.write() as conn:
        assert await counters.sweep(conn, NOW + 59) == 0
        assert await counters.sweep(conn, NOW + 60) == 1


@pytest.mark.parametrize("seed", range(5))
async def test_no_window_wherever_it_begins_holds_more_than_the_limit(sqlite_database: Database, seed: int) -> None:
    chance = random.Random(seed)
    now, admitted = NOW, list[float]()
    for _ in range(60):
        now += chance.expovariate(1 / 4)
        answer = await hit(sqlite_database, "key", now, limit=5, window_s=30.0)
        if answer.allowed:
            admitted.append(now)
        else:
            # The promise of retry_after: not a moment earlier, and then indeed.
            assert sum(at > now - 30.0 for at in admitted) == 5
            assert sum(at > now + answer.retry_after - 30.0 for at in admitted) < 5
    assert len(admitted) > 20
    assert all(sum(start <= at < start + 30.0 for at in admitted) <= 5 for start in admitted)
