"""Tasks that must run for as long as the server does."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Background:
    """Starts tasks and stops them. One that ends by itself ends the server: without the change feed, say, a revoked
    key would go on working unnoticed."""

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
