"""One call: the clock it is timed by, and the observation."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from time import monotonic, time
from typing import Self

from msgspec import Struct

from ownkey.domain.errors import OwnkeyError
from ownkey.gateway.net import NetError
from ownkey.workbench.endpoint.answer import AnswerReader
from ownkey.workbench.endpoint.failures import LONGEST_ERROR_BODY, failure_of_error, failure_of_status
from ownkey.workbench.endpoint.request import CHAT
from ownkey.workbench.endpoint.transport import TimedReply, Transport
from ownkey.workbench.records import Failure, FailureKind


class Clock(Struct, frozen=True):
    """`offset` is what Unix time was ahead of `monotonic()` when the clock was set, in seconds.

    One clock serves a process: then differences between its times are monotonic, whatever becomes of the system's.
    """

    offset: float

    @classmethod
    def set_now(cls) -> Self:
        return cls(time() - monotonic())

    def unix(self, stamp: float) -> float:
        """Unix seconds of a `monotonic()` stamp."""
        return self.offset + stamp


_BEFORE_SENDING = 20.0
"""Seconds that waiting for a connection and opening it may take at most, on top of the call's own limit."""
_GRACE = 0.25
"""Seconds after which we end what the transport should have ended."""
_FOR_AN_ERROR = 5.0
"""Seconds that the body of an error may take."""
_FOR_USAGE = 5.0
"""Seconds that the usage of a finished answer, and the stream's end mark, may take."""
_FOR_THE_END = 0.25
"""Seconds that the end of the body may take after the end mark, so that the connection can be used again."""


_UNFIT = (400, 422)
"""Statuses of a request that holds what the endpoint does not accept."""

Heard = Callable[[AnswerReader], None]


def _nobody(_: AnswerReader) -> None:
    return None


class Call:
    """The result of one call. Stamps are of `monotonic()`, in seconds.

    `failure` is None for an answer. `status` is None without a response head, and `sent` False without a connection.
    `loose_end`: the answer was complete but its stream did not end as it should. `rejects_usage`: the endpoint rejected
    the request for asking for the stream's usage.
    """

    def __init__(self) -> None:
        self.reader = AnswerReader()
        self.failure: Failure | None = None
        self.status: int | None = None
        self.sent_at = self.ended_at = monotonic()
        self.connect_ms: float | None = None
        self.sent = False
        self.loose_end = False
        self.rejects_usage = False


async def call(transport: Transport, body: bytes, timeout_ms: float, heard: Heard = _nobody) -> Call:
    """Ask for a chat completion. Never raises but for cancellation. `heard` is called after each piece of it."""
    made = Call()
    loop = asyncio.get_running_loop()
    reply: TimedReply | None = None
    seconds = timeout_ms / 1000 + _GRACE
    try:
        async with asyncio.timeout(seconds + _BEFORE_SENDING) as limit:
            reply = await transport.post(CHAT, body, timeout_ms)
            made.status, made.sent = reply.status, True
            made.sent_at, made.connect_ms = reply.sent_at, reply.connect_ms
            limit.reschedule(loop.time() + seconds - (monotonic() - reply.sent_at))
            if 200 <= reply.status < 300:
                await _listen(made, reply, limit, heard)
            else:
                error = await _refusal(reply)
                made.rejects_usage = reply.status in _UNFIT and b"stream_options" in error
                made.failure = failure_of_status(reply.status, error, reply.headers, time(), transport.scrub)
    except OwnkeyError as error:
        made.sent = made.sent or (isinstance(error, NetError) and error.sent)
        _broke_off(made, failure_of_error(error, transport.scrub))
    except TimeoutError:
        text = "The answer was not complete within the time limit."
        _broke_off(made, Failure(FailureKind.TIMEOUT, text))
    finally:
        if reply is not None:
            reply.abort()
    return made


async def _refusal(reply: TimedReply) -> bytes:
    """What arrived of an error's body: the status alone suffices."""
    taken = bytearray()
    with suppress(OwnkeyError, TimeoutError):
        async with asyncio.timeout(_FOR_AN_ERROR), aclosing(reply.chunks()) as chunks:
            async for _, data in chunks:
                taken += data
                if len(taken) >= LONGEST_ERROR_BODY:
                    break
    return bytes(taken)


async def _listen(made: Call, reply: TimedReply, limit: asyncio.Timeout, heard: Heard) -> None:
    loop = asyncio.get_running_loop()
    reader = made.reader
    async with aclosing(reply.chunks()) as chunks:
        async for stamp, data in chunks:
            if reader.done:
                continue
            was_complete = reader.complete
            reader.feed(stamp, data)
            made.ended_at = stamp
            heard(reader)
            if reader.done:
                limit.reschedule(loop.time() + _FOR_THE_END)
            elif reader.complete and not was_complete:
                limit.reschedule(min(limit.when() or 0.0, loop.time() + _FOR_USAGE))
    reader.close()
    heard(reader)
    made.loose_end = not reader.done


def _broke_off(made: Call, failure: Failure) -> None:
    """What breaks after the answer was complete takes nothing from it."""
    if made.reader.done:
        return
    if made.reader.complete:
        made.loose_end = True
        return
    made.failure = failure
    made.ended_at = monotonic()
