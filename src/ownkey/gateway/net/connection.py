"""One connection to a provider: writes a request, feeds the parser, and keeps the time by a single alarm."""

import asyncio
import select
from collections.abc import Callable
from math import inf
from time import monotonic
from typing import cast

from ownkey.gateway.alarm import Alarm
from ownkey.gateway.batching import BatchedTransport, WriteBatch
from ownkey.gateway.net.errors import ConnectionLost, NetError, ProtocolViolation, Stage, TimedOut
from ownkey.gateway.net.exchange import BodySink, Exchange, Tell, TimedPieces
from ownkey.gateway.net.parsing import Malformed, ResponseParser
from ownkey.gateway.net.settings import NetSettings, Timeouts
from ownkey.gateway.net.tls import ended_cleanly
from ownkey.gateway.net.unread import reached_nobody

ONE_WRITE = 64 * 1024
"""Bytes of a request's body that are written at once."""
# What a poll of an idle connection must not show: data nobody asked for, or the end.
_NOT_IDLE = select.POLLIN | select.POLLPRI | getattr(select, "POLLRDHUP", 0)

# Looking a member up on its enumeration takes longer than the rest of a comparison.
_TOTAL, _FIRST_BYTE, _IDLE = Stage.TOTAL, Stage.FIRST_BYTE, Stage.IDLE

_LOST = "The provider closed the connection before the answer was complete."
_BROKEN = "The provider's answer is not valid HTTP."


def _nobody(_: "Connection") -> None:
    return None


