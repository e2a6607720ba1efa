"""The state of one request and its response, shared by parser, connection and response."""

from ownkey.gateway.net.errors import NetError

Headers = list[tuple[bytes, bytes]]


class Exchange:
    """Mutable, owned by one connection until `ended`.

    `pieces` holds body bytes nobody has taken yet, `size` their number. `head_done` is set when
    status and headers are final. `ended` is set last: by the end of the message, or with `error`.
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
    )

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = []
        self.content_length: int | None = None
        self.pieces: list[bytes] = []
        self.size = 0
        self.sent = False
        self.answered = False
        self.head_done = False
        self.complete = False
        self.ended = False
        self.error: NetError | None = None
