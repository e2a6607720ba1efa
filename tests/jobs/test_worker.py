"""Jobs are carried out at least once, by one process at a time, whichever of them dies."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from ownkey.domain.errors import Unavailable
from ownkey.jobs import Job, JobRegistry, JobWorker
from ownkey.jobs import worker as worker_module
from ownkey.storage import Database
from ownkey.storage import jobs as rows
from ownkey.storage.tables import jobs as table

LEASE_S = 1.0


class Scripted:
    """Work that counts its calls, reports each, and does as a test says."""

    def __init__(self, script: Callable[[int], Awaitable[None]] | None = None) -> None:
        self.calls: Counter[str] = Counter()
        self.began: asyncio.Queue[str] = asyncio.Queue()
        self.buried: asyncio.Queue[str] = asyncio.Queue()
        self._script = script

    async def work(self, key: str) -> None:
        self.calls[key] += 1
        self.began.put_nowait(key)
        if self._script is not None:
            await self._script(self.calls[key])

    async def dead(self, key: str) -> None:
        self.buried.put_nowait(key)


async def endless(_: int) -> None:
    await asyncio.Event().wait()


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_LOOK_S", "_PAUSE_S", "_BACKOFF_S"):
        monkeypatch.setattr(worker_module, name, 0.02)


@asynccontextmanager
async def working(database: Database, *jobs: Job, holder: str = "one") -> AsyncGenerator[JobWorker]:
    registry = JobRegistry()
    for job in jobs:
        registry.register(job)
    worker = JobWorker(database, registry, holder, LEASE_S)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def enqueue(database: Database, *keys: str, name: str = "job") -> None:
    async with database.write() as conn:
        for key in keys:
            await rows.enqueue(conn, name, key, time.time())


async def stored(database: Database) -> list[tuple[str, str | None, int]]:
    """Key, holder and attempts of each job."""
    async with database.read() as conn:
        found = await conn.execute(sa.select(table.c.key, table.c.holder, table.c.attempts).order_by(table.c.key))
    return [(row[0], row[1], row[2]) for row in found]


async def until_left(database: Database, count: int = 0) -> None:
    async with asyncio.timeout(20):
        while len(await stored(database)) > count:
            continue


async def test_a_job_is_carried_out_once_and_leaves_no_row(database: Database) -> None:
    work = Scripted()
    async with working(database, Job(name="job", work=work.work)) as worker:
        await enqueue(database, "a", "b", "a")
        worker.wake()
        assert {await work.began.get(), await work.began.get()} == {"a", "b"}
        await until_left(database)
    assert work.calls == {"a": 1, "b": 1}


async def test_a_job_of_a_change_that_was_rolled_back_is_never_carried_out(database: Database) -> None:
    work = Scripted()

    async def change() -> None:
        async with database.write() as conn:
            await rows.enqueue(conn, "job", "undone", time.time())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change()
    async with working(database, Job(name="job", work=work.work)):
        await enqueue(database, "done")
        assert await work.began.get() == "done"
        await until_left(database)
    assert work.calls == {"done": 1}


async def test_a_job_that_fails_is_tried_again_and_then_becomes_a_dead_letter(database: Database) -> None:
    async def fail(_: int) -> None:
        raise ValueError("secret text")

    work = Scripted(fail)
    async with working(database, Job(name="job", work=work.work, attempts=3, dead=work.dead)):
        await enqueue(database, "a")
        assert await work.buried.get() == "a"
    assert work.calls == {"a": 3}
    async with database.read() as conn:
        row = (await conn.execute(sa.select(table.c.due_at, table.c.attempts, table.c.failure))).one()
    assert tuple(row) in {(None, 3, "ValueError"), (row.due_at, 2, None)}


async def test_a_database_that_is_away_is_no_failure_of_the_job(database: Database) -> None:
    async def away_twice(call: int) -> None:
        if call < 3:
            raise Unavailable("The database is away.")

    work = Scripted(away_twice)
    async with working(database, Job(name="job", work=work.work)):
        await enqueue(database, "a")
        await until_left(database)
    assert work.calls == {"a": 3}


async def test_a_stop_frees_the_job_and_the_next_process_continues_it(database: Database) -> None:
    work = Scripted(endless)
    async with working(database, Job(name="job", work=work.work)):
        await enqueue(database, "a")
        await work.began.get()
    assert await stored(database) == [("a", None, 0)]
    again = Scripted()
    async with working(database, Job(name="job", work=again.work), holder="two"):
        await until_left(database)
    assert again.calls == {"a": 1}


async def test_the_next_process_of_a_name_continues_at_once_what_the_dead_one_held(database: Database) -> None:
    await enqueue(database, "a")
    async with database.write() as conn:
        (job,) = await rows.due(conn, ["job"], time.time())
        assert await rows.claim(conn, job, "one", time.time() + 3600)
    work = Scripted()
    async with working(database, Job(name="job", work=work.work), holder="one"):
        assert await work.began.get() == "a"


async def test_another_process_continues_a_job_when_its_lease_has_expired(database: Database) -> None:
    await enqueue(database, "a")
    async with database.write() as conn:
        (job,) = await rows.due(conn, ["job"], time.time())
        assert await rows.claim(conn, job, "dead", time.time() + LEASE_S)
    work = Scripted()
    async with working(database, Job(name="job", work=work.work), holder="alive"):
        began = time.monotonic()
        assert await work.began.get() == "a"
        # It must be seen expired for a quarter of its time.
        assert time.monotonic() - began >= LEASE_S / 4


async def test_a_living_holder_keeps_its_job_however_long_it_takes(database: Database) -> None:
    work, other = Scripted(endless), Scripted()
    async with working(database, Job(name="job", work=work.work)):
        await enqueue(database, "a")
        await work.began.get()
        looking = Job(name="look", work=other.work, every=LEASE_S / 2)
        async with working(database, looking, Job(name="job", work=other.work), holder="two"):
            for _ in range(5):
                assert await other.began.get() == ""
    assert (work.calls, other.calls["a"]) == ({"a": 1}, 0)


async def test_a_holder_whose_job_was_taken_or_deleted_stops(database: Database) -> None:
    stopped = asyncio.Event()

    async def until_cancelled(_: int) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.set()
            raise

    work = Scripted(until_cancelled)
    async with working(database, Job(name="job", work=work.work)):
        await enqueue(database, "a")
        await work.began.get()
        async with database.write() as conn:
            assert await rows.forget(conn, "job", ["a", "never"]) == 1
        await stopped.wait()
    assert await stored(database) == []


async def test_a_scheduled_job_runs_again_and_again_whatever_fails(database: Database) -> None:
    async def fail_first(call: int) -> None:
        if call == 1:
            raise ValueError("once")

    work = Scripted(fail_first)
    async with working(database, Job(name="sweep", work=work.work, every=0.01)):
        for _ in range(4):
            assert await work.began.get() == ""


async def test_jobs_of_kinds_that_this_process_does_not_know_are_left_alone(database: Database) -> None:
    work = Scripted()
    await enqueue(database, "new", name="of a later version")
    async with working(database, Job(name="job", work=work.work)):
        await enqueue(database, "a")
        assert await work.began.get() == "a"
        await until_left(database, 1)
    assert await stored(database) == [("new", None, 0)]


def test_a_name_is_registered_once() -> None:
    registry = JobRegistry()
    registry.register(Job(name="job", work=Scripted().work))
    with pytest.raises(ValueError, match="job"):
        registry.register(Job(name="job", work=Scripted().work))
