"""Allowances when processes race, die and recall, when clocks are set back, and when the database is away."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from ownkey.domain.allowance import TAKEN, Pool, Refused, Wait
from ownkey.domain.errors import RateLimited, Unavailable
from ownkey.domain.ids import ApiKeyId, UserId
from ownkey.domain.slices import Timing
from ownkey.domain.tenancy import ApiKeyGrant, Principal, Role
from ownkey.gateway.admit import Admission
from ownkey.storage import Database
from ownkey.storage.allowances import LeasedAllowance, PoolStore, sweep

ROOT = Path(__file__).parents[2]
START = 1_900_000_000.0
POOL = Pool("key", 100)


class Clock:
    """The time of the processes; the database's is `set_back` seconds earlier."""

    def __init__(self) -> None:
        self.now = START
        self.set_back = 0.0
        reading = sa.bindparam("clock", callable_=lambda: self.now - self.set_back, unique=True)
        self.database = sa.type_coerce(reading, sa.Double[float]())

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def process(database: Database, clock: Clock) -> Callable[[], LeasedAllowance]:
    """Opens the allowance of one more process, which waits for nobody's return."""
    timing = Timing(recall_s=0.0)
    return lambda: LeasedAllowance(PoolStore(database, "host:1", "journal", clock.database), timing, clock)


async def take_all(allowance: LeasedAllowance, pool: Pool = POOL) -> int:
    """Take until it is refused; how many were had."""
    taken = 0
    while await allowance.acquire((pool,), (1,)) == TAKEN:
        taken += 1
    return taken


async def kept(database: Database) -> tuple[int, int]:
    """(spent, leased) of the pool."""
    async with database.read() as conn:
        row = (await conn.execute(sa.text("SELECT spent, leased FROM pools WHERE id = 'key'"))).one()
        return row.spent, row.leased


async def test_four_processes_and_one_that_is_killed_never_exceed_the_limit(database_url: str) -> None:
    limit, window_s = 40, 2.0
    arguments = (sys.executable, "-m", "tests.storage.allowance_process", database_url, str(limit), str(window_s))
    children = [await asyncio.create_subprocess_exec(*arguments, cwd=ROOT, stdin=PIPE, stdout=PIPE) for _ in range(4)]
    times: list[float] = []
    enough = asyncio.Event()

    async def read(child: asyncio.subprocess.Process) -> None:
        assert child.stdout is not None
        while line := await child.stdout.readline():
            times.append(float(line))
            if len(times) == limit // 2:
                children[0].kill()
            if len(times) >= 3 * limit:
                enough.set()

    reading = [asyncio.create_task(read(child)) for child in children]
    await enough.wait()
    for child in children[1:]:
        assert child.stdin is not None
        child.stdin.close()
    await asyncio.gather(*reading)
    assert [await child.wait() for child in children] == [-9, 0, 0, 0]
    times.sort()
    # SQLite's clock counts milliseconds.
    windows = [bisect_left(times, start + window_s - 0.002) - number for number, start in enumerate(times)]
    assert max(windows) <= limit


async def test_a_run_that_expired_never_comes_back(database: Database, clock: Clock) -> None:
    store = PoolStore(database, "host:1", "journal", clock.database)
    assert not (await store.exchange("run_1", (), 60.0)).expired
    clock.now += 59
    assert not (await store.exchange("run_1", (), 60.0)).expired
    clock.now += 60
    assert (await store.exchange("run_1", (), 60.0)).expired
    assert (await store.exchange("run_1", (), 60.0)).expired


async def test_a_killed_holder_costs_its_slice_until_it_has_left_the_window(
    database: Database, process: Callable[[], LeasedAllowance], clock: Clock
) -> None:
    killed, other = process(), process()
    for _ in range(9):
        assert await killed.acquire((POOL,), (1,)) == TAKEN
    # After whatever refill is under way.
    await killed.refill(Wait(()))
    spent, lost = await kept(database)
    assert lost > 0
    assert await take_all(other) == 100 - spent - lost
    await other.close()
    # Its lease expires, and counts as spent from then on.
    clock.now += 61
    assert isinstance(killed.take((POOL,), (1,)), Wait)
    assert await take_all(other) == 100 - lost
    await other.close()
    clock.now += 61
    assert await take_all(other) == 100


