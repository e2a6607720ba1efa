"""The responder on an HTTP/1 connection, with the state uvicorn expects of a request's cycle."""

import asyncio
import socket
import struct
from collections.abc import Coroutine
from typing import Any, ClassVar, Protocol, cast

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.server import ServerState

from ownkey.domain.errors import OwnkeyError, Unavailable
from ownkey.gateway.edge.body import Body, Buffered
from ownkey.gateway.edge.crash import report_crash
from ownkey.gateway.edge.exchange import Errand, Handler, HeaderList, QuickHandler, RenderError, Request
from ownkey.gateway.edge.heads import Heads
from ownkey.gateway.edge.limits import Limits

_JOIN_BELOW = 64 * 1024
"""Pieces smaller than this are copied together; larger ones are handed to the transport as they are."""
_SMALL = 16 * 1024
_BODILESS = frozenset({204, 304})
_CLOSE = b"connection: close\r\n"
_CHUNKED = b"transfer-encoding: chunked\r\n"
_UNKNOWN = -1
_OUR_FAULT = "Something went wrong inside Ownkey."
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, zero seconds: closing sends RST instead of FIN."""


class Service:
    """What all connections of one server share."""

    __slots__ = ("buffered", "handler", "heads", "known_host", "limits", "quick", "render_error", "small_head")

    def __init__(
        self, handler: Handler, limits: Limits, render_error: RenderError, quick: QuickHandler | None = None
    ) -> None:
        self.handler = handler
        self.quick = quick
        self.limits = limits
        self.render_error = render_error
        self.heads = Heads()
        self.buffered = Buffered(limits.buffered)
        self.known_host: bytes | None = None
        """A value of the Host field that was found valid, as nearly all have the same."""
        self.small_head = min(limits.target, limits.field, limits.head)
        """A head below this many bytes satisfies every size limit."""


class Connection(Protocol):
    """What an exchange needs of the connection it is answered on."""

    service: ClassVar[Service]
    transport: asyncio.Transport
    flow: FlowControl
    loop: asyncio.AbstractEventLoop
    tasks: set[asyncio.Task[None]]
    server_state: ServerState

    def on_response_complete(self) -> None: ...

    def close(self) -> None: ...


class Exchange:
    """One data-plane request and its answer. Implements `QuickResponder`.

    uvicorn reads `response_complete` and sets `keep_alive`, as on its own cycles.
    """

    __slots__ = (
        "_chunked",
        "_connection",
        "_errand",
        "_first_piece",
        "_left",
        "_mute",
        "_remaining",
        "_started",
        "_task",
        "_whole",
        "expects_continue",
        "gone",
        "http10",
        "keep_alive",
        "request",
        "response_complete",
    )

    def __init__(self, connection: Connection, mute: bool, http10: bool, keep_alive: bool, expects: bool) -> None:
        """`mute`: the answer must not have a body, because the method is HEAD."""
        self._connection = connection
        self._first_piece = b""
        self._whole: Body | None = None
        self._left: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._errand: Errand | None = None
        self._started = False
        self._mute = mute
        self.expects_continue = expects
        self.gone = False
        self.http10 = http10
        self.keep_alive = keep_alive
        self.request: Request | None = None
        """Set when the last byte of the body has arrived, forgotten when the handler ends."""
        self.response_complete = False

    # The request's side.

    def add(self, piece: bytes) -> None:
        """Keep a piece of the body. Raises Unavailable when the process holds too much already.

        Most bodies are small and come in one piece: those are not counted.
        """
        if self._whole is not None:
            self._whole.add(piece)
        elif not self._first_piece and len(piece) <= _SMALL:
            self._first_piece = piece
        else:
            self._whole = Body(self._connection.service.buffered)
            if self._first_piece:
                self._whole.add(self._first_piece)
            self._whole.add(piece)

    def body(self) -> bytes:
        """All of the body so far."""
        return self._first_piece if self._whole is None else self._whole.whole()

    def run(self) -> None:
        """Hand the request to whom it concerns: at once where that is possible, else in a task of its own."""
        request = self.request
        if request is None:
            return
        service = self._connection.service
        if service.quick is not None:
            try:
                if service.quick(request, self):
                    return
            except Exception as failure:  # noqa: BLE001 (as in `_run`)
                report_crash(failure)
                self._settle(request, stopping=False)
                return
        self.go_on(service.handler(request, self))

    def attend(self, errand: Errand) -> None:
        self._errand = errand
        # To uvicorn this is a task: something to be waited for, and to be cancelled when it takes too long.
        self._connection.tasks.add(cast("asyncio.Task[None]", self))

    def cancel(self, msg: object = None) -> None:
        """As a task's: the server stops."""
        del msg
        errand = self._errand
        if errand is not None:
            self._errand = None
            errand.cancel()
            # Not now: whoever cancels is going through the set of tasks.
            self._connection.loop.call_soon(self._cancelled)

    def _cancelled(self) -> None:
        self._connection.tasks.discard(cast("asyncio.Task[None]", self))
        if not self.response_complete:
            self._settle(self.request, stopping=True)

    def go_on(self, work: Coroutine[Any, Any, None]) -> None:
        connection = self._connection
        task = self._task = connection.loop.create_task(self._run(work))
        connection.tasks.add(task)
        self._dismiss()

    def _dismiss(self) -> None:
        if self._errand is not None:
            self._errand = None
            self._connection.tasks.discard(cast("asyncio.Task[None]", self))

    def leave(self) -> None:
        """The client has gone. The handler goes on until it chooses to stop."""
        if self.response_complete or self.gone:
            return
        self.gone = True
        if self._left is not None and not self._left.done():
            self._left.set_result(None)
        errand = self._errand
        if errand is not None:
            self._dismiss()
            errand.leave()
        if self._task is None:
            self._forget()

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        connection, request = self._connection, self.request
        stopping = False
        try:
            await work
        except asyncio.CancelledError:
            stopping = True
            raise
        except Exception as failure:  # noqa: BLE001 (the outermost frame of a request: nobody else would answer it)
            report_crash(failure)
        finally:
            if self._task is not None:
                connection.tasks.discard(self._task)
            # An idle connection keeps its last exchange, which must not keep the body.
            self._forget()
            if not self.response_complete:
                self._settle(request, stopping)

    def _settle(self, request: Request | None, stopping: bool) -> None:
        """The handler has ended and the answer has not."""
        if self.gone:
            self.response_complete = True
            return
        try:
            if not self._started and request is not None:
                error = Unavailable("The server is shutting down.") if stopping else OwnkeyError(_OUR_FAULT)
                headers, body = self._connection.service.render_error(request.path, error)
                self.answer(error.status, headers, body)
        finally:
            if not self.response_complete:
                self.abort()

    def _forget(self) -> None:
        self.request = None
        self._first_piece = b""
        if self._whole is not None:
            self._whole.release()

    # The answer's side: see `Responder`.

    @property
    def left(self) -> "asyncio.Future[None]":
        if self._left is None:
            self._left = self._connection.loop.create_future()
            if self.gone:
                self._left.set_result(None)
        return self._left

    def answer(self, status: int, headers: HeaderList, body: bytes) -> None:
        if self.gone:
            return
        framing = b"" if status in _BODILESS else b"content-length: %d\r\n" % len(body)
        head = self._begin(status, headers, framing)
        transport = self._connection.transport
        if self._mute:
            transport.write(head)
        elif len(body) < _JOIN_BELOW:
            transport.write(head + body)
        else:
            transport.writelines((head, body))
        self._finish()

    def start(self, status: int, headers: HeaderList, length: int | None) -> None:
        if self.gone:
            return
        self._remaining = _UNKNOWN
        self._chunked = False
        if status in _BODILESS:
            framing = b""
        elif length is not None:
            framing = b"content-length: %d\r\n" % length
            self._remaining = length
        elif self.http10:
            framing = b""
            self.keep_alive = False
        else:
            framing = _CHUNKED
            self._chunked = True
        self._connection.transport.write(self._begin(status, headers, framing))

    def _begin(self, status: int, headers: HeaderList, framing: bytes) -> bytes:
        if self._started:
            raise RuntimeError("The answer has already begun.")
        if not self.keep_alive:
            framing += _CLOSE
        connection = self._connection
        head = connection.service.heads.render(status, headers, connection.server_state.default_headers, framing)
        self._started = True
        if status in _BODILESS:
            self._mute = True
        return head

    def write(self, data: bytes) -> None:
        if self.gone:
            return
        self._check_open()
        size = len(data)
        if not size or self._mute:
            return
        transport = self._connection.transport
        if self._chunked:
            if size < _JOIN_BELOW:
                transport.write(b"%x\r\n%b\r\n" % (size, data))
            else:
                transport.writelines((b"%x\r\n" % size, data, b"\r\n"))
            return
        if self._remaining != _UNKNOWN:
            if size > self._remaining:
                raise RuntimeError("The body is longer than announced.")
            self._remaining -= size
        transport.write(data)

    async def drain(self) -> None:
        flow = self._connection.flow
        if flow.write_paused and not self.gone:
            await flow.drain()

    def end(self) -> None:
        if self.gone:
            return
        self._check_open()
        if self._remaining > 0 and not self._mute:
            self.abort()
            return
        if self._chunked and not self._mute:
            self._connection.transport.write(b"0\r\n\r\n")
        self._finish()

    def abort(self) -> None:
        if self.response_complete or self.gone:
            return
        started = self._started
        self._started = self.response_complete = True
        self._dismiss()
        self.keep_alive = False
        connection = self._connection
        if self.http10 and started and self._remaining == _UNKNOWN:
            # Here the end of the connection is the end of the body: only a reset tells them apart.
            _reset_on_close(connection.transport)
            connection.transport.abort()
        else:
            connection.close()
        connection.on_response_complete()

    def _check_open(self) -> None:
        if not self._started or self.response_complete:
            raise RuntimeError("The answer has not begun, or is over.")

    def _finish(self) -> None:
        self.response_complete = True
        if self._errand is not None:
            self._dismiss()
        if self._task is None:
            # An idle connection keeps its last exchange, which must not keep the body.
            self._forget()
        if not self.keep_alive:
            self._connection.close()
        self._connection.on_response_complete()


def _reset_on_close(transport: asyncio.Transport) -> None:
    connected = transport.get_extra_info("socket")
    if connected is not None:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