class Connection(asyncio.Protocol):
    """Used by one exchange at a time. The pool sets `on_release` and `on_close`.

    `on_release` is called when a response is complete and another request may follow, `on_close`
    once when the connection is gone. `opened_in` is what opening it took, in seconds; `idle_since` when the last
    response was complete, by the loop's time (0 before); `streamed` whether that came in chunks; and `left` whether the
    peer closed the connection while it was idle or before it answered.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, settings: NetSettings, origin: str, batch: WriteBatch) -> None:
        self.origin = origin
        self.closed = False
        self.opened_in = 0.0
        self.idle_since = 0.0
        self.streamed = self.left = False
        self.on_release: Callable[[Connection], None] = _nobody
        self.on_close: Callable[[Connection], None] = _nobody
        self._loop = loop
        self._batch = batch
        self._parser = ResponseParser(settings)
        self._high_water = settings.high_water
        self._idle_lifetime = settings.idle_lifetime
        self._exchange: Exchange | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._tell: Tell | None = None
        self._sink: BodySink | None = None
        self._idle = 0.0
        self._stage = _TOTAL
        self._deadline = self._ends_at = 0.0
        self._alarm = Alarm(loop, self._check_deadline)
        self._write_paused = self._read_paused = self._uploading = False

    # Events of the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = BatchedTransport(cast("asyncio.Transport", transport), self._batch)
        self._poll = select.poll()
        self._poll.register(transport.get_extra_info("socket").fileno(), _NOT_IDLE)

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            # Nobody asked for these bytes; they must not become part of the next response.
            self._transport.abort()
            return
        exchange.answered = True
        if exchange.timed is not None:
            exchange.timed.arrived_at = monotonic()
        try:
            self._parser.feed(data)
        except Malformed as why:
            self._fail(ProtocolViolation(_BROKEN, origin=self.origin, detail=str(why), sent=True))
            return
        if exchange.complete:
            self._finish(exchange)
        sink = self._sink
        if sink is not None:
            self._push(exchange, sink)
            return
        if exchange.size > self._high_water and not exchange.ended:
            self._pause_reading()
        if exchange.head_done:
            self._hand_over(exchange)

    def eof_received(self) -> None:
        exchange = self._exchange
        if (
            exchange is not None
            and exchange.head_done
            and self._parser.until_close
            and ended_cleanly(self._transport.get_extra_info("ssl_object"))
        ):
            self._exchange = None
            exchange.complete = exchange.ended = True
            self._hand_over(exchange)
        elif exchange is not None:
            self.left = not exchange.answered
            self._fail(
                self._lost(
                    exchange, "closed by the peer", unread=self.left and reached_nobody(self._transport, exchange.sent)
                )
            )
        else:
            self.left = True
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._alarm.cancel()
        exchange = self._exchange
        if exchange is not None:
            self.left = not exchange.answered
            self._fail(self._lost(exchange, type(exc).__name__ if exc else "closed"))
        elif exc is not None:
            self.left = True
        self.on_close(self)

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        self._wake()

    # For pool and response.

    def usable(self) -> bool:
        """Ask the socket itself whether the connection is quiet and open.

        The loop may not yet have delivered what the kernel already knows: that the server closed
        the idle connection, or sent bytes that belong to no request.
        """
        if self._exchange is not None or self.closed or self._transport.is_closing():
            return False
        if self._poll.poll(0):
            self.left = True
            return False
        return True

    def begin(self, data: bytes, timeouts: Timeouts, tell: Tell) -> Exchange:
        """Send a whole small request and have `tell` called for what `run` would return or raise.

        For a connection that is `usable` now. `tell` is not called before this returns.
        """
        exchange = self._exchange = Exchange()
        self._parser.begin(exchange, head_only=False)
        now = self._loop.time()
        self._ends_at = now + timeouts.total
        exchange.sent = len(data)
        self._tell = tell
        self._transport.write(data)
        if timeouts.first_byte < timeouts.total:
            self._stage = _FIRST_BYTE
            self._set_deadline(now + timeouts.first_byte)
        else:
            self._stage = _TOTAL
            self._set_deadline(self._ends_at)
        return exchange

    async def run(
        self, head: bytes, body: bytes, timeouts: Timeouts, *, head_only: bool, timed: TimedPieces | None = None
    ) -> Exchange:
        """Send a request and return once the head of the response is there; `timed` becomes the exchange's.

        Raises a NetError. Leaving early (cancellation) closes the connection.
        """
        if self.closed or self._transport.is_closing():
            raise ConnectionLost(_LOST, origin=self.origin, detail="closed before the request was written")
        exchange = self._exchange = Exchange(timed)
        self._parser.begin(exchange, head_only=head_only)
        now = self._loop.time()
        self._ends_at = now + timeouts.total
        exchange.sent = len(head) + len(body)
        if timed is not None:
            timed.sent_at = monotonic()
        if len(body) <= ONE_WRITE:
            self._transport.write(head + body if body else head)
        else:
            await self._upload(exchange, head, body, timeouts.idle)
            now = self._loop.time()
        deadline = now + timeouts.first_byte
        while not exchange.head_done and not exchange.ended:
            await self._wait(exchange, _FIRST_BYTE, deadline)
        if not exchange.head_done and exchange.error is not None:
            raise exchange.error
        return exchange

    async def more(self, exchange: Exchange, idle: float) -> None:
        """Wait for body bytes or the end, at most `idle` seconds."""
        deadline = self._loop.time() + idle
        while not exchange.pieces and not exchange.ended:
            await self._wait(exchange, _IDLE, deadline)

    def flow(self, exchange: Exchange, sink: BodySink, idle: float) -> None:
        """Hand what comes from now on to `sink`, until the end; at most `idle` seconds may pass without anything.

        For an exchange that has not ended and whose pieces have been taken.
        """
        self._sink = sink
        self._idle = idle
        self._stage = _IDLE
        self._set_deadline(min(self._loop.time() + idle, self._ends_at))

    def pause(self, exchange: Exchange) -> None:
        """Read no more for now: whoever takes the body is slow. Without effect when the exchange is over."""
        if self._exchange is exchange:
            self._pause_reading()
            self._stage, self._deadline = _TOTAL, self._ends_at

    def resume(self, exchange: Exchange) -> None:
        """Read on after `pause`."""
        if self._read_paused and self._exchange is exchange:
            self.drained(exchange)
            self._stage = _IDLE
            self._set_deadline(min(self._loop.time() + self._idle, self._ends_at))

    def _pause_reading(self) -> None:
        if not self._read_paused and not self._transport.is_closing():
            self._read_paused = True
            self._transport.pause_reading()

    def drained(self, exchange: Exchange) -> None:
        """The reader took what was buffered: read on."""
        if self._read_paused and self._exchange is exchange and not self._transport.is_closing():
            self._read_paused = False
            self._transport.resume_reading()

    def abandon(self, exchange: Exchange) -> None:
        """Give an unfinished exchange up. Without effect when it is no longer this connection's."""
        if self._exchange is exchange:
            self._fail(self._lost(exchange, "given up by the caller"))

    def abandon_from_any_thread(self, exchange: Exchange) -> None:
        """As `abandon`, for a finaliser: the collector runs in whichever thread allocates."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.abandon, exchange)

    def abort(self) -> None:
        """Close at once, whatever goes on."""
        if self._exchange is not None:
            self._fail(self._lost(self._exchange, "the client is closing"))
        self._transport.abort()

    # Inside.

    async def _upload(self, exchange: Exchange, head: bytes, body: bytes, idle: float) -> None:
        """Write a large body as fast as the peer takes it, until it is out or an answer came.

        An early refusal ends the upload and with it the use of the connection. An early success
        may depend on the rest, which is then handed over whole: it is in memory already.
        """
        view = memoryview(body)
        offset = 0
        self._uploading = True
        self._transport.write(head)
        while offset < len(view) and not exchange.ended:
            if exchange.head_done:
                if exchange.status < 300:
                    self._transport.write(view[offset:])
                return
            if self._write_paused:
                await self._wait(exchange, Stage.WRITE, self._loop.time() + idle)
                continue
            self._transport.write(view[offset : offset + ONE_WRITE])
            offset += ONE_WRITE
        self._uploading = exchange.ended

    async def _wait(self, exchange: Exchange, stage: Stage, deadline: float) -> None:
        """Wait for the next event; at `deadline` the exchange fails in `stage`."""
        if deadline >= self._ends_at:
            stage, deadline = _TOTAL, self._ends_at
        self._stage = stage
        self._set_deadline(deadline)
        waiter = self._waiter = self._loop.create_future()
        try:
            await waiter
        except asyncio.CancelledError:
            # What was waited for may be here already: then nobody else would end the exchange.
            self.abandon(exchange)
            raise
        finally:
            # When the exchange has ended, the connection may already serve the next one: then neither
            # the waiter nor the deadline is ours to change.
            if self._waiter is waiter:
                self._waiter = None
            if self._exchange is exchange:
                self._stage, self._deadline = _TOTAL, self._ends_at

    def _push(self, exchange: Exchange, sink: BodySink) -> None:
        """Hand over what came. The deadline moves; its timer finds that out when it fires."""
        ended = exchange.ended
        if ended:
            self._sink = None
        elif not self._read_paused:
            self._deadline = min(self._loop.time() + self._idle, self._ends_at)
        pieces = exchange.pieces
        if pieces:
            data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
            exchange.size = 0
            sink.received(data)
        # As it was: a sink that gives the exchange up in `received` has been told of its end there.
        if ended:
            sink.ended(exchange.error)

    def _call_back(self, exchange: Exchange) -> None:
        tell = self._tell
        self._tell = None
        if self._exchange is exchange:
            self._stage, self._deadline = _TOTAL, self._ends_at
        if tell is not None:
            tell(exchange)

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def _finish(self, exchange: Exchange) -> None:
        self._exchange = None
        exchange.ended = True
        transport = self._transport
        if (
            not self._parser.reusable
            or self._uploading
            or self._read_paused
            or transport.is_closing()
            or transport.get_write_buffer_size()
        ):
            transport.abort()
            return
        hint = self._parser.keep_alive_hint
        lifetime = self._idle_lifetime if hint is None else min(self._idle_lifetime, hint - 1)
        if lifetime <= 0:
            transport.abort()
            return
        now = self._loop.time()
        self.idle_since = now
        self.streamed = self._parser.chunked
        self._set_deadline(now + lifetime)
        self.on_release(self)

    def _fail(self, error: NetError) -> None:
        exchange = self._exchange
        self._exchange = None
        self._transport.abort()
        if exchange is None:
            self._wake()
            return
        exchange.error = error
        exchange.ended = True
        self._hand_over(exchange)

    def _hand_over(self, exchange: Exchange) -> None:
        """Tell whoever takes the answer that something has come of it."""
        if self._sink is not None:
            self._push(exchange, self._sink)
        elif self._tell is not None:
            self._call_back(exchange)
        else:
            self._wake()

    def _lost(self, exchange: Exchange, detail: str, unread: bool = False) -> ConnectionLost:
        sent, answered = exchange.sent > 0, exchange.answered
        return ConnectionLost(_LOST, origin=self.origin, detail=detail, sent=sent, answered=answered, unread=unread)

    def _set_deadline(self, when: float) -> None:
        self._deadline = when
        self._alarm.by(when)

    def _check_deadline(self) -> float:
        # uvloop's clock and timers are in whole milliseconds.
        if self._loop.time() < self._deadline - 0.001:
            return self._deadline
        exchange = self._exchange
        if exchange is None:
            self._transport.abort()
        else:
            # Whatever was waited for when the time for all of it was over.
            stage = _TOTAL if self._deadline >= self._ends_at else self._stage
            self._fail(TimedOut(stage, origin=self.origin, sent=exchange.sent > 0))
        return inf
