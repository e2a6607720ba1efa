"""Model calls from inside this process: everything the pipeline does for an HTTP request, without a socket.

The workbench and its judges call so, under the account they work for. Only the sign-in is left out: the
caller brings the principal. The answer is read as it is written, each piece with its time.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from time import monotonic, time
from weakref import WeakSet

from ownkey.domain.errors import OwnkeyError, UpstreamError
from ownkey.domain.tenancy import Principal
from ownkey.gateway.edge.exchange import HeaderList, Request, Responder
from ownkey.gateway.edge.heads import Heads
from ownkey.gateway.edge.responder import BaseResponder
from ownkey.gateway.edge.target import read_target
from ownkey.gateway.refusals import render_error
from ownkey.gateway.streams import CUT
from ownkey.gateway.surfaces import error_format

_HIGH_WATER = 64 * 1024
"""Unread bytes above which a writer that drains waits for the reader."""
_JSON = (b"content-type", b"application/json")

InnerHandler = Callable[[Principal, Request, Responder], None]


class InnerResponder(BaseResponder):
    """Collects an answer for a reader in this process."""

    def __init__(self, heads: Heads, path: str) -> None:
        super().__init__()
        self._heads = heads
        self._path = path
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._unread = 0
        self._news = asyncio.Event()
        self._through = asyncio.Event()
        self.status: int | None = None
        """None until the head is here."""
        self.headers: HeaderList = ()
        self.failure: OwnkeyError | None = None
        """Why the answer is not complete, where it is over and not complete."""

    # The writer's side: see `Responder`.

    @property
    def paused(self) -> bool:
        return self._unread > _HIGH_WATER

    def finished(self, error: OwnkeyError | None = None) -> None:
        if error is not None and self.started and not self.response_complete:
            self.failure = error
        super().finished(error)
        self._through.set()
        self._news.set()

    def _head(self, status: int, headers: HeaderList, length: int | None) -> None:
        self._heads.render(status, headers, (), b"")
        self.status, self.headers = status, headers
        self._news.set()

    def _piece(self, data: bytes) -> None:
        self._pieces.append((monotonic(), data))
        self._unread += len(data)
        self._news.set()

    def _complete(self) -> None:
        self._news.set()

    def _break(self, started: bool) -> None:
        self.failure = self.failure or UpstreamError(CUT)
        self._news.set()

    def _refuse(self, error: OwnkeyError) -> None:
        self.answer(error.status, *render_error(error_format(self._path), error))

    # The reader's side.

    async def head(self) -> int:
        """The status, when it is here. Raises what broke the answer off before."""
        while self.status is None:
            if self.failure is not None:
                raise self.failure
            await self._more()
        return self.status

    async def piece(self) -> tuple[float, bytes] | None:
        """The next piece with its time; None at the end. Raises what broke the answer off."""
        while not self._pieces:
            if self.failure is not None:
                raise self.failure
            if self.response_complete or self.gone:
                return None
            await self._more()
        piece = self._pieces.popleft()
        was_paused = self.paused
        self._unread -= len(piece[1])
        if was_paused and not self.paused:
            self.writable()
        return piece

    async def settled(self) -> None:
        """Wait until the handler is through."""
        await self._through.wait()

    async def _more(self) -> None:
        self._news.clear()
        await self._news.wait()

    def leave(self) -> None:
        """The reader gives up."""
        if not self.response_complete:
            self._pieces.clear()
            super().leave()
            self._news.set()

    def stop(self) -> None:
        """The server stops."""
        if self._pending is not None:
            self._pending.cancel()


class InnerAnswer:
    """An answer whose head is here. Read it to its end or `abort` it: an unread one keeps its upstream connection."""

    def __init__(self, status: int, sent_at: float, responder: InnerResponder) -> None:
        self._responder = responder
        self.status = status
        self.headers = responder.headers
        self.sent_at = sent_at
        """`time.monotonic()` when the request was handed over, in seconds: the stamps of `chunks` are of this clock."""

    def header(self, name: bytes) -> bytes | None:
        """The first value of a field (lower case), or None."""
        return next((value for field, value in self.headers if field == name), None)

    async def chunks(self) -> AsyncGenerator[tuple[float, bytes]]:
        """The body's pieces, each with `time.monotonic()` when the gateway wrote it.

        Raises UpstreamError when the answer broke off, and Unavailable when the server stops. Ends after `abort`.
        """
        while (piece := await self._responder.piece()) is not None:
            yield piece

    async def read(self) -> bytes:
        """All that is left of the body. Raises as `chunks` does."""
        return b"".join([data async for _, data in self.chunks()])

    def abort(self) -> None:
        """Give the request up, as a client that hangs up: it is settled as cancelled. Harmless after the end."""
        self._responder.leave()

    async def settled(self) -> None:
        """Wait until the request is in the journal with its outcome."""
        await self._responder.settled()


class InnerCalls:
    """The calls under way in this process."""

    def __init__(self, handle: InnerHandler) -> None:
        self._handle = handle
        self._heads = Heads()
        self._under_way: WeakSet[InnerResponder] = WeakSet()

    async def call(
        self, principal: Principal, path: str, body: bytes, headers: Sequence[tuple[bytes, bytes]], peer: str
    ) -> InnerAnswer:
        """See `Gateway.call`."""
        target, query = read_target(path.encode())
        fields = [(name.lower(), value) for name, value in headers]
        if body and all(name != b"content-type" for name, _ in fields):
            fields.append(_JSON)
        sent_at = monotonic()
        request = Request("POST" if body else "GET", target, query, fields, body, peer, sent_at, time())
        responder = InnerResponder(self._heads, target)
        self._under_way.add(responder)
        self._handle(principal, request, responder)
        try:
            status = await responder.head()
        except asyncio.CancelledError:
            responder.leave()
            raise
        return InnerAnswer(status, sent_at, responder)

    async def close(self) -> None:
        """Break off what is under way, which is settled as interrupted."""
        for responder in list(self._under_way):
            responder.stop()
