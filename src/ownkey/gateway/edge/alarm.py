"""One timer per connection for all its deadlines.

Deadlines move with every request, and a timer made and cancelled for each costs more than the rest
of the bookkeeping. So the timer stays where it is when a deadline moves away, and asks again.
"""

import asyncio
from collections.abc import Callable
from math import inf
from time import monotonic


class Alarm:
    """Calls `check` when the earliest deadline may have come.

    `check` acts on what is overdue and returns the time of the next deadline, `inf` for none. All
    times are `time.monotonic()` in seconds.
    """

    __slots__ = ("_at", "_check", "_loop", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, check: Callable[[], float]) -> None:
        self._loop = loop
        self._check = check
        self._timer: asyncio.TimerHandle | None = None
        self._at = inf

    def by(self, deadline: float) -> None:
        """Make sure `check` is called by then, perhaps earlier."""
        if deadline < self._at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_later(max(0.0, deadline - monotonic()), self._ring)
            self._at = deadline

    def cancel(self) -> None:
        """No more calls."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._at = -inf

    def _ring(self) -> None:
        self._timer = None
        self._at = inf
        self.by(self._check())


class StallWatch:
    """Whether a client takes what is written to it, counted from `begin` until `over`."""

    __slots__ = ("_alarm", "_seconds", "_since", "_size", "_transport")

    def __init__(self, transport: asyncio.Transport, alarm: Alarm, seconds: float) -> None:
        self._transport = transport
        self._alarm = alarm
        self._seconds = seconds
        self._since = inf
        self._size = 0

    def begin(self) -> None:
        """From now on something is waiting to be taken; harmless when nothing is."""
        self._since = now = monotonic()
        self._size = self._transport.get_write_buffer_size()
        if self._size:
            self._alarm.by(now + self._seconds)

    def over(self) -> None:
        """The client has taken enough."""
        self._since = inf

    def deadline(self) -> float:
        """When the client will have taken nothing for too long; `inf` while nothing waits."""
        if self._since == inf:
            return inf
        size = self._transport.get_write_buffer_size()
        if size < self._size:
            self._since = monotonic()
        self._size = size
        return self._since + self._seconds if size else inf
