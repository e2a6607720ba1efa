"""What a provider answered: status and headers at once, the body as it comes or as a whole."""

from typing import Any, Protocol

from ownkey.gateway.net.connection import Connection
from ownkey.gateway.net.errors import NetError, ResponseTooLarge
from ownkey.gateway.net.exchange import BodySink, Exchange, TimedPieces


class Waiter(Protocol):
    """Whoever waits for something that calls back."""

    def came(self, value: Any) -> None: ...


class UpstreamResponse:
    """Read it to the end with `chunk` or `read`, or call `abort`; one of them is mandatory.

    At its end the connection goes back to the pool by itself; `abort` is then without effect, so
    that `try: … finally: response.abort()` is right everywhere. One reader at a time.
    """

    __slots__ = ("_connection", "_exchange", "_idle", "headers", "status")

    def __init__(self, connection: Connection, exchange: Exchange, idle: float) -> None:
        self.status = exchange.status
        self.headers = exchange.headers
        self._connection = connection
        self._exchange = exchange
        self._idle = idle

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header, asked for in lower case."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def whole(self) -> bytes | None:
        """The body where all of it is here already and no piece was taken; None where it must be read."""
        exchange = self._exchange
        if not exchange.complete or exchange.error is not None:
            return None
        return self._take() if exchange.pieces else b""

    @property
    def ended(self) -> bool:
        """Whether nothing more comes."""
        return self._exchange.ended

    @property
    def error(self) -> NetError | None:
        """Why the body is not complete, where it has ended so."""
        return self._exchange.error

    def taken(self) -> bytes:
        """The body bytes that are here and have not been taken."""
        return self._take() if self._exchange.pieces else b""

    def flow(self, sink: BodySink) -> None:
        """Hand all that comes from now on to `sink`, in the turn in which it comes. Not after the end."""
        self._connection.flow(self._exchange, sink, self._idle)

    def pause(self) -> None:
        """Let nothing flow for now."""
        self._connection.pause(self._exchange)

    def resume(self) -> None:
        """Let it flow on."""
        self._connection.resume(self._exchange)

    def reading(self, limit: int) -> "Reading":
        """The wait for a whole body of at most `limit` bytes. Raises ResponseTooLarge where more is announced."""
        announced = self._exchange.content_length
        if announced is not None and announced > limit:
            raise self.too_large(limit)
        return Reading(self, limit)

    async def chunk(self) -> bytes:
        """Return the body bytes that have come since the last call; empty at the end.

        Raises a NetError where the body broke off, after everything before it was returned.
        """
        exchange = self._exchange
        if not exchange.pieces and not exchange.ended:
            await self._connection.more(exchange, self._idle)
        if exchange.pieces:
            return self._take()
        if exchange.error is not None:
            raise exchange.error
        return b""

    async def timed_chunk(self) -> list[tuple[float, bytes]]:
        """As `chunk`, of a timed request: each piece with when it came, by `time.monotonic()`; empty at the end."""
        exchange = self._exchange
        if not exchange.pieces and not exchange.ended:
            await self._connection.more(exchange, self._idle)
        if exchange.pieces:
            timed = self._timed()
            taken = list(zip(timed.times, timed, strict=True))
            timed.clear()
            exchange.size = 0
            self._connection.drained(exchange)
            return taken
        if exchange.error is not None:
            raise exchange.error
        return []

    @property
    def sent_at(self) -> float:
        """When a timed request's first byte was written, by `time.monotonic()`."""
        return self._timed().sent_at

    @property
    def connect_seconds(self) -> float | None:
        """What opening the connection took a timed request; None where it was open already."""
        return self._timed().connect_seconds

    def _timed(self) -> TimedPieces:
        if self._exchange.timed is None:
            raise RuntimeError("The request was not timed.")
        return self._exchange.timed

    async def read(self, limit: int) -> bytes:
        """Return the whole body. Raises ResponseTooLarge above `limit` bytes, or a NetError."""
        exchange = self._exchange
        announced = exchange.content_length
        if announced is not None and announced > limit:
            raise self.too_large(limit)
        taken: list[bytes] = []
        size = 0
        while True:
            size += exchange.size
            if size > limit:
                raise self.too_large(limit)
            # Looked at before the pieces are taken: nothing is added after the end.
            ended = exchange.ended
            if exchange.pieces:
                piece = self._take()
                if ended and not taken and exchange.error is None:
                    return piece
                taken.append(piece)
            if ended:
                break
            await self._connection.more(exchange, self._idle)
        if exchange.error is not None:
            raise exchange.error
        return b"".join(taken)

    def abort(self) -> None:
        """Close the connection unless the response has ended; buffered bytes are dropped."""
        exchange = self._exchange
        if not exchange.ended:
            self._connection.abandon(exchange)
            exchange.pieces.clear()
            exchange.size = 0

    def _take(self) -> bytes:
        exchange = self._exchange
        pieces = exchange.pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        exchange.size = 0
        self._connection.drained(exchange)
        return data

    def too_large(self, limit: int) -> ResponseTooLarge:
        """Give a body up that is larger than `limit` bytes; the error to tell it by."""
        self.abort()
        self._exchange.pieces.clear()
        return ResponseTooLarge(
            "The provider's answer is too large.",
            origin=self._connection.origin,
            detail=f"the body is larger than {limit} bytes",
            sent=True,
        )

    def __del__(self) -> None:
        # A response dropped unread would hold its place in the pool until its total time is over.
        if not self._exchange.ended:
            self._connection.abandon_from_any_thread(self._exchange)


class Reading:
    """The wait for a whole body that has not ended yet: its bytes, or a NetError, ResponseTooLarge included."""

    __slots__ = ("_limit", "_pieces", "_response", "_size", "_waiter")

    def __init__(self, response: UpstreamResponse, limit: int) -> None:
        self._response = response
        self._limit = limit
        self._pieces = [response.taken()]
        self._size = len(self._pieces[0])
        self._waiter: Waiter | None = None

    def then(self, waiter: Waiter) -> None:
        """Have `waiter.came` called once, later."""
        self._waiter = waiter
        self._response.flow(self)

    def cancel(self) -> None:
        """Give the response up."""
        self._waiter = None
        self._response.abort()

    def received(self, data: bytes) -> None:
        self._size += len(data)
        self._pieces.append(data)
        if self._size > self._limit:
            self._finish(None)

    def ended(self, error: NetError | None) -> None:
        self._finish(error)

    def _finish(self, error: NetError | None) -> None:
        # The waiter goes first: giving a body up that is too large brings about another end.
        waiter, self._waiter = self._waiter, None
        if waiter is None:
            return
        if error is None and self._size > self._limit:
            error = self._response.too_large(self._limit)
        waiter.came(error or b"".join(self._pieces))
