"""Tasks that must run for as long as the server does."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import structlog

log = structlog.get_logger(__name__)


class Background:
    """Starts tasks and stops them. One that ends by itself sets `failed`: without it, say without the change feed,
    a revoked key would go on working unnoticed, so the server stops rather than serve on."""

    def __init__(self) -> None:
        self.failed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` until `stop`."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    async def stop(self) -> None:
        """Cancel the tasks, the last one first, and wait for each."""
        for task in reversed(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        log.critical("a background task ended: the server stops", reason=task.get_name(), exc_info=task.exception())
        self.failed.set()
