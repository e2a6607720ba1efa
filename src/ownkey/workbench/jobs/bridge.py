"""From a workflow's thread to the server's event loop, where connections and caches live."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

T = TypeVar("T")


class ServerStops(BaseException):
    """The server stops in the middle of a step.

    No Exception, so that the library does not take it for the step's outcome: the workflow stays open and goes on
    when the server is back.
    """


class LoopBridge:
    """Runs coroutines of other threads on one event loop until it is closed."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def wait(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine on the loop and wait for it, from another thread. Raises ServerStops once closed."""
        if self._closed:
            raise ServerStops
        try:
            return asyncio.run_coroutine_threadsafe(self._watched(make), self._loop).result()
        except CancelledError:
            raise ServerStops from None

    async def _watched(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101
        if self._closed:
            raise asyncio.CancelledError
        self._tasks.add(task)
        try:
            return await make()
        finally:
            self._tasks.discard(task)

    async def close(self) -> None:
        """Break off what is under way; to be called on the loop."""
        self._closed = True
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
