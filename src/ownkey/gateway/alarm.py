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
