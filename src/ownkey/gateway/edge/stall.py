"""Whether a client takes what is written to it."""

import asyncio
from math import inf
from time import monotonic

from ownkey.gateway.alarm import Alarm


class StallWatch:
    """Counts from `begin` until `over`."""

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
