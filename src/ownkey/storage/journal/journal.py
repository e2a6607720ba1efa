"""The local usage journal: every request is written down before it is sent and again when it is settled.

A record belongs to the operating system when `start` or `settle` returns, so it survives the death
of the process; it survives a loss of power once synced. The database gets it later (`UsageWriter`),
after a crash from another process (`recover`).
"""

import os
import time
from collections import deque
from contextlib import suppress
from errno import ENOSPC
from pathlib import Path
from typing import Final, Self

from ownkey.domain.errors import Unavailable
from ownkey.domain.usage import RequestRecord
from ownkey.storage.journal.backlog import Backlog
from ownkey.storage.journal.frames import HEADER_SIZE, SETTLE, START, encode_frame, storable
from ownkey.storage.journal.segments import RunDirectory, Segment
from ownkey.storage.journal.syncer import Syncer

_SEGMENT_BYTES: Final = 16 * 1024 * 1024
_SEGMENT_SECONDS: Final = 60.0
_IN_MEMORY: Final = 50_000
_CARRIED_AT_ONCE: Final = 200
_SETTLING: Final = 2
"""Sealed segments that may wait for their requests to end by themselves before these are carried on."""

_REFUSAL: Final = "Ownkey cannot write its usage journal now, so the request was not sent. Try again later."


