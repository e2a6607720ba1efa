"""One contract of allowances, over its two implementations and both engines."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable

import pytest
import sqlalchemy as sa

from ownkey.domain.allowance import TAKEN, Allowance, MemoryAllowance, Pool, Refused
from ownkey.storage import Database
from ownkey.storage.allowances import LeasedAllowance, PoolStore

START = 1_900_000_000.0


class FakeClock:
    """One time for every process and the database."""

    def __init__(self) -> None:
        self.now = START
        self.reading = sa.type_coerce(
            sa.bindparam("clock", callable_=lambda: self.now, unique=True), sa.Double[float]()
        )

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def leased(database: Database, clock: FakeClock) -> Callable[[], LeasedAllowance]:
    """Makes allowances over one database, as one for each process."""
    return lambda: LeasedAllowance(PoolStore(database, "host:1", "journal", clock.reading), clock=clock)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> str:
    """Where pools are kept: in memory or at a database's URL."""
    if request.param == "memory":
        return "memory"
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture
async def allowance(place: str, clock: FakeClock) -> AsyncGenerator[Allowance]:
    if place == "memory":
        yield MemoryAllowance(clock)
        return
    database = await Database.open(place)
    yield (opened := LeasedAllowance(PoolStore(database, "host:1", "journal", clock.reading), clock=clock))
    await opened.close()
    await database.close()


async def take(allowance: Allowance, pool: Pool, amount: int = 1) -> float | None:
    """Seconds to wait, None when taken."""
    outcome = await allowance.acquire((pool,), (amount,))
    return outcome.retry_after if isinstance(outcome, Refused) else None


FIVE = Pool("five", 5)


async def test_the_sixth_in_a_minute_is_told_when_to_come_back(allowance: Allowance, clock: FakeClock) -> None:
    for _ in range(5):
        assert await take(allowance, FIVE) is None
        clock.now += 1
    assert await take(allowance, FIVE) == pytest.approx(55.0, abs=0.01)
    assert await take(allowance, Pool("other", 5)) is None
    clock.now = START + 59.9
    assert await take(allowance, FIVE) == pytest.approx(0.1, abs=0.01)
    clock.now = START + 60
    assert await take(allowance, FIVE) is None
    assert await take(allowance, FIVE) == pytest.approx(1.0, abs=0.01)


async def test_a_limit_of_nothing_allows_nothing(allowance: Allowance) -> None:
    assert await take(allowance, Pool("none", 0)) == 60.0


async def test_more_than_the_limit_at_once_is_never_allowed(allowance: Allowance) -> None:
    assert await take(allowance, FIVE, 6) == 60.0
    assert await take(allowance, FIVE, 5) is None


async def test_all_pools_give_or_none_does(allowance: Allowance) -> None:
    wide, narrow = Pool("wide", 3), Pool("narrow", 1)
    assert await allowance.acquire((wide, narrow), (1, 1)) == TAKEN
    refused = await allowance.acquire((wide, narrow), (1, 1))
    assert isinstance(refused, Refused)
    assert refused.pool == narrow
    assert [await take(allowance, wide) for _ in range(2)] == [None, None]
    assert await take(allowance, wide) is not None


async def test_a_raised_limit_holds_at_once_and_a_lowered_one_too(allowance: Allowance, clock: FakeClock) -> None:
    assert [await take(allowance, Pool("key", 2)) for _ in range(2)] == [None, None]
    assert await take(allowance, Pool("key", 2)) is not None
    assert [await take(allowance, Pool("key", 4)) for _ in range(2)] == [None, None]
    assert await take(allowance, Pool("key", 1)) == pytest.approx(60.0, abs=0.01)
    clock.now += 60
    assert await take(allowance, Pool("key", 1)) is None
    assert await take(allowance, Pool("key", 1)) is not None


async def test_what_is_forgotten_can_be_taken_again(allowance: Allowance) -> None:
    for _ in range(5):
        await take(allowance, FIVE)
    await allowance.forget(FIVE.id)
    assert [await take(allowance, FIVE) for _ in range(5)] == [None] * 5
    assert await take(allowance, FIVE) is not None
    await allowance.forget("never used")


@pytest.mark.parametrize("seed", range(3))
async def test_no_window_wherever_it_begins_holds_more_than_the_limit(
    allowance: Allowance, clock: FakeClock, seed: int
) -> None:
    chance = random.Random(seed)
    pool, admitted = Pool("key", 90, 30.0), list[float]()
    for _ in range(500):
        clock.now += chance.choice((0.01, 0.05, 0.3, 3.0)) * chance.random()
        if isinstance(allowance, LeasedAllowance) and chance.random() < 0.1:
            await allowance.tick()
        if await take(allowance, pool) is None:
            admitted.append(clock.now)
    assert len(admitted) > 90
    assert all(sum(start <= at < start + 30.0 for at in admitted) <= 90 for start in admitted)


async def test_processes_never_exceed_the_limit_together(database: Database) -> None:
    processes = [LeasedAllowance(PoolStore(database, f"host:{number}", "journal")) for number in range(3)]
    looking_after = [asyncio.create_task(process.run()) for process in processes]
    answers = await asyncio.gather(*(take(processes[number % 3], FIVE) for number in range(30)))
    assert answers.count(None) == 5
    for task, process in zip(looking_after, processes, strict=True):
        task.cancel()
        await process.close()
    async with database.read() as conn:
        assert (await conn.execute(sa.text("SELECT spent, leased FROM pools"))).one() == (5, 0)
        assert (await conn.execute(sa.text("SELECT count(*) FROM leases"))).scalar_one() == 0
