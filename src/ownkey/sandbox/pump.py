"""Carries an event stream to a socket: on time, no faster than the reader takes it, no longer than it stays."""

import asyncio
import time
from collections.abc import Callable
from math import isfinite

from ownkey.sandbox.exchange import EventStream, Request

_BATCH = 16 * 1024
"""Events that are due together are written together, up to about this many bytes."""
_TURN = 64 * 1024
"""After this many bytes other connections get a turn."""
TICK_S = 0.0005
"""Timers have a resolution of a millisecond; what is due within half of one is due."""


class Pump:
    """Sends one stream. Runs as callbacks of the loop: thousands at once need no tasks.

    `write` sends bytes; `ended` is called when the stream is over, with whether it came to its end
    as HTTP counts it (a stream that breaks off did not).
    """

    __slots__ = (
        "_chunked",
        "_ended",
        "_events",
        "_head",
        "_loop",
        "_next",
        "_pace",
        "_paused",
        "_request",
        "_stream",
        "_timeline",
        "_timer",
        "_tokens",
        "_write",
    )

    def __init__(
        self,
        stream: EventStream,
        request: Request,
        head: bytes,
        chunked: bool,
        write: Callable[[bytes], None],
        ended: Callable[[bool], None],
    ) -> None:
        self._stream = stream
        self._request = request
        self._timeline = request.timeline
        self._events = stream.events
        self._pace = stream.pace
        self._head = head
        self._chunked = chunked
        self._write = write
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._next = next(self._events, None)
        self._paused = False
        self._timer: asyncio.Handle | None = None
        self._tokens = 0

    def pause(self) -> None:
        """The reader is slow: nothing more is made until `resume`."""
        self._paused = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def resume(self) -> None:
        self._paused = False
        if self._timer is None:
            self._timer = self._loop.call_soon(self.run)

    def stop(self) -> None:
        """The reader has left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._paused = True
        self._events.close()

    def run(self) -> None:
        """Send all that is due and set the timer for the rest."""
        self._timer = None
        now = time.monotonic() - self._timeline.arrived
        batch: list[bytes] = []
        size = sent = 0
        while self._next is not None:
            carried, data = self._next
            due = self._pace.due(self._tokens)
            if due > now + TICK_S:
                self._flush(batch)
                if not self._paused and isfinite(due):
                    self._timer = self._loop.call_later(due - now, self.run)
                return
            batch.append(data)
            size += len(data)
            self._tokens += carried
            self._next = next(self._events, None)
            if size >= _BATCH:
                self._flush(batch)
                batch, sent, size = [], sent + size, 0
                if self._paused:
                    return
                if sent >= _TURN:
                    self._timer = self._loop.call_soon(self.run)
                    return
        self._flush(batch)
        self._finish()

    def _flush(self, batch: list[bytes]) -> None:
        if not batch:
            return
        data = b"".join(batch)
        data = b"%b%x\r\n%b\r\n" % (self._head, len(data), data) if self._chunked else self._head + data
        self._head = b""
        timeline, at = self._timeline, time.monotonic()
        timeline.first = timeline.first or at
        timeline.last = at
        if self._tokens > self._request.tokens_sent:
            timeline.last_token = at
        self._request.tokens_sent = self._tokens
        self._write(data)

    def _finish(self) -> None:
        complete = not self._stream.breaks_off
        if complete and self._chunked:
            self._timeline.last = time.monotonic()
            self._write(b"0\r\n\r\n")
        self._ended(complete)
