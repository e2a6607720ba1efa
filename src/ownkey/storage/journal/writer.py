"""Moves settled records from the journal to the database in the background."""

import asyncio
import time
from collections import deque
from contextlib import suppress

from msgspec import Struct

from ownkey.storage.journal.delivery import Delivery, Sink
from ownkey.storage.journal.journal import Journal


class Pace(Struct, frozen=True, kw_only=True):
    """How eagerly records move. Times are in seconds.

    A turn stores what is pending, at most `rows` per batch. The next one begins `interval` after the last began, or
    `busy_interval` after one that stored `busy` records or more: a batch costs as much as hundreds of its rows, so
    under load there are fewer and larger ones, and a quiet server's rows are soon there. Between two batches it rests
    half as long as the last one took, at most `rest`. After a failure it waits from `patience` on, doubling up
    to `longest`.
    """

    interval: float = 0.25
    busy_interval: float = 1.0
    busy: int = 100
    rows: int = 2000
    rest: float = 0.01
    patience: float = 0.1
    longest: float = 5.0

    def pause(self, stored: int, took: float) -> float:
        """Seconds from the end of a turn that stored `stored` records in `took` seconds to the next turn."""
        return max(0.0, (self.busy_interval if stored >= self.busy else self.interval) - took)


class WriterState(Struct, frozen=True, kw_only=True):
    """For health and metrics. `oldest_pending_s` is exact to a turn; `failing` names the last turn's error type."""

    pending: int
    oldest_pending_s: float
    written: int
    rejected: int
    lost: int
    failing: str | None


class UsageWriter:
    """Stores what `journal` settles through `sink`. Create it inside a running event loop: it starts immediately."""

    def __init__(self, journal: Journal, sink: Sink, pace: Pace | None = None) -> None:
        self._journal = journal
        self._delivery = Delivery(sink, journal.rejected_path)
        self._pace = pace or Pace()
        self._delay = self._pace.patience
        self._failure: BaseException | None = None
        self._marks: deque[tuple[int, float]] = deque()
        self._hurry = asyncio.Event()
        self._flushing = 0
        loop = asyncio.get_running_loop()
        self._turned: asyncio.Future[None] = loop.create_future()
        self._task = loop.create_task(self._run(), name="usage-writer")

    @property
    def state(self) -> WriterState:
        rejected = self._delivery.rejections
        return WriterState(
            pending=self._journal.pending,
            oldest_pending_s=time.monotonic() - self._marks[0][1] if self._marks else 0.0,
            written=self._journal.stored - rejected,
            rejected=rejected,
            lost=self._journal.lost,
            failing=None if self._failure is None else type(self._failure).__name__,
        )

    async def flush(self) -> None:
        """Wait until everything settled before the call is stored, for as long as the database is away.

        Raises RuntimeError when the writer has stopped.
        """
        self._flushing += 1
        self._hurry.set()
        try:
            while self._journal.peek_unwritten(1):
                await self._next_turn()
            target = self._journal.settled
            while self._journal.stored + self._journal.lost < target:
                await self._next_turn()
        finally:
            self._flushing -= 1

    async def close(self, grace: float = 5.0) -> None:
        """Store what is pending, for at most `grace` seconds, and stop. The rest stays in the journal."""
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await self.flush()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _next_turn(self) -> None:
        await asyncio.wait({self._task, self._turned}, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            raise RuntimeError("the usage writer has stopped")

    async def _run(self) -> None:
        while True:
            began, stored = time.monotonic(), self._journal.stored
            self._failure = await self._turn()
            self._journal.tidy()
            turned, self._turned = self._turned, asyncio.get_running_loop().create_future()
            turned.set_result(None)
            if self._failure is not None:
                wait, self._delay = self._delay, min(self._delay * 2, self._pace.longest)
            else:
                self._delay = self._pace.patience
                pause = self._pace.pause(self._journal.stored - stored, time.monotonic() - began)
                wait = 0.0 if self._flushing else pause
            await self._wait(wait)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()

    async def _turn(self) -> BaseException | None:
        """Store what is pending now; the first failure ends the turn."""
        journal, rows = self._journal, self._pace.rows
        self._hurry.clear()
        journal.retry()
        self._mark()
        while unwritten := journal.peek_unwritten(rows):
            if (failure := await self._delivery.store(unwritten)) is not None:
                return failure
            journal.drop_unwritten(len(unwritten))
        target = journal.settled
        while journal.stored + journal.lost < target:
            began = time.monotonic()
            try:
                batch = await journal.peek(rows)
            except OSError as error:
                return error
            if not batch:
                # What was left could not be read back; the journal counts it as lost.
                break
            if (failure := await self._delivery.store(batch)) is not None:
                return failure
            journal.drop(len(batch))
            self._unmark()
            journal.tidy()
            await self._rest(time.monotonic() - began)
        self._unmark()
        return None

    async def _rest(self, took: float) -> None:
        await asyncio.sleep(0 if self._flushing else min(took / 2, self._pace.rest))

    def _mark(self) -> None:
        """Note when the newest pending record was seen first, to know the oldest one's age later."""
        settled = self._journal.settled
        if self._journal.pending and (not self._marks or self._marks[-1][0] < settled):
            self._marks.append((settled, time.monotonic()))

    def _unmark(self) -> None:
        done = self._journal.stored + self._journal.lost
        while self._marks and self._marks[0][0] <= done:
            self._marks.popleft()
