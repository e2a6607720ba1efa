"""The runner of steps: what comes of waits, of exceptions, and of being given up."""

import asyncio
from collections.abc import Generator
from typing import Any

import pytest

from ownkey.domain.errors import OwnkeyError, Unavailable
from ownkey.gateway.steps import Run, Steps, Wait, awaited


class Later:
    """A wait that the test ends."""

    def __init__(self) -> None:
        self.waiter: Any = None
        self.cancelled = False

    def then(self, waiter: Any) -> None:
        self.waiter = waiter

    def cancel(self) -> None:
        self.cancelled = True


class Recording:
    """A responder that notes whom it attends to and how it is finished."""

    def __init__(self) -> None:
        self.pending: Any = None
        self.ends: list[OwnkeyError | None] = []

    def attend(self, pending: Any) -> None:
        assert self.pending is None, "attended once"
        self.pending = pending

    def finished(self, error: OwnkeyError | None = None) -> None:
        self.ends.append(error)


def run(steps: Steps[None]) -> Recording:
    responder = Recording()
    Run(steps, responder)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return responder


def waiting(wait: Wait, log: list[Any]) -> Generator[Wait, Any, None]:
    try:
        log.append((yield wait))
        log.append((yield wait))
    except GeneratorExit:
        log.append("closed")
        raise
    finally:
        log.append("end")


def test_steps_that_need_not_wait_are_done_at_once_and_attend_to_nobody() -> None:
    def steps() -> Steps[None]:
        return
        yield  # pyright: ignore[reportUnreachable]

    responder = run(steps())
    assert (responder.pending, responder.ends) == (None, [None])


def test_what_is_waited_for_is_sent_into_the_steps() -> None:
    log: list[Any] = []
    wait = Later()
    responder = run(waiting(wait, log))
    assert responder.ends == []
    wait.waiter.came(1)
    wait.waiter.came(2)
    assert (log, responder.ends) == ([1, 2, "end"], [None])


def test_what_comes_after_the_end_is_dropped() -> None:
    log: list[Any] = []
    wait = Later()
    responder = run(waiting(wait, log))
    responder.pending.leave()
    wait.waiter.came(1)
    wait.waiter.failed(ValueError())
    responder.pending.cancel()
    assert (log, responder.ends) == (["closed", "end"], [None])


def test_a_client_that_leaves_ends_the_wait_and_closes_the_steps() -> None:
    log: list[Any] = []
    wait = Later()
    responder = run(waiting(wait, log))
    responder.pending.leave()
    assert wait.cancelled
    assert (log, responder.ends) == (["closed", "end"], [None])


def test_a_server_that_stops_gives_the_client_a_reason() -> None:
    responder = run(waiting(Later(), []))
    responder.pending.cancel()
    assert [type(error) for error in responder.ends] == [Unavailable]


def test_an_unforeseen_exception_finishes_the_request(caplog: pytest.LogCaptureFixture) -> None:
    def steps() -> Steps[None]:
        yield Later()
        raise ValueError("never" + " shown")

    responder = run(steps())
    responder.pending.came(None)
    assert responder.ends == [None]
    assert "ValueError" in caplog.text
    assert "never shown" not in caplog.text


async def test_a_coroutine_gives_its_result_and_its_exception() -> None:
    log: list[Any] = []
    done = asyncio.Event()

    async def good() -> int:
        return 1

    async def bad() -> int:
        async with asyncio.timeout(30):  # A time limit needs a task around it.
            await asyncio.sleep(0)
            raise Unavailable("no")

    def steps() -> Steps[None]:
        log.append((yield from awaited(good())))
        try:
            yield from awaited(bad())
        except Unavailable:
            log.append("caught")
        done.set()

    responder = run(steps())
    await done.wait()
    assert (log, responder.ends) == ([1, "caught"], [None])


async def test_a_coroutine_is_cancelled_when_the_client_leaves() -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    def steps() -> Steps[None]:
        yield from awaited(endless())

    responder = run(steps())
    await began.wait()
    responder.pending.leave()
    await ended.wait()
    assert responder.ends == [None]
