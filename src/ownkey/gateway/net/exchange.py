"""The state of one request and its response, shared by parser, connection and response."""

from collections.abc import Callable
from time import monotonic
from typing import Protocol

from ownkey.gateway.net.errors import NetError

Headers = list[tuple[bytes, bytes]]


class TimedPieces(list[bytes]):
    """Pieces of a body, each with the time at which its bytes came; all of `time.monotonic()`, in seconds.

    `arrived_at` is when the bytes that are being parsed came, `times` holds one entry a piece. `sent_at` is the
    moment before the request's first byte was written, `connect_seconds` what name, TCP and TLS took before
    that, None on a connection that was open already.
    """

    __slots__ = ("arrived_at", "connect_seconds", "sent_at", "times")

    def __init__(self) -> None:
        super().__init__()
        self.sent_at = self.arrived_at = monotonic()
        self.connect_seconds: float | None = None
        self.times: list[float] = []

    def append(self, piece: bytes, /) -> None:
        self.times.append(self.arrived_at)
        super().append(piece)

    def clear(self) -> None:
        self.times.clear()
        super().clear()


class Exchange:
    """Mutable, owned by one connection until `ended`.

    `sent` is how many bytes the request has, 0 before its first is written. `pieces` holds body bytes nobody has
    taken yet, `size` their number. `head_done` is set when status and headers are final. `ended` is set last: by the
    end of the message, or with `error`.
    `timed` is `pieces` again where their times are wanted, and None everywhere else.
    """

    __slots__ = (
        "answered",
        "complete",
        "content_length",
        "ended",
        "error",
        "head_done",
        "headers",
        "pieces",
        "sent",
        "size",
        "status",
        "timed",
    )

    def __init__(self, timed: TimedPieces | None = None) -> None:
        self.status = 0
        self.headers: Headers = []
        self.content_length: int | None = None
        self.timed = timed
        self.pieces: list[bytes] = [] if timed is None else timed
        self.size = 0
        self.sent = 0
        self.answered = False
        self.head_done = False
        self.complete = False
        self.ended = False
        self.error: NetError | None = None


Tell = Callable[[Exchange], None]
"""Called once, when the head of the answer is there or the exchange has ended."""


class BodySink(Protocol):
    """Takes a body as it comes."""

    def received(self, data: bytes) -> None:
        """Some bytes have come, in the turn of the loop in which they did."""
        ...

    def ended(self, error: NetError | None) -> None:
        """Nothing more comes; `error` says why the body is not complete. Called once."""
        ...
