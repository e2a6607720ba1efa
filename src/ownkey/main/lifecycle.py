"""A server's life: whether it is ready, the tasks that run as long as it does, stopping without losing a request."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from typing import Any

import structlog
import uvicorn

from ownkey.control import Readiness
from ownkey.domain.errors import OwnkeyError, SecretUnreadable
from ownkey.storage.database import Database
from ownkey.vault import Vault

log = structlog.get_logger(__name__)


_PATIENCE = 2.0
"""Seconds the database has for its answer. Health checks give up soon, and a slow database is no ready one."""


class ServerReadiness(Readiness):
    """Asks database, vault and journal once they are open."""

    def __init__(self) -> None:
        super().__init__()
        self._database: Database | None = None
        self._vault: Vault | None = None
        self._journal_fails: Callable[[float], bool] | None = None

    def follow(self, database: Database, vault: Vault, journal_fails: Callable[[float], bool]) -> None:
        """Ask these from now on; `journal_fails` takes the monotonic time in seconds."""
        self._database, self._vault, self._journal_fails = database, vault, journal_fails

    async def problems(self) -> list[str]:
        """Any of `starting`, `draining`, `database`, `vault`, `journal`."""
        database, vault, journal_fails = self._database, self._vault, self._journal_fails
        if database is None or vault is None or journal_fails is None:
            return ["starting"]
        found = ["draining"] if self.draining else []
        try:
            async with asyncio.timeout(_PATIENCE):
                await database.ping()
                await vault.check()
        except SecretUnreadable:
            found.append("vault")
        except (OwnkeyError, TimeoutError):
            found.append("database")
        if journal_fails(time.monotonic()):
            found.append("journal")
        return found


class Background:
    """Starts tasks and stops them. One that ends by itself ends the server: without the change feed, for example, a
    revoked key would continue to work unnoticed."""

    def __init__(self) -> None:
        self.failed = False
        """Whether a task has ended by itself."""
        self._tasks: list[asyncio.Task[None]] = []
        self._act: Callable[[], None] | None = None

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` until `stop`."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def on_failure(self, act: Callable[[], None]) -> None:
        """Call `act` when a task ends by itself, or now if one has."""
        self._act = act
        if self.failed:
            act()

    async def stop(self) -> None:
        """Cancel the tasks and wait for them."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        log.critical("a background task ended: the server stops", reason=task.get_name(), exc_info=task.exception())
        self.failed = True
        if self._act is not None:
            self._act()


_SETTLING_SECONDS = 5.0
"""How long cancelled requests have for writing down how they ended."""


class DrainingServer(uvicorn.Server):
    """uvicorn's server with another ending.

    On the first `stop` it reports in `/readyz` that it is draining, and for `notice` seconds continues to accept
    requests, so that load balancers can switch. Then it accepts no more, finishes what it accepted within uvicorn's
    grace period, cancels the rest and waits until that is settled. On the second `stop` it no longer waits.
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