async def test_what_is_recalled_comes_back(database: Database, clock: Clock) -> None:
    holder, starved = (
        LeasedAllowance(PoolStore(database, "host:1", "journal", clock.database), clock=clock) for _ in range(2)
    )
    small = Pool("key", 24)
    for _ in range(8):
        assert await holder.acquire((small,), (1,)) == TAKEN
    rest = 24 - 8
    for _ in range(rest):
        taking = asyncio.create_task(starved.acquire((small,), (1,)))
        while not taking.done():
            await asyncio.sleep(0)
            await holder.tick()
            clock.now += 0.001
        assert taking.result() == TAKEN


async def test_a_closed_process_returns_everything(database: Database, process: Callable[[], LeasedAllowance]) -> None:
    closed, other = process(), process()
    for _ in range(9):
        await closed.acquire((POOL,), (1,))
    await closed.close()
    assert await kept(database) == (9, 0)
    assert await take_all(other) == 91


async def test_a_clock_set_back_blocks_for_one_window_at_most(
    process: Callable[[], LeasedAllowance], clock: Clock
) -> None:
    allowance = process()
    assert await take_all(allowance) == 100
    clock.set_back = 3600.0
    clock.now += 2
    refused = await allowance.acquire((POOL,), (1,))
    assert isinstance(refused, Refused)
    assert refused.retry_after <= 60.0
    clock.now += 61
    assert await take_all(allowance) == 100


async def test_what_is_held_lasts_while_the_database_is_away_and_then_nobody_is_blamed(
    sqlite_url: str, clock: Clock
) -> None:
    database = await Database.open(sqlite_url)
    allowance = LeasedAllowance(PoolStore(database, "host:1", "journal", clock.database), clock=clock)
    admission = Admission(allowance)
    grant = ApiKeyGrant(ApiKeyId("key"), "key", frozenset(), requests_per_minute=1000)
    caller = Principal(UserId("user"), Role.USER, (), grant)
    for _ in range(10):
        await admission.admit(caller)
    async with database.write() as conn:
        await conn.execute(sa.text("ALTER TABLE pools RENAME TO away"))
    held = 0
    while admission.try_admit(caller):
        held += 1
    assert held > 0
    with pytest.raises(Unavailable) as caught:
        await admission.admit(caller)
    assert not isinstance(caught.value, RateLimited)
    assert (caught.value.status, caught.value.retry_after) == (503, 1.0)
    async with database.write() as conn:
        await conn.execute(sa.text("ALTER TABLE away RENAME TO pools"))
    with pytest.raises(Unavailable):
        await admission.admit(caller)
    clock.now += 1
    await admission.admit(caller)
    await database.close()


async def test_the_sweep_deletes_what_nobody_has_used_for_long(database: Database) -> None:
    allowance = LeasedAllowance(PoolStore(database, "host:1", "journal", sa.literal(START, sa.Double[float]())))
    await allowance.acquire((POOL,), (1,))
    recent = LeasedAllowance(PoolStore(database, "host:2", "journal"))
    await recent.acquire((Pool("recent", 5),), (1,))
    async with database.write() as conn:
        await conn.execute(sa.text("UPDATE pools SET used_at = 1 WHERE id = 'key'"))
        await conn.execute(sa.text("UPDATE runs SET expires_at = 1 WHERE process = 'host:1'"))
        await sweep(conn)
    async with database.read() as conn:
        assert (await conn.execute(sa.text("SELECT id FROM pools"))).scalars().all() == ["recent"]
        assert (await conn.execute(sa.text("SELECT process FROM runs"))).scalars().all() == ["host:2"]
