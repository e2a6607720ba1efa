"""From a workflow's thread to the server's event loop, where connections and caches live."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from contextvars import Context
from threading import Event
from typing import Any, TypeVar

import structlog

from ownkey.domain.errors import Unavailable
from ownkey.logs import outline

T = TypeVar("T")
_PAUSE_S = 2.0

log = structlog.get_logger(__name__)


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
        self._closed = Event()

    def wait(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine on the loop and wait for it, from another thread. While the database is away it is made
        again and again: a step may be carried out more than once. Raises ServerStops once closed."""
        while not self._closed.is_set():
            try:
                return self._in_loop(make)
            except Unavailable as error:
                log.warning("a workbench job waits for the database", reason=outline(error))
                self._closed.wait(_PAUSE_S)
            except CancelledError:
                break
        raise ServerStops

    def _in_loop(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        # In a context of its own: the workflow's tells the library that whatever is asked of it there is part of the
        # workflow.
        watched = self._watched(make)
        return Context().run(asyncio.run_coroutine_threadsafe, watched, self._loop).result()

    async def _watched(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101
        if self._closed.is_set():
            raise asyncio.CancelledError
        self._tasks.add(task)
        try:
            return await make()
        finally:
            self._tasks.discard(task)

    async def close(self) -> None:
        """Break off what is under way; to be called on the loop."""
        self._closed.set()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
