"""The one way out: every request to a provider leaves through `UpstreamClient.send`."""

import asyncio
import ssl

from ownkey.domain.errors import Unavailable
from ownkey.gateway.batching import WriteBatch
from ownkey.gateway.net.connection import ONE_WRITE, Connection
from ownkey.gateway.net.dial import Dialler
from ownkey.gateway.net.errors import ConnectionLost
from ownkey.gateway.net.exchange import Exchange, TimedPieces
from ownkey.gateway.net.guard import AddressGuard
from ownkey.gateway.net.habits import Habits, new_habits
from ownkey.gateway.net.pool import OriginPool
from ownkey.gateway.net.request import IDEMPOTENT, HeadEncoder, UpstreamRequest
from ownkey.gateway.net.resolver import Resolver, SystemResolver
from ownkey.gateway.net.response import UpstreamResponse, Waiter
from ownkey.gateway.net.settings import NetSettings, Timeouts
from ownkey.gateway.net.target import Origin, Target
from ownkey.gateway.net.tls import client_context

_HABITS_KEPT = 4096
"""Origins whose habits are remembered."""

_Key = tuple[Origin, bool]


class Sending:
    """A request under way: the wait for its UpstreamResponse, or for the NetError why none came."""

    __slots__ = ("_connection", "_exchange", "_idle", "_waiter")

    def __init__(self, connection: Connection, data: bytes, timeouts: Timeouts) -> None:
        self._connection = connection
        self._idle = timeouts.idle
        self._waiter: Waiter | None = None
        self._exchange = connection.begin(data, timeouts, self._told)

    def then(self, waiter: Waiter) -> None:
        """Have `waiter.came` called once, later."""
        self._waiter = waiter

    def cancel(self) -> None:
        """Break the request off."""
        self._waiter = None
        self._connection.abandon(self._exchange)

    def _told(self, exchange: Exchange) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is None:
            return
        if exchange.error is not None and not exchange.head_done:
            waiter.came(exchange.error)
        else:
            waiter.came(UpstreamResponse(self._connection, exchange, self._idle))


class UpstreamClient:
    """An HTTP/1.1 client for one event loop.

    Redirects are returned, never followed; proxy variables of the environment are not looked at.
    Trusted and other requests never share a connection, because they were admitted by different
    rules. `resolver` and `tls` replace the system's name resolution and the default context.
    """

    def __init__(
        self,
        guard: AddressGuard,
        settings: NetSettings | None = None,
        *,
        resolver: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings = settings or NetSettings()
        self._tls = tls or client_context(settings.ca_file)
        self._timeouts = settings.timeouts()
        # Names that users choose are resolved by other threads than the operator's: slow name
        # servers of a user's can then hold up only names of users.
        self._resolvers: list[SystemResolver] = []
        batch = WriteBatch()
        self._diallers = {
            trusted: Dialler(guard, resolver or self._system_resolver(), self._tls, settings, batch)
            for trusted in (False, True)
        }
        self._encoder = HeadEncoder()
        self._pools: dict[_Key, OriginPool] = {}
        self._habits: dict[_Key, Habits] = {}
        self._closing = False
        self._all_closed = asyncio.Event()

    async def send(self, request: UpstreamRequest, *, fresh: bool = False) -> UpstreamResponse:
        """Send a request and return its response once the head is there.

        Raises InvalidRequest when the head cannot be written safely, otherwise a NetError.

        When a request is sent a second time. A kept-alive connection may have been closed by the
        server while it lay idle, so its socket is asked, by a poll immediately before the write,
        whether it is quiet and open; if not, the next connection is taken and nothing had been
        sent. A close that is still under way through the network escapes the poll. Then bytes were
        written, and the request is repeated, once, on a new connection, if a reused connection
        ended before one byte of an answer and

        - the request is idempotent (GET, HEAD, OPTIONS; RFC 9110 section 9.2.2, RFC 9112 section
          9.3.1), or
        - the server closed before any of it arrived (`ConnectionLost.unread`). The segment that
          ends the server's side (FIN) acknowledges what its kernel has received by then. If it
          leaves the whole request unacknowledged, no program there can have read it, and none
          will: what arrives later is discarded with a reset. So this cannot be billed twice.

        Any other POST whose bytes were written is never repeated here: a server that took the
        request and closed, and a reset, which proves nothing of the kind, look the same as one
        that began to work. The caller sees ConnectionLost with `sent` and decides. `fresh` takes no
        idle connection: for a request that was lost in this way on one.
        """
        head = self._encoder.encode(request)
        timeouts = request.timeouts or self._timeouts
        key = (request.target.origin, request.trusted)
        head_only = request.method == b"HEAD"
        repeated = fresh
        while True:
            # Looked up again each time: an empty pool is dropped while we wait.
            pool = self._pools.get(key) or self._add_pool(key, request.target)
            connection, new = None if repeated else pool.take(), False
            if connection is None:
                connection, new = await pool.connect(timeouts)
                if not new and not connection.usable():
                    connection.abort()
                    continue
            timed = TimedPieces() if request.timed else None
            if timed is not None and new:
                timed.connect_seconds = connection.opened_in
            try:
                exchange = await connection.run(head, request.body, timeouts, head_only=head_only, timed=timed)
            except ConnectionLost as lost:
                if new or repeated or lost.answered:
                    raise
                if lost.sent and not lost.unread and request.method not in IDEMPOTENT:
                    raise
                repeated = True
                continue
            return UpstreamResponse(connection, exchange, timeouts.idle)

    def send_now(self, request: UpstreamRequest) -> Sending | None:
        """Send a request without waiting, where a connection is at hand and the request is small and not timed; else
        None.

        Nothing is sent a second time here: where `send` would, the caller has it do so with `fresh`. Raises
        InvalidRequest as `send` does.
        """
        pool = self._pools.get((request.target.origin, request.trusted))
        if pool is None or request.timed or len(request.body) > ONE_WRITE:
            return None
        head = self._encoder.encode(request)
        connection = pool.take()
        if connection is None:
            return None
        return Sending(connection, head + request.body, request.timeouts or self._timeouts)

    async def close(self) -> None:
        """Break off what is under way, close every connection and wait until they are gone."""
        self._closing = True
        for pool in tuple(self._pools.values()):
            pool.close()
        if self._pools:
            await self._all_closed.wait()
        for resolver in self._resolvers:
            resolver.close()

    def _system_resolver(self) -> SystemResolver:
        resolver = SystemResolver(
            threads=self._settings.resolver_threads,
            cache_seconds=self._settings.resolver_cache_seconds,
            cache_entries=self._settings.resolver_cache_entries,
        )
        self._resolvers.append(resolver)
        return resolver

    def _add_pool(self, key: _Key, target: Target) -> OriginPool:
        if self._closing:
            raise Unavailable("Ownkey is shutting down.", operator="the upstream client is closed")
        trusted = key[1]
        dialler = self._diallers[trusted]

        async def dial(seconds: float) -> Connection:
            return await dialler.dial(target, trusted=trusted, seconds=seconds)

        habits = self._habits.get(key)
        if habits is None:
            if len(self._habits) >= _HABITS_KEPT:
                self._habits.clear()
            habits = self._habits[key] = new_habits(self._settings.rest_after_stream)
        pool = OriginPool(target.label, dial, self._settings, habits, lambda: self._drop_pool(key))
        self._pools[key] = pool
        return pool

    def _drop_pool(self, key: _Key) -> None:
        del self._pools[key]
        if self._closing and not self._pools:
            self._all_closed.set()
