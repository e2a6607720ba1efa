"""Stopping without losing an accepted request."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress

import structlog
import uvicorn

from ownkey.control import Readiness

_SETTLING_SECONDS = 5.0
"""How long cancelled requests have for writing down how they ended."""

log = structlog.get_logger(__name__)


class DrainingServer(uvicorn.Server):
    """uvicorn's server with another ending.

    Told to stop, it first says in `/readyz` that it drains, and for `notice` seconds goes on taking
    requests, so that load balancers can turn away. Then it takes no more, finishes what it accepted within
    uvicorn's grace period, cancels the rest and waits until that is settled. Told a second time, it stops waiting.
    """

    def __init__(self, config: uvicorn.Config, readiness: Readiness, notice: float) -> None:
        super().__init__(config)
        self._readiness = readiness
        self._notice = notice
        self._hurried = asyncio.Event()
        self._reason = ""

    def stop(self, reason: str) -> None:
        """Begin to drain; the second call ends the waiting."""
        if self.should_exit:
            self.force_exit = True
            self._hurried.set()
            return
        self._reason = reason
        self.should_exit = True
        self._readiness.draining = True

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """uvicorn would take the signals itself, and raise them again at the end; ours are on the event loop."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        log.info("draining", reason=self._reason, count=len(self.server_state.tasks))
        with suppress(TimeoutError):
            async with asyncio.timeout(self._notice):
                await self._hurried.wait()
        await super().shutdown(sockets)
        unfinished = set(self.server_state.tasks)
        for task in unfinished:
            task.cancel()
        if unfinished:
            log.warning("requests were cut off", count=len(unfinished))
        # Among them may be what only looks like a task to uvicorn; that ends within this turn of the loop.
        await asyncio.sleep(0)
        tasks = {task for task in unfinished if isinstance(task, asyncio.Task)}  # pyright: ignore[reportUnnecessaryIsInstance]
        if tasks:
            await asyncio.wait(tasks, timeout=_SETTLING_SECONDS)
