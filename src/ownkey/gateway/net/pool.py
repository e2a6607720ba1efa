"""Connections of one origin: kept alive, limited in number, handed out last in, first out."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from ownkey.domain.errors import Unavailable
from ownkey.gateway.net.connection import Connection
from ownkey.gateway.net.errors import ConnectFailed, Stage, TimedOut
from ownkey.gateway.net.habits import Habits
from ownkey.gateway.net.settings import NetSettings, Timeouts

Dial = Callable[[float], Awaitable[Connection]]
"""Opens a connection within so many seconds."""


class OriginPool:
    """The pool of one (scheme, host, port, trusted).

    Last in, first out keeps few connections warm and lets the rest grow old and go. Places are
    counted from the start of dialling to the end of the connection; who finds none waits in turn.

    A connection rests after a streamed answer, and another is preferred, until the origin has shown that it keeps such
    connections open. `habits` outlive the pool.
    """

    def __init__(
        self, origin: str, dial: Dial, settings: NetSettings, habits: Habits, on_empty: Callable[[], None]
    ) -> None:
        self._origin = origin
        self._dial = dial
        self._limit = settings.max_connections_per_origin
        self._max_idle = settings.max_idle_per_origin
        self._on_empty = on_empty
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._places = 0
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._closing = False
        self._habits = habits
        self._wary = False
        """Whether one that is idle may have to rest."""

    @property
    def empty(self) -> bool:
        return self._places == 0 and not self._waiting

    def take(self) -> Connection | None:
        """Return an idle connection whose socket is quiet and open and that may be used now, or None."""
        if self._wary:
            return self._take_rested()
        return self._take_last()

    def _take_last(self) -> Connection | None:
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.usable():
                return connection
            connection.abort()
        return None

    def _take_rested(self) -> Connection | None:
        """As `take`, past connections of which nobody knows yet whether the origin closes them."""
        idle, habits = self._idle, self._habits
        now = asyncio.get_running_loop().time()
        for place in range(len(idle) - 1, -1, -1):
            connection = idle[place]
            habit = habits[connection.streamed]
            if not habit.has_rested(connection.idle_since, now):
                continue
            del idle[place]
            if connection.usable():
                habit.stayed_open()
                self._wary = not (habits[False].trusted and habits[True].trusted)
                return connection
            connection.abort()
        return None

    async def connect(self, timeouts: Timeouts) -> tuple[Connection, bool]:
        """Return a connection and whether it is new: dialled, or freed while waiting for a place, or one that should
        rest where there is no place.

        Raises TimedOut(QUEUE), Unavailable while closing, or what dialling raises.
        """
        if self._closing:
            raise _closing()
        if self._places >= self._limit:
            resting = self._take_last()
            if resting is not None:
                return resting, False
            freed = await self._queue(timeouts.queue)
            if freed is not None:
                return freed, False
        else:
            self._places += 1
        return await self._open_one(timeouts.connect), True

    def close(self) -> None:
        """Refuse whoever waits and close every connection; `on_empty` follows when all are gone."""
        self._closing = True
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(_closing())
        for connection in tuple(self._open):
            connection.abort()

    async def _open_one(self, seconds: float) -> Connection:
        """Dial into a place already counted, and give it back if that fails."""
        dialled = False
        try:
            connection = await self._dial(seconds)
            dialled = not connection.closed
        finally:
            if not dialled:
                self._free_place()
        if not dialled:
            raise ConnectFailed("The provider could not be reached.", origin=self._origin, detail="closed at once")
        connection.on_release = self._released
        connection.on_close = self._closed
        self._open.add(connection)
        if self._closing:
            connection.abort()
            raise _closing()
        return connection

    async def _queue(self, seconds: float) -> Connection | None:
        """Wait for a freed connection, or for None: a place to dial into."""
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        received = False
        try:
            async with asyncio.timeout(seconds):
                freed = await waiter
                received = True
                return freed
        except TimeoutError:
            raise TimedOut(Stage.QUEUE, origin=self._origin, detail="every connection is in use") from None
        finally:
            if not received:
                self._give_back(waiter)

    def _give_back(self, waiter: asyncio.Future[Connection | None]) -> None:
        """Leave the queue; what was handed over in the moment of giving up goes to the next."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)
        elif waiter.done() and not waiter.cancelled() and waiter.exception() is None:
            freed = waiter.result()
            if freed is None:
                self._free_place()
            elif freed.usable():
                self._released(freed)
            else:
                freed.abort()

    def _released(self, connection: Connection) -> None:
        habit = self._habits[connection.streamed]
        if not habit.keeps(connection.idle_since):
            connection.abort()
            return
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        if len(self._idle) < self._max_idle and not self._closing:
            self._idle.append(connection)
            if not habit.trusted:
                self._wary = True
        else:
            connection.abort()

    def _closed(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection.left and connection.idle_since and not self._closing:
            now = asyncio.get_running_loop().time()
            self._habits[connection.streamed].closed(connection.idle_since, now)
            self._wary = True
        if connection in self._idle:
            self._idle.remove(connection)
        self._free_place()

    def _free_place(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self._places -= 1
        if self._places == 0:
            self._on_empty()


def _closing() -> Unavailable:
    return Unavailable("Ownkey is shutting down.", operator="the upstream client is closed")
