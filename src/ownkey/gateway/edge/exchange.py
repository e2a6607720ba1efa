"""The border between the pipeline and HTTP servers: one request, one responder, one handler.

The pipeline knows these names and nothing of ASGI, uvicorn or sockets. Nothing here is awaited: a handler
whose answer has to wait leaves a `PendingRequest` behind, and the responder tells it what happens.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from ownkey.domain.errors import OwnkeyError

HeaderList: TypeAlias = Sequence[tuple[bytes, bytes]]
"""Header fields in order; names in lower case, values without surrounding blanks."""


class Request:
    """One complete HTTP request.

    `path` is percent-decoded exactly once, starts with `/` and holds neither dot segments nor
    control characters. `raw_query` is what followed the `?`, undecoded. `peer` is the address of
    the other end of the socket, empty on a Unix socket; behind trusted proxies, `proxied.py` puts
    the client's there. `received` is `time.monotonic()` at the last body byte, in seconds;
    `started_at` the wall clock then, as a Unix time. Header names are lower-case bytes.
    """

    __slots__ = ("_first", "body", "fields", "method", "path", "peer", "raw_query", "received", "started_at")

    def __init__(
        self,
        method: str,
        path: str,
        raw_query: bytes,
        fields: HeaderList,
        body: bytes,
        peer: str,
        received: float,
        started_at: float,
        first: dict[bytes, bytes] | None = None,
    ) -> None:
        """`first`: the first value of each field, when the caller has it at hand."""
        self.method = method
        self.path = path
        self.raw_query = raw_query
        self.fields = fields
        self.body = body
        self.peer = peer
        self.received = received
        self.started_at = started_at
        self._first = first

    @property
    def repeats(self) -> bool:
        """Whether any field came more than once."""
        return self._first is None or len(self._first) != len(self.fields)

    def header(self, name: bytes) -> bytes | None:
        """The first value of a field, or None. Where a repetition matters, ask `headers`."""
        first = self._first
        if first is None:
            first = self._first = dict(reversed(self.fields))
        return first.get(name)

    def headers(self, name: bytes) -> list[bytes]:
        """Every value of a field, in order."""
        return [value for field, value in self.fields if field == name]


class PendingRequest(Protocol):
    """A request whose answer waits for something."""

    def leave(self) -> None:
        """The client has left."""
        ...

    def cancel(self) -> None:
        """The server stops."""
        ...


class Responder(Protocol):
    """What a handler answers with. Every call returns at once.

    A handler calls `answer` once, or `start`, any number of `write`, then `end` or `abort`, and at last
    `finished`. Once the client has left (`gone`), all but the last do nothing. Header values are checked: a
    control character raises ValueError before a byte is sent. The adapter writes `content-length`,
    `transfer-encoding` and `connection` itself: passing one of them raises ValueError too.
    """

    @property
    def gone(self) -> bool:
        """Whether the client has left."""
        ...

    @property
    def paused(self) -> bool:
        """Whether the client takes less than is written: write on when `on_writable` is called."""
        ...

    on_writable: Callable[[], None] | None
    """Called when the client has taken enough of what was written."""

    def answer(self, status: int, headers: HeaderList, body: bytes) -> None:
        """Send the whole answer in one write."""
        ...

    def start(self, status: int, headers: HeaderList, length: int | None) -> None:
        """Send the head of an answer whose body follows; `length` in bytes, None when unknown."""
        ...

    def write(self, data: bytes) -> None:
        """Send a piece of the body; an empty one is nothing."""
        ...

    def end(self) -> None:
        """Complete the body. Fewer bytes than announced close the connection as `abort` does."""
        ...

    def abort(self) -> None:
        """Close the connection without a proper end, so that the client sees a truncated body."""
        ...

    def attend(self, pending: PendingRequest) -> None:
        """The answer is not complete when the handler returns: tell `pending` what happens until `finished`."""
        ...

    def finished(self, error: OwnkeyError | None = None) -> None:
        """The handler is through. Where the answer is not complete, the client gets `error` or a broken connection."""
        ...


Handler: TypeAlias = Callable[[Request, Responder], None]
"""Answers one request, or begins to and attends to it. It calls `finished` once, in this call or later."""

RenderError: TypeAlias = Callable[[str, OwnkeyError], tuple[HeaderList, bytes]]
"""(path, error) → (headers without `content-length`, body) in the shape of the format that path speaks.

The path is `/` when the request could not be read so far."""
