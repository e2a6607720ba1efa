"""What a provider answered: status and headers at once, the body as it comes or as a whole."""

from ownkey.gateway.net.connection import Connection
from ownkey.gateway.net.errors import ResponseTooLarge
from ownkey.gateway.net.exchange import Exchange, TimedPieces


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
            raise self._too_large(limit)
        taken: list[bytes] = []
        size = 0
        while True:
            size += exchange.size
            if size > limit:
                raise self._too_large(limit)
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

    def _too_large(self, limit: int) -> ResponseTooLarge:
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