class Journal:
    """This process's journal. Not thread-safe: everything is called from the event loop's thread."""

    def __init__(
        self, directory: RunDirectory, fsync_interval: float | None, segment_bytes: int, in_memory: int
    ) -> None:
        """Use `open`."""
        self.settled = 0
        """Records settled since `open`."""
        self.stored = 0
        """Those of them the writer is done with."""
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._sync_each = fsync_interval == 0
        self._numbers = 0
        self._active = self._new_segment()
        self._active_since = time.monotonic()
        self._rotate_at = segment_bytes
        self._segments = deque([self._active])
        self._unwritten: deque[RequestRecord] = deque()
        self._backlog = Backlog(self._segments, in_memory)
        self._syncer = Syncer(directory, self._active, fsync_interval)

    @classmethod
    def open(
        cls,
        root: Path,
        fsync_interval: float | None,
        *,
        segment_bytes: int = _SEGMENT_BYTES,
        in_memory: int = _IN_MEMORY,
    ) -> Self:
        """Start a journal in a directory of its own below `root`, locked while the process lives.

        `fsync_interval` is in seconds: what a loss of power may take at most. 0 syncs each write
        before it returns; None leaves it to the operating system. At most about `in_memory` settled
        records wait in memory, the rest in segments. Raises OSError when `root` cannot be written.
        """
        directory = RunDirectory.create(root)
        try:
            return cls(directory, fsync_interval, segment_bytes, in_memory)
        except OSError:
            with suppress(OSError):
                directory.path.rmdir()
            directory.release()
            raise

    @property
    def pending(self) -> int:
        """Settled records the database has not got."""
        return self.settled - self.stored - self._backlog.lost

    @property
    def lost(self) -> int:
        """Settled records that a failing disk returned damaged; the segments are stored in `root`/damaged."""
        return self._backlog.lost

    @property
    def remembered(self) -> int:
        """Settled records in memory."""
        return self._backlog.remembered + len(self._unwritten)

    @property
    def open_requests(self) -> int:
        """Requests started and not settled."""
        return sum(len(segment.open) for segment in self._segments)

    @property
    def failure(self) -> OSError | None:
        """Why nothing can be made durable now, or None. While it is set, `start` raises."""
        return self._syncer.failure

    @property
    def rejected_path(self) -> Path:
        """The segment for records that the database permanently rejects."""
        return self._directory.rejected_path()

    def start(self, record: RequestRecord) -> None:
        """Write that a request is about to be sent, with the estimate that applies if it is never settled.

        Raises Unavailable when that is impossible: then it must not be sent.
        """
        if self._syncer.failure is not None:
            raise Unavailable(_REFUSAL, operator=f"usage journal cannot sync: {self._syncer.failure}")
        try:
            segment = self._append(START, record)
        except OSError as error:
            raise Unavailable(_REFUSAL, operator=f"usage journal cannot write: {error}") from error
        segment.open[record.id] = record

    def settle(self, record: RequestRecord) -> None:
        """Write how a started request ended. Never fails: what cannot be written is queued and retried."""
        self.settled += 1
        try:
            segment = self._append(SETTLE, record)
        except OSError:
            self._unwritten.append(record)
            return
        segment.settles += 1
        segment.unstored += 1
        if segment.open.pop(record.id, None) is None:
            self._close_request(record.id)
        self._backlog.add(record)

    def _append(self, kind: int, record: RequestRecord) -> Segment:
        """Write one frame and say where. Raises OSError with nothing of it left in the file."""
        try:
            frame = encode_frame(kind, record)
        except (UnicodeEncodeError, OverflowError):
            frame = encode_frame(kind, storable(record))
        segment = self._active
        try:
            written = os.write(segment.fd, frame)
            if self._sync_each:
                os.fdatasync(segment.fd)
        except OSError:
            segment.cut()
            raise
        if written != len(frame):
            segment.cut()
            raise OSError(ENOSPC, "the disk took only a part of a frame")
        segment.size += len(frame)
        if segment.size >= self._rotate_at:
            self._rotate()
        return segment

    def _close_request(self, request_id: str) -> None:
        for segment in self._segments:
            if segment.open.pop(request_id, None) is not None:
                return

    def _new_segment(self) -> Segment:
        self._numbers += 1
        segment = Segment.create(self._directory.segment_path(self._numbers))
        if self._sync_each:
            self._directory.sync()
        return segment

    def _rotate(self) -> None:
        full = self._active
        try:
            self._active = self._new_segment()
        except OSError:
            # The old one accepts more meanwhile. Not retried immediately: a full disk stays full for a while.
            self._rotate_at = full.size + self._segment_bytes // 16
            return
        self._active_since = time.monotonic()
        self._rotate_at = self._segment_bytes
        self._segments.append(self._active)
        self._syncer.seal(full, self._active)

    async def peek(self, rows: int) -> list[RequestRecord]:
        """For the writer: up to `rows` of the oldest written records. Raises OSError when they cannot be read."""
        return await self._backlog.peek(rows)

    def drop(self, count: int) -> None:
        """For the writer: the `count` oldest of `peek` are stored."""
        self._backlog.drop(count)
        self.stored += count

    def peek_unwritten(self, rows: int) -> list[RequestRecord]:
        """For the writer: records that are in memory alone because the journal could not be written."""
        return [self._unwritten[index] for index in range(min(rows, len(self._unwritten)))]

    def drop_unwritten(self, count: int) -> None:
        """For the writer: the `count` oldest of `peek_unwritten` are stored."""
        for _ in range(count):
            self._close_request(self._unwritten.popleft().id)
        self.stored += count

    def retry(self) -> None:
        """Write what `settle` could not, as far as the disk allows."""
        while self._unwritten:
            record = self._unwritten[0]
            try:
                segment = self._append(SETTLE, record)
            except OSError:
                return
            self._unwritten.popleft()
            segment.settles += 1
            segment.unstored += 1
            self._close_request(record.id)
            self._backlog.add(record)

    def tidy(self) -> None:
        """Give up segments nothing needs any more, oldest first so that no settle goes before its start."""
        aged = time.monotonic() - self._active_since > _SEGMENT_SECONDS
        if aged and not self.pending and self._active.size > HEADER_SIZE:
            # So that a crash replays a minute, not the weeks a quiet server needs to fill a segment.
            self._rotate()
        while len(self._segments) > 1:
            oldest = self._segments[0]
            if oldest.unstored or self._backlog.needs(oldest):
                return
            if oldest.open and (len(self._segments) <= 1 + _SETTLING or not self._carry(oldest)):
                return
            self._segments.popleft()
            self._syncer.retire(oldest)

    def _carry(self, segment: Segment) -> bool:
        """Write open requests again in the active segment; True when none is left in `segment`."""
        for request_id in list(segment.open)[:_CARRIED_AT_ONCE]:
            try:
                target = self._append(START, segment.open[request_id])
            except OSError:
                return False
            target.open[request_id] = segment.open.pop(request_id)
        return not segment.open

    def close(self) -> None:
        """Sync and release. The directory is removed when all is stored; otherwise the next `recover` adopts it.

        Blocks for a sync. Afterwards `start` raises.
        """
        self.retry()
        self.tidy()
        self._syncer.stop()
        if not self.pending and not self.open_requests:
            # What cannot be removed is replayed at the next start, which changes nothing.
            with suppress(OSError):
                for segment in self._segments:
                    self._directory.discard(segment.path, damaged=segment.damaged)
                self._directory.remove()
        self._directory.release()
