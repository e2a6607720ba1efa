"""Model calls from inside this process: everything the pipeline does for an HTTP request, without a socket.

The workbench and its judges call so, under the account they work for. Only the sign-in is left out: the
caller brings the principal. The answer is read as it is written, each piece with its time.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from time import monotonic, time

from ownkey.domain.errors import OwnkeyError, Unavailable, UpstreamError
from ownkey.domain.tenancy import Principal
from ownkey.gateway.edge.crash import report_crash
from ownkey.gateway.edge.exchange import HeaderList, Request, Responder
from ownkey.gateway.edge.heads import Heads
from ownkey.gateway.edge.target import read_target
from ownkey.gateway.refusals import render_error
from ownkey.gateway.streams import CUT
from ownkey.gateway.surfaces import error_format

_HIGH_WATER = 64 * 1024
"""Unread bytes above which a writer that drains waits for the reader."""
_UNKNOWN = -1
_JSON = (b"content-type", b"application/json")

InnerHandler = Callable[[Principal, Request, Responder], Awaitable[None]]


class InnerResponder:
    """Collects an answer for a reader in this process. Implements `Responder`."""

    def __init__(self, heads: Heads) -> None:
        self._heads = heads
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._unread = 0
        self._remaining = _UNKNOWN
        self._written = asyncio.Event()
        self._taken = asyncio.Event()
        self._left: asyncio.Future[None] | None = None
        self.status: int | None = None
        """None until the head is here."""
        self.headers: HeaderList = ()
        self.gone = False
        self.over = False
        """Whether nothing more will be written."""
        self.failure: OwnkeyError | None = None
        """Why the answer is not complete, where it is over and not complete."""

    # The writer's side: see `Responder`.

    @property
    def left(self) -> "asyncio.Future[None]":
        if self._left is None:
            self._left = asyncio.get_running_loop().create_future()
            if self.gone:
                self._left.set_result(None)
        return self._left

    def answer(self, status: int, headers: HeaderList, body: bytes) -> None:
        self.start(status, headers, len(body))
        self.write(body)
        self.end()

    def start(self, status: int, headers: HeaderList, length: int | None) -> None:
        if self.gone:
            return
        if self.status is not None:
            raise RuntimeError("The answer has already begun.")
        self._heads.render(status, headers, (), b"")
        self.status, self.headers = status, headers
        self._remaining = _UNKNOWN if length is None else length
        self._written.set()

    def write(self, data: bytes) -> None:
        if self.gone or not data:
            return
        self._check_open()
        if self._remaining != _UNKNOWN:
            if len(data) > self._remaining:
                raise RuntimeError("The body is longer than announced.")
            self._remaining -= len(data)
        self._pieces.append((monotonic(), data))
        self._unread += len(data)
        self._written.set()

    async def drain(self) -> None:
        while self._unread > _HIGH_WATER and not self.gone:
            self._taken.clear()
            await self._taken.wait()

    def end(self) -> None:
        if self.gone:
            return
        self._check_open()
        if self._remaining > 0:
            self.abort()
            return
        self._finish()

    def abort(self) -> None:
        self.break_off(UpstreamError(CUT))

    def break_off(self, failure: OwnkeyError) -> None:
        """Nothing more will be written, for this reason."""
        if not self.over and not self.gone:
            self.failure = failure
            self._finish()

    def _finish(self) -> None:
        self.over = True
        self._written.set()

    def _check_open(self) -> None:
        if self.status is None or self.over:
            raise RuntimeError("The answer has not begun, or is over.")

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
            if self.over or self.gone:
                return None
            await self._more()
        piece = self._pieces.popleft()
        self._unread -= len(piece[1])
        self._taken.set()
        return piece

    async def _more(self) -> None:
        self._written.clear()
        await self._written.wait()

    def leave(self) -> None:
        """The reader gives up."""
        if self.over or self.gone:
            return
        self.gone = True
        self._pieces.clear()
        if self._left is not None and not self._left.done():
            self._left.set_result(None)
        self._taken.set()
        self._written.set()


class InnerAnswer:
    """An answer whose head is here. Read it to its end or `abort` it: an unread one keeps its upstream connection."""

    def __init__(self, status: int, sent_at: float, responder: InnerResponder, task: "asyncio.Task[None]") -> None:
        self._responder = responder
        self._task = task
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
        await asyncio.wait([self._task])


class InnerCalls:
    """The calls under way in this process."""

    def __init__(self, handle: InnerHandler) -> None:
        self._handle = handle
        self._heads = Heads()
        self._tasks: set[asyncio.Task[None]] = set()

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
        responder = InnerResponder(self._heads)
        task = asyncio.create_task(self._run(principal, request, responder))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            status = await responder.head()
        except asyncio.CancelledError:
            responder.leave()
            raise
        return InnerAnswer(status, sent_at, responder, task)

    async def close(self) -> None:
        """Break off what is under way, which is settled as interrupted."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, principal: Principal, request: Request, responder: InnerResponder) -> None:
        error = OwnkeyError("Something went wrong inside Ownkey.")
        try:
            await self._handle(principal, request, responder)
        except asyncio.CancelledError:
            error = Unavailable("The server is shutting down.")
            raise
        except Exception as failure:  # noqa: BLE001 (as at the edge: nobody further out would answer)
            report_crash(failure)
        finally:
            if responder.status is None and not responder.over:
                responder.answer(error.status, *render_error(error_format(request.path), error))
            responder.break_off(error)
