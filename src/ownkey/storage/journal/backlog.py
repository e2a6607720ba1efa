"""The settled records the database has not got, oldest first, in bounded memory."""

import asyncio
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ownkey.domain.usage import RequestRecord
from ownkey.storage.journal.frames import HEADER_SIZE, SETTLE, Frame, scan
from ownkey.storage.journal.segments import Segment


class _Reading:
    """A place in the segments from which on records are no longer remembered but read again.

    `seen` counts the settle frames of `segment` that lie before it.
    """

    __slots__ = ("frames", "offset", "seen", "segment", "until")

    def __init__(self, segment: Segment, offset: int, seen: int) -> None:
        self.segment = segment
        self.offset = offset
        self.seen = seen
        self.until = offset
        self.frames: Iterator[RequestRecord] | None = None


class Backlog:
    """A queue of at most about `limit` records over segments that hold the rest.

    It forgets only what a segment holds: when full it remembers where it stopped, and reads on from
    there once the queue has drained, until it has caught up with the writes.
    """

    __slots__ = ("_limit", "_queue", "_reading", "_segments", "lost")

    def __init__(self, segments: deque[Segment], limit: int) -> None:
        self.lost = 0
        """Settled records that could not be read back; their segments are set aside."""
        self._segments = segments
        self._limit = limit
        self._queue: deque[RequestRecord] = deque()
        self._reading: _Reading | None = None

    @property
    def remembered(self) -> int:
        """Records in memory."""
        return len(self._queue)

    def add(self, record: RequestRecord) -> None:
        """`record` has just been written, its segment's account included."""
        if self._reading is not None:
            return
        self._queue.append(record)
        if len(self._queue) >= self._limit:
            active = self._segments[-1]
            self._reading = _Reading(active, active.size, active.settles)

    def needs(self, segment: Segment) -> bool:
        """True while `segment` may still have to be read."""
        return self._reading is not None and self._reading.segment is segment

    async def peek(self, rows: int) -> list[RequestRecord]:
        """Up to `rows` of the oldest; none when all are stored. Raises OSError when a segment cannot be read."""
        while not self._queue and self._reading is not None:
            await self._read_on(self._reading, min(rows, self._limit))
        return list(islice(self._queue, rows))

    def drop(self, count: int) -> None:
        """The `count` oldest are stored: take them off the segments' accounts."""
        for _ in range(count):
            self._queue.popleft()
        for segment in self._segments:
            taken = min(count, segment.unstored)
            segment.unstored -= taken
            count -= taken
            if not count:
                return

    async def _read_on(self, reading: _Reading, rows: int) -> None:
        segment = reading.segment
        if reading.frames is None:
            reading.until = segment.size
            data = await asyncio.to_thread(_read_range, segment.path, reading.offset, reading.until)
            reading.frames = _settled(data)
        # Decoded a few at a time: a backlog of an hour must not hold up the requests of now.
        records = list(islice(reading.frames, rows))
        reading.seen += len(records)
        self._queue.extend(records)
        if len(records) < rows:
            reading.frames = None
            reading.offset = reading.until
            if reading.offset >= segment.size:
                self._finish(reading)

    def _finish(self, reading: _Reading) -> None:
        segment = reading.segment
        missing = segment.settles - reading.seen
        if missing:
            segment.damaged = True
            segment.unstored -= missing
            reading.seen += missing
            self.lost += missing
        if segment is self._segments[-1]:
            self._reading = None
            return
        successor = self._segments[self._segments.index(segment) + 1]
        self._reading = _Reading(successor, HEADER_SIZE, 0)


def _read_range(path: Path, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def _settled(data: bytes) -> Iterator[RequestRecord]:
    for item in scan(data, 0, SETTLE):
        if isinstance(item, Frame):
            yield item.record
