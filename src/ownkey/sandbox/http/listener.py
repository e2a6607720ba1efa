"""A listening socket that takes all waiting connections at once.

uvloop's own server takes one for each turn of the loop. While thousands of paced streams keep the
turns long, new connections would then wait for seconds.
"""

import asyncio
import socket
from collections.abc import Callable

_BACKLOG = 4096
_AT_ONCE = 256
_PAUSE_S = 0.1
"""How long to wait when the process has no file descriptors left."""


class Listener:
    """Accepts connections and gives each a protocol of `make`."""

    def __init__(self, make: Callable[[], asyncio.Protocol]) -> None:
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._connecting: set[asyncio.Task[object]] = set()
        self._pause: asyncio.TimerHandle | None = None

    async def listen(self, host: str, port: int) -> int:
        """Start, and return the port: a free one when `port` is 0. Raises OSError."""
        found = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        self._socket = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket, self._accept)
        return self._socket.getsockname()[1]

    def close(self) -> None:
        """Stop listening; connections that were accepted live on."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                accepted, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                self._loop.remove_reader(self._socket)
                self._pause = self._loop.call_later(_PAUSE_S, self._resume)
                return
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = self._loop.create_task(self._loop.connect_accepted_socket(self._make, accepted))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_reader(self._socket, self._accept)
