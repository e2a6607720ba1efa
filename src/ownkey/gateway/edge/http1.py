"""The responder on an HTTP/1 connection, with the state uvicorn expects of a request's cycle."""

import asyncio
import socket
import struct
from typing import ClassVar, Protocol, cast

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.server import ServerState

from ownkey.domain.errors import OwnkeyError
from ownkey.gateway.batching import WriteBatch
from ownkey.gateway.edge.body import Body, Buffered
from ownkey.gateway.edge.crash import report_crash
from ownkey.gateway.edge.exchange import Handler, HeaderList, PendingRequest, RenderError, Request
from ownkey.gateway.edge.heads import Heads
from ownkey.gateway.edge.limits import Limits
from ownkey.gateway.edge.responder import UNKNOWN, BaseResponder

_JOIN_BELOW = 64 * 1024
"""Pieces smaller than this are copied together; larger ones are handed to the transport as they are."""
_SMALL = 16 * 1024
_BODILESS = frozenset({204, 304})
_CLOSE = b"connection: close\r\n"
_CHUNKED = b"transfer-encoding: chunked\r\n"
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, zero seconds: closing sends RST instead of FIN."""


class Service:
    """What all connections of one server share."""

    __slots__ = ("batch", "buffered", "handler", "heads", "known_host", "limits", "render_error", "small_head")

    def __init__(self, handler: Handler, limits: Limits, render_error: RenderError) -> None:
        self.handler = handler
        self.limits = limits
        self.render_error = render_error
        self.heads = Heads()
        self.batch = WriteBatch()
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


class Exchange(BaseResponder):
    """One data-plane request and its answer.

    uvicorn reads `response_complete` and sets `keep_alive`, as on its own cycles, and takes a pending exchange for
    a task: something to wait for, and to cancel when it takes too long.
    """

    __slots__ = (
        "_chunked",
        "_connection",
        "_first_piece",
        "_mute",
        "_whole",
        "expects_continue",
        "http10",
        "keep_alive",
        "request",
    )

    def __init__(self, connection: Connection, mute: bool, http10: bool, keep_alive: bool, expects: bool) -> None:
        """`mute`: the answer must not have a body, because the method is HEAD."""
        super().__init__()
        self._connection = connection
        self._first_piece = b""
        self._whole: Body | None = None
        self._chunked = False
        self._mute = mute
        self.expects_continue = expects
        self.http10 = http10
        self.keep_alive = keep_alive
        self.request: Request | None = None
        """Set when the last byte of the body has arrived, forgotten with the end of the answer."""

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
        """Hand the request to whoever answers it."""
        request = self.request
        if request is None:
            return
        try:
            self._connection.service.handler(request, self)
        except Exception as failure:  # noqa: BLE001 (the outermost frame of a request: nobody else would answer it)
            report_crash(failure)
            self.finished()

    def attend(self, pending: PendingRequest) -> None:
        self._pending = pending
        self._connection.tasks.add(cast("asyncio.Task[None]", self))

    def cancel(self, msg: object = None) -> None:
        """The server stops: as a task's, so not at once. Whoever cancels is going through the set of tasks."""
        del msg
        self._connection.loop.call_soon(self._stop)

    def _stop(self) -> None:
        if self._pending is not None:
            # Whoever waits behind it on the connection must not begin now: nobody would stop that again.
            self.keep_alive = False
            self._pending.cancel()

    def leave(self) -> None:
        super().leave()
        if self._pending is None:
            self._forget()

    def finished(self, error: OwnkeyError | None = None) -> None:
        request = self.request
        if self._pending is not None:
            self._connection.tasks.discard(cast("asyncio.Task[None]", self))
        try:
            super().finished(error)
        finally:
            if request is not None:
                self._forget()

    def _forget(self) -> None:
        """An idle connection keeps its last exchange, which must not keep the body."""
        self.request = None
        self._first_piece = b""
        if self._whole is not None:
            self._whole.release()

    # The answer's side: see `Responder`.

    @property
    def paused(self) -> bool:
        return self._connection.flow.write_paused

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
        self.response_complete = True
        self._close()

    def _head(self, status: int, headers: HeaderList, length: int | None) -> None:
        if status in _BODILESS:
            framing = b""
        elif length is not None:
            framing = b"content-length: %d\r\n" % length
        elif self.http10:
            framing = b""
            self.keep_alive = False
        else:
            framing = _CHUNKED
            self._chunked = True
        self._connection.transport.write(self._begin(status, headers, framing))

    def _begin(self, status: int, headers: HeaderList, framing: bytes) -> bytes:
        if self.started:
            raise RuntimeError("The answer has already begun.")
        if not self.keep_alive:
            framing += _CLOSE
        connection = self._connection
        head = connection.service.heads.render(status, headers, connection.server_state.default_headers, framing)
        self.started = True
        if status in _BODILESS:
            self._mute = True
        return head

    def _piece(self, data: bytes) -> None:
        if self._mute:
            return
        transport = self._connection.transport
        if not self._chunked:
            transport.write(data)
        elif len(data) < _JOIN_BELOW:
            transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        else:
            transport.writelines((b"%x\r\n" % len(data), data, b"\r\n"))

    def end(self) -> None:
        if self._mute:
            self._remaining = UNKNOWN
        super().end()

    def _complete(self) -> None:
        if self._chunked and not self._mute:
            self._connection.transport.write(b"0\r\n\r\n")
        self._close()

    def _close(self) -> None:
        """The answer is complete; the next request may have its turn."""
        if not self.keep_alive:
            self._connection.close()
        self._connection.on_response_complete()

    def _break(self, started: bool) -> None:
        self.keep_alive = False
        connection = self._connection
        if self.http10 and started and self._remaining == UNKNOWN:
            # Here the end of the connection is the end of the body: only a reset tells them apart.
            _reset_on_close(connection.transport)
            connection.transport.abort()
        else:
            connection.close()
        connection.on_response_complete()

    def _refuse(self, error: OwnkeyError) -> None:
        request = self.request
        if request is None:
            self.abort()
            return
        try:
            self.answer(error.status, *self._connection.service.render_error(request.path, error))
        finally:
            if not self.response_complete:
                self.abort()


def _reset_on_close(transport: asyncio.Transport) -> None:
    connected = transport.get_extra_info("socket")
    if connected is not None:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
