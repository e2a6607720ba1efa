"""The thread behind a journal: makes writes durable, closes full segments, removes finished ones.

A thread and not a task, so that neither a busy event loop delays a sync nor a slow disk the event loop.
"""

import os
from collections import deque
from contextlib import suppress
from threading import Event, Thread

from ownkey.storage.journal.segments import RunDirectory, Segment


class Syncer:
    """`failure` is the last sync's error, or None: while it is set, no request may start.

    The journal's thread appends to the queues, this one takes from them; a file is closed here only.
    """

    def __init__(self, directory: RunDirectory, active: Segment, fsync_interval: float | None) -> None:
        self.failure: OSError | None = None
        self._directory = directory
        self._active = active
        self._interval = fsync_interval
        self._syncs = fsync_interval is not None and fsync_interval > 0
        self._synced = (active, 0)
        self._sealed: deque[Segment] = deque()
        self._retired: deque[Segment] = deque()
        self._wake = Event()
        self._stopping = False
        self._thread = Thread(target=self._run, name="usage-journal", daemon=True)
        self._thread.start()

    def seal(self, full: Segment, successor: Segment) -> None:
        """`full` accepts no more writes."""
        # In this order: a turn that finds `full` among the sealed ones, and closes it, must not take it for active.
        self._active = successor
        self._sealed.append(full)
        self._nudge()

    def retire(self, segment: Segment) -> None:
        """Everything in a sealed segment is stored or written again in a later one."""
        self._retired.append(segment)
        self._nudge()

    def stop(self) -> None:
        """Finish what is queued, sync the active segment and close it. Blocks for a sync or two."""
        self._stopping = True
        self._wake.set()
        self._thread.join()
        self._turn()
        with suppress(OSError):
            _close(self._active)

    def _nudge(self) -> None:
        # With an interval the next turn comes anyway, and fewer syncs are cheaper.
        if not self._syncs:
            self._wake.set()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(self._interval if self._syncs else None)
            self._wake.clear()
            self._turn()

    def _turn(self) -> None:
        # Taken before the sync: what makes a retired segment superfluous must be durable before it goes.
        retired = list(self._retired)
        try:
            self._sync_sealed()
            self._sync_active()
        except OSError as error:
            self.failure = error
            return
        self.failure = None
        for segment in retired:
            # What cannot be removed is replayed at the next start, which changes nothing.
            with suppress(OSError):
                self._directory.discard(segment.path, damaged=segment.damaged)
            self._retired.popleft()

    def _sync_sealed(self) -> None:
        while self._sealed:
            segment = self._sealed[0]
            if self._syncs:
                os.fdatasync(segment.fd)
            self._sealed.popleft()
            _close(segment)

    def _sync_active(self) -> None:
        active = self._active
        position = (active, active.size)
        if not self._syncs or (position == self._synced and self.failure is None):
            return
        os.fdatasync(active.fd)
        if self._synced[0] is not active or self._synced[1] == 0:
            self._directory.sync()
        self._synced = position


def _close(segment: Segment) -> None:
    fd, segment.fd = segment.fd, -1
    os.close(fd)
