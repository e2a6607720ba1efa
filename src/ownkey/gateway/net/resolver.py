"""Names to addresses, bounded in time, threads and memory.

Nothing here decides whether an address is allowed: every answer, cached or fresh, is checked again
by the guard each time a connection is opened.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Takes a host name and a port, returns addresses in order of preference, raises OSError."""


class SystemResolver:
    """The system's own resolver (hosts file, search domains, IPv6 rules included).

    It has threads of its own. The event loop's shared ones (four under uvloop) could all be held by
    slow name servers of one user's choosing, and nobody else's name would resolve. Answers are kept
    for a few seconds, and concurrent questions for one name share one look-up.
    """

    def __init__(self, *, threads: int, cache_seconds: float, cache_entries: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="resolve")
        self._cache_seconds = cache_seconds
        self._cache_entries = cache_entries
        self._cache: dict[str, tuple[float, Sequence[str]]] = {}
        self._pending: dict[str, asyncio.Future[Sequence[str]]] = {}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        cached = self._cache.get(host)
        if cached is not None and loop.time() < cached[0]:
            return cached[1]
        pending = self._pending.get(host)
        if pending is None:
            pending = loop.run_in_executor(self._executor, _resolve, host, port)
            self._pending[host] = pending
            pending.add_done_callback(lambda done: self._settle(host, done, loop.time()))
        # Shielded: the caller that gives up must not cancel the look-up others wait for.
        return await asyncio.shield(pending)

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _settle(self, host: str, done: asyncio.Future[Sequence[str]], now: float) -> None:
        del self._pending[host]
        if done.cancelled() or done.exception() is not None:
            return
        self._cache.pop(host, None)
        while len(self._cache) >= self._cache_entries:
            del self._cache[next(iter(self._cache))]
        self._cache[host] = (now + self._cache_seconds, done.result())


def _resolve(host: str, port: int) -> Sequence[str]:
    # As bytes: a str would go through Python's IDNA 2003 codec, a second opinion on the name.
    found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    # A scope after the address (fe80::1%2) is kept, so that the guard sees and refuses it.
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
