"""Starting, announcing and stopping a sandbox server."""

import asyncio
import gc
import signal
import time
from types import TracebackType
from typing import Self

from ownkey.sandbox.app import Sandbox
from ownkey.sandbox.http.connection import Connection
from ownkey.sandbox.http.heads import Heads
from ownkey.sandbox.http.listener import Listener
from ownkey.sandbox.http.peers import Peers
from ownkey.sandbox.options import Options


class SandboxServer:
    """A running sandbox, also as an async context manager: `async with SandboxServer() as sandbox: sandbox.url`.

    `port` 0 takes a free port; `port` then tells which.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, options: Options | None = None) -> None:
        self.host = host
        self.port = port
        self.sandbox = Sandbox(options or Options())
        self._peers = Peers()
        self._heads = Heads()
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
