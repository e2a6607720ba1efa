"""Starting, announcing and stopping a sandbox server."""

import asyncio
import gc
import signal
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ownkey.sandbox.app import Sandbox
from ownkey.sandbox.connection import Connection, OpenConnections
from ownkey.sandbox.exchange import HeadCache
from ownkey.sandbox.options import Options

_BACKLOG = 4096
_AT_ONCE = 256
_PAUSE_S = 0.1
"""How long to wait when the process has no file descriptors left."""


class Listener:
    """Accepts all waiting connections at once and gives each a protocol of `make`.

    uvloop's own server accepts one connection per turn of the loop. While thousands of paced streams keep the
    turns long, new connections would then wait for seconds.
    """

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


class SandboxServer:
    """A running sandbox, also as an async context manager: `async with SandboxServer() as sandbox: sandbox.url`.

    `port` 0 takes a free port; `port` is then the port taken.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, options: Options | None = None) -> None:
        self.host = host
        self.port = port
        self.sandbox = Sandbox(options or Options())
        self._peers = OpenConnections()
        self._heads = HeadCache()
        self._listener: Listener | None = None
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def url(self) -> str:
        """Without a slash at the end: `http://127.0.0.1:8089`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        listener = Listener(lambda: Connection(self.sandbox, self._peers, self._heads))
        self.port = await listener.listen(self.host, self.port)
        self._listener = listener
        self._sweeper = loop.call_later(self.sandbox.options.sweep_s, self._sweep)

    async def stop(self) -> None:
        """Stop listening, let answers under way finish within the grace period, then break them off."""
        if self._listener is None:
            return
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._listener.close()
        peers = self._peers
        peers.drain(time.time())
        try:
            async with asyncio.timeout(self.sandbox.options.grace_s):
                await peers.gone.wait()
        except TimeoutError:
            peers.abort()
            await peers.gone.wait()
        self._listener = None

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        self._peers.close_idle(time.time() - self.sandbox.options.idle_timeout_s)
        self._sweeper = loop.call_later(self.sandbox.options.sweep_s, self._sweep)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


async def serve(host: str = "127.0.0.1", port: int = 8089, options: Options | None = None) -> None:
    """Serve until SIGTERM, SIGINT or cancellation. Prints one line when listening.

    Raises OSError when the address cannot be had.
    """
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = SandboxServer(host, port, options)
    await server.start()
    print(f"Ownkey sandbox (a simulator of the providers) is listening on {server.url}", flush=True)  # noqa: T201
    try:
        await stopped.wait()
    finally:
        await server.stop()


def run(host: str = "127.0.0.1", port: int = 8089, options: Options | None = None) -> None:
    """Serve in this process, on uvloop where it is installed. Returns after SIGTERM or SIGINT."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(host, port, options))
    else:
        uvloop.run(serve(host, port, options))
