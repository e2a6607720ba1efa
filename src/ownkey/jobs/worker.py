"""Executes jobs in this process, under leases.

A lease is a row's `due_at`: whoever claims a job moves it into the future, again every second. When the holder dies,
the job comes due again and any process continues it. A holder that finds its lease gone stops immediately.
"""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from itertools import count
from pathlib import Path

import structlog

from ownkey.domain.errors import Unavailable
from ownkey.domain.ids import new_id
from ownkey.jobs.registry import Job, JobRegistry
from ownkey.logs import outline
from ownkey.storage import jobs as rows
from ownkey.storage.database import Database
from ownkey.storage.jobs import JobKey, StoredJob

_LOOK_S = 1.0
_PAUSE_S = 2.0
"""Between attempts to reach a database that is away."""
_BACKOFF_S = 10.0
"""Before the second attempt of a job that failed; doubled for each further one."""
_RELEASE_S = 3.0
_HOLDERS = "executors"
"""The folder of the lock files that name this machine's holders, in the data directory."""

log = structlog.get_logger(__name__)


class JobWorker:
    """Runs the registered jobs. `holder` names this process, and the one after it; a lease lasts `lease_s` seconds."""

    def __init__(self, database: Database, registry: JobRegistry, holder: str, lease_s: float) -> None:
        self._database = database
        self._registry = registry
        self._holder = holder
        self._lease_s = lease_s
        self._wake = asyncio.Event()
        self._under_way: dict[JobKey, tuple[asyncio.Task[None], asyncio.Task[None]]] = {}
        self._expired: dict[StoredJob, float] = {}

    def wake(self) -> None:
        """Look for jobs now: one was enqueued."""
        self._wake.set()

    async def run(self) -> None:
        """Carry jobs out until cancelled. Jobs under way are then broken off, and free for whoever comes next."""
        try:
            # A server that starts is ready first, and its jobs continue then.
            await self._pause()
            await _patiently(self._open)
            while True:
                self._wake.clear()
                try:
                    await self._look()
                except Unavailable as error:
                    # Leases that expire meanwhile are nobody's fault: their holders could not renew them either.
                    self._expired.clear()
                    log.warning("jobs wait for the database", reason=outline(error))
                await self._pause()
        finally:
            await self._stop()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await self._wake.wait()

    async def _open(self) -> None:
        """Free what the process before this one of the same name has left, and put schedules into the table."""
        now = time.time()
        async with self._database.write() as conn:
            await rows.release(conn, self._holder, now)
            for job in self._registry.scheduled:
                await rows.enqueue(conn, job.name, "", now)

    async def _look(self) -> None:
        now = time.time()
        if self._under_way:
            async with self._database.write() as conn:
                held = await rows.renew(conn, self._holder, now + self._lease_s)
            for key, (_, work) in self._under_way.items():
                if key not in held:
                    work.cancel()
        async with self._database.read() as conn:
            due = [job for job in await rows.due(conn, self._registry.names, now) if job.id not in self._under_way]
        for job in self._ripe(due):
            async with self._database.write() as conn:
                if not await rows.claim(conn, job, self._holder, now + self._lease_s):
                    continue
            if job.holder is not None:
                log.warning("a job whose process is gone is taken up", job=job.id.name)
            kind = self._registry[job.id.name]
            work = asyncio.create_task(_patiently(lambda kind=kind, job=job: kind.work(job.id.key)))
            self._under_way[job.id] = asyncio.create_task(self._supervise(kind, job, work)), work

    def _ripe(self, due: list[StoredJob]) -> list[StoredJob]:
        """Those that may be claimed. A lease must stay expired for a while as seen from here: when the database comes
        back after an outage all leases have expired, and living holders renew them within a second."""
        now = time.monotonic()
        self._expired = {job: self._expired.get(job, now) for job in due if job.holder is not None}
        return [job for job in due if job.holder is None or now - self._expired[job] >= self._lease_s / 4]

    async def _supervise(self, kind: Job, job: StoredJob, work: asyncio.Task[None]) -> None:
        try:
            await asyncio.wait((work,))
            if not work.cancelled():
                await self._settle(kind, job, work.exception())
        finally:
            work.cancel()
            await asyncio.wait((work,))
            del self._under_way[job.id]
            self._wake.set()

    async def _settle(self, kind: Job, job: StoredJob, failure: BaseException | None) -> None:
        """Store how an attempt ended."""
        attempts = job.attempts + 1
        if failure is None or kind.every is not None:
            again = None if kind.every is None else time.time() + kind.every
        else:
            again = time.time() + _BACKOFF_S * 2 ** (attempts - 1)
        dead = failure is not None and kind.every is None and attempts >= kind.attempts
        if failure is not None:
            log.error("a job failed", job=kind.name, attempt=attempts, dead=dead, exc_info=failure)
        if dead and kind.dead is not None:
            await _patiently(lambda: kind.dead(job.id.key))  # pyright: ignore[reportOptionalCall]

        async def store() -> None:
            async with self._database.write() as conn:
                if dead:
                    await rows.bury(conn, job.id, self._holder, type(failure).__name__)
                elif again is None:
                    await rows.finish(conn, job.id, self._holder)
                else:
                    await rows.postpone(conn, job.id, self._holder, again, 0 if failure is None else attempts)

        await _patiently(store)

    async def _stop(self) -> None:
        tasks = [supervisor for supervisor, _ in self._under_way.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(_RELEASE_S), self._database.write() as conn:
                await rows.release(conn, self._holder, time.time())


async def _patiently(work: Callable[[], Awaitable[None]]) -> None:
    """Do work, again while the database is away."""
    while True:
        try:
            await work()
            return
        except Unavailable as error:
            log.warning("a job waits for the database", reason=outline(error))
            await asyncio.sleep(_PAUSE_S)


@contextmanager
def holder_name(data_dir: Path) -> Generator[str]:
    """A name that belongs to this process alone while it lives, and to the next process after it.

    The next process of a name knows that the last one is dead, and continues its jobs without waiting for their
    leases to expire. Processes that share a data directory take the lowest free name, held by a lock that ends with
    the process; the host name keeps apart a directory that was copied to another machine.
    """
    folder = data_dir / _HOLDERS
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = _take_free(folder)
    try:
        name = os.read(descriptor, 100).decode("ascii", "replace")
        if not name:
            name = new_id("exec")
            os.write(descriptor, name.encode("ascii"))
        yield f"{name}-{socket.gethostname()}"
    finally:
        os.close(descriptor)


def _take_free(folder: Path) -> int:
    for number in count():
        descriptor = os.open(folder / str(number), os.O_RDWR | os.O_CREAT, 0o600)
        with suppress(BlockingIOError):
            flock(descriptor, LOCK_EX | LOCK_NB)
            return descriptor
        os.close(descriptor)
    raise AssertionError
