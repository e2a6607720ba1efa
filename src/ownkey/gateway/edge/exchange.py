"""The border between the pipeline and HTTP servers: one request, one responder, one handler.

The pipeline knows these three names and nothing of ASGI, uvicorn or sockets. `protocol.py`,
a subclass of uvicorn's httptools protocol, carries them; an ASGI adapter in the tests proves the border.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeAlias

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


class Responder(Protocol):
    """What a handler answers with. Every call but `drain` returns at once.

    A handler calls `answer` once, or `start`, any number of `write`, then `end` or `abort`. Once
    the client has left (`gone`), all of them do nothing. Header values are checked: a control
    character raises ValueError before a byte is sent. The adapter writes `content-length`,
    `transfer-encoding` and `connection` itself: passing one of them raises ValueError too.
    """

    @property
    def gone(self) -> bool:
        """Whether the client has left."""
        ...

    @property
    def left(self) -> "asyncio.Future[None]":
        """Done when the client has left. Made on first use; a handler may await or add callbacks,
        never cancel it (wrap it in `asyncio.wait`, not `wait_for`)."""
        ...

    def answer(self, status: int, headers: HeaderList, body: bytes) -> None:
        """The whole answer in one write."""
        ...

    def start(self, status: int, headers: HeaderList, length: int | None) -> None:
        """The head of an answer whose body follows; `length` in bytes, None when unknown."""
        ...

    def write(self, data: bytes) -> None:
        """A piece of the body; an empty one is nothing. Follow with `drain` when more is to come."""
        ...

    async def drain(self) -> None:
        """Wait until the client has taken enough of what was written (or has left)."""
        ...

    def end(self) -> None:
        """The body is complete. Fewer bytes than announced close the connection as `abort` does."""
        ...

    def abort(self) -> None:
        """Close the connection without a proper end, so that the client sees a truncated body."""
        ...


class Errand(Protocol):
    """A request under way without a task: somebody will call back."""

    def leave(self) -> None:
        """The client has left."""
        ...

    def cancel(self) -> None:
        """The server stops. The client is told by whoever calls."""
        ...


class QuickResponder(Responder, Protocol):
    """A responder that can wait for callbacks instead of a task."""

    def attend(self, errand: Errand) -> None:
        """The answer will come by a callback; until then `errand` is told what happens here."""
        ...

    def go_on(self, work: Coroutine[Any, Any, None]) -> None:
        """Leave the rest to a task, as if it had been the handler from the beginning."""
        ...


Handler: TypeAlias = Callable[[Request, Responder], Coroutine[Any, Any, None]]
"""Answers one request. It is never cancelled because the client left: it watches `left` itself."""

QuickHandler: TypeAlias = Callable[[Request, QuickResponder], bool]
"""Takes a request on at once, if it can do without waiting: True when it has answered, attends or goes on."""

RenderError: TypeAlias = Callable[[str, OwnkeyError], tuple[HeaderList, bytes]]
"""(path, error) → (headers without `content-length`, body) in the shape of the format that path speaks.

The path is `/` when the request could not be read so far."""
