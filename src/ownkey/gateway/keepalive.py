"""Noticing that a stream is silent."""

import asyncio
from collections.abc import Callable


class Keepalive:
    """Calls `ping` whenever `interval` seconds went by without `passed`, until `stop`.

    One timer for each stream, however many events pass: it looks at the clock when it fires.
    """

    __slots__ = ("_interval", "_last", "_loop", "_ping", "_timer")

    def __init__(self, interval: float, ping: Callable[[], None]) -> None:
        self._interval = interval
        self._ping = ping
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()
        self._timer = self._loop.call_later(interval, self._look)

    def passed(self) -> None:
        """Something went to the client."""
        self._last = self._loop.time()

    def stop(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        due = self._last + self._interval
        if due <= now:
            self._ping()
            self._last = now
            due = now + self._interval
        self._timer = self._loop.call_at(due, self._look)
