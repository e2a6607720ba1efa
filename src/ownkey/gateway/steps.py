"""Steps of a request, written once in their order, and what carries them out.

A description of steps is a generator that yields what must be waited for and is sent what came of it (as the
authentication flows of httpx are). `Run` carries it out by callbacks: where nothing has to be waited for, the
whole request is done in one call, and no task is ever made but for a coroutine that must be awaited.
"""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Protocol, TypeVar

from ownkey.domain.errors import OwnkeyError, Unavailable
from ownkey.gateway.edge.crash import report_crash
from ownkey.gateway.edge.exchange import Responder
from ownkey.gateway.net import Waiter

_T = TypeVar("_T")


class Wait(Protocol):
    """Something to wait for. What it gives is `came` of a `Waiter`; a `Run` also takes an exception."""

    def then(self, waiter: Any) -> None:
        """Have the waiter called once, never before this returns."""
        ...

    def cancel(self) -> None:
        """Give it up: the waiter is not called any more."""
        ...


Steps = Generator[Wait, Any, _T]
"""A description of steps that ends in a value. Where it is given up it is closed, and ends as a generator does."""


class Run:
    """One request under way. Implements `PendingRequest` and `Waiter`."""

    __slots__ = ("_attended", "_responder", "_steps", "_wait")

    def __init__(self, steps: Steps[None], responder: Responder) -> None:
        """Carry the steps out as far as nothing has to be waited for, then attend to the rest."""
        self._steps = steps
        self._responder = responder
        self._wait: Wait | None = None
        self._attended = False
        self._go_on(None, None)

    def came(self, value: Any) -> None:
        """What was waited for is here."""
        if self._wait is not None:
            self._go_on(value, None)

    def failed(self, error: BaseException) -> None:
        """What was waited for ended in an exception."""
        if self._wait is not None:
            self._go_on(None, error)

    def leave(self) -> None:
        """The client has left: give the request up."""
        self._give_up(None)

    def cancel(self) -> None:
        """The server stops: give the request up."""
        self._give_up(Unavailable("The server is shutting down."))

    def _go_on(self, value: Any, error: BaseException | None) -> None:
        self._wait = None
        try:
            wait = self._steps.send(value) if error is None else self._steps.throw(error)
        except StopIteration:
            self._responder.finished()
            return
        except Exception as failure:  # noqa: BLE001 (the outermost frame of a request: nobody else would answer it)
            report_crash(failure)
            self._responder.finished()
            return
        self._wait = wait
        if not self._attended:
            self._attended = True
            self._responder.attend(self)
        wait.then(self)

    def _give_up(self, error: OwnkeyError | None) -> None:
        wait, self._wait = self._wait, None
        if wait is None:
            return
        wait.cancel()
        try:
            self._steps.close()
        except Exception as failure:  # noqa: BLE001 (as above)
            report_crash(failure)
        self._responder.finished(error)


class _Awaited:
    """The wait for a coroutine, in a task of its own."""

    __slots__ = ("_task", "_waiter", "_work")

    def __init__(self, work: Coroutine[Any, Any, Any]) -> None:
        self._work = work
        self._waiter: Run | None = None

    def then(self, waiter: Run) -> None:
        self._waiter = waiter
        self._task = asyncio.get_running_loop().create_task(self._work)
        self._task.add_done_callback(self._done)

    def cancel(self) -> None:
        self._waiter = None
        self._task.cancel()

    def _done(self, task: "asyncio.Task[Any]") -> None:
        # Asked for in any case: an exception that nobody looks at would be logged.
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if self._waiter is None:
            return
        if error is None:
            self._waiter.came(task.result())
        elif isinstance(error, asyncio.CancelledError):
            self._waiter.cancel()
        else:
            self._waiter.failed(error)


def awaited(work: Coroutine[Any, Any, _T]) -> Steps[_T]:
    """What a coroutine returns; its exceptions are raised here."""
    return (yield _Awaited(work))


__all__ = ["Run", "Steps", "Wait", "Waiter", "awaited"]
