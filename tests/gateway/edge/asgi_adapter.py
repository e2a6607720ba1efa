"""The same handler on any ASGI server: a second adapter, which proves that the border depends on no server.

ASGI sends are awaited and a responder's writes are not, so what a handler writes waits in a list
that a pump sends on; `drain` waits for the pump. Deadlines and the strict reading of heads are the
server's business here; what ASGI shows (target, host, repeated fields, sizes) is checked as strictly.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from time import monotonic, time
from typing import Any, TypeAlias
from urllib.parse import quote

from ownkey.domain.errors import OwnkeyError
from ownkey.gateway.edge import head
from ownkey.gateway.edge.body import Body, Buffered
from ownkey.gateway.edge.crash import report_crash
from ownkey.gateway.edge.exchange import Handler, HeaderList, RenderError, Request
from ownkey.gateway.edge.heads import Heads
from ownkey.gateway.edge.limits import Limits
from ownkey.gateway.edge.target import check_host, is_data_plane, path_hint, read_target

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_HIGH_WATER = 64 * 1024
_BODILESS = frozenset({204, 304})
_UNKNOWN = -1


def asgi_data_plane(handler: Handler, limits: Limits, render_error: RenderError, other: AsgiApp) -> AsgiApp:
    """An ASGI application: `handler` for the paths of the data plane, `other` for everything else."""
    heads = Heads()
    buffered = Buffered(limits.buffered)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_data_plane(scope["path"]):
            await other(scope, receive, send)
            return
        body = Body(buffered)
        responder = AsgiResponder(heads, scope["method"])
        try:
            request = await _read(scope, receive, limits, body)
            if request is None:
                return
            await _serve(handler, request, responder, render_error, receive, send)
        except OwnkeyError as error:
            headers, text = render_error(path_hint(_target(scope)), error)
            responder.answer(error.status, headers, text)
            await responder.pump(send)
        finally:
            body.release()

    return application


class AsgiResponder:
    """Implements `Responder` by collecting ASGI messages for `pump`."""

    def __init__(self, heads: Heads, method: str) -> None:
        self._heads = heads
        self._mute = method == "HEAD"
        self._messages: list[Message] = []
        self._waiting = 0
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._remaining = _UNKNOWN
        self._left: asyncio.Future[None] | None = None
        self.gone = False
        self.started = False
        """Whether a head is on its way to the client."""
        self.over = False
        """Whether nothing more will be written."""

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
        if self.started:
            raise RuntimeError("The answer has already begun.")
        self._heads.render(status, headers, (), b"")
        fields = list(headers)
        if status in _BODILESS:
            self._mute = True
        elif length is not None:
            fields.append((b"content-length", b"%d" % length))
            self._remaining = length
        self.started = True
        self._put({"type": "http.response.start", "status": status, "headers": fields})

    def write(self, data: bytes) -> None:
        if self.gone:
            return
        self._check_open()
        size = len(data)
        if not size or self._mute:
            return
        if self._remaining != _UNKNOWN:
            if size > self._remaining:
                raise RuntimeError("The body is longer than announced.")
            self._remaining -= size
        self._waiting += size
        self._put({"type": "http.response.body", "body": data, "more_body": True})

    async def drain(self) -> None:
        while self._waiting > _HIGH_WATER and not self.gone:
            self._drained.clear()
            await self._drained.wait()

    def end(self) -> None:
        if self.gone:
            return
        self._check_open()
        if self._remaining > 0 and not self._mute:
            self.abort()
            return
        self._put({"type": "http.response.body", "body": b"", "more_body": False})
        self.over = True

    def abort(self) -> None:
        """End without the last message, on which ASGI servers close the connection."""
        self.over = True
        self._wake.set()

    def leave(self) -> None:
        """The client has gone."""
        if self.over or self.gone:
            return
        self.gone = True
        if self._left is not None and not self._left.done():
            self._left.set_result(None)
        self._drained.set()
        self._wake.set()

    async def pump(self, send: Send) -> None:
        """Send what is written until it is over or the client has gone."""
        while not self.gone:
            self._wake.clear()
            messages, self._messages = self._messages, []
            for message in messages:
                await send(message)
                self._waiting -= len(message.get("body", b""))
                self._drained.set()
            if not self._messages and self.over:
                return
            await self._wake.wait()

    def _put(self, message: Message) -> None:
        self._messages.append(message)
        self._wake.set()

    def _check_open(self) -> None:
        if not self.started or self.over:
            raise RuntimeError("The answer has not begun, or is over.")


async def _read(scope: Scope, receive: Receive, limits: Limits, body: Body) -> Request | None:
    """The request, or None when the client left before its end."""
    target = _target(scope)
    path, query = read_target(target)
    fields = [(bytes(name).lower(), bytes(value).strip()) for name, value in scope["headers"]]
    if len(fields) > limits.fields:
        raise head.too_many_fields(limits)
    head.check_sizes(target, fields, limits)
    first = head.read_fields(fields, scope["http_version"])
    if b"host" in first:
        check_host(first[b"host"])
    head.check_length(first, limits.body)
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(piece)
        if size > limits.body:
            raise head.body_too_large(limits.body)
        if piece:
            body.add(piece)
    peer = scope["client"][0] if scope.get("client") else ""
    return Request(scope["method"], path, query, fields, body.whole(), peer, monotonic(), time(), first)


def _target(scope: Scope) -> bytes:
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode("ascii")
    query: bytes = scope.get("query_string", b"")
    raw = raw.partition(b"?")[0]
    return raw + b"?" + query if query else raw


async def _serve(
    handler: Handler,
    request: Request,
    responder: AsgiResponder,
    render_error: RenderError,
    receive: Receive,
    send: Send,
) -> None:
    """Run handler, pump and the watch for the client's leaving together, for as long as the handler takes."""
    pump = asyncio.ensure_future(_pump(responder, send))
    watch = asyncio.ensure_future(_watch(receive, responder))
    try:
        await _handle(handler, request, responder, render_error)
        await pump
    finally:
        for task in (pump, watch):
            task.cancel()
        await asyncio.gather(pump, watch, return_exceptions=True)


async def _pump(responder: AsgiResponder, send: Send) -> None:
    try:
        await responder.pump(send)
    except OSError:
        # How ASGI servers tell, from version 2.4 on, that the client has gone.
        responder.leave()


async def _handle(handler: Handler, request: Request, responder: AsgiResponder, render_error: RenderError) -> None:
    try:
        await handler(request, responder)
    except Exception as failure:  # noqa: BLE001 (as in http1: the outermost frame, and servers log texts)
        report_crash(failure)
    finally:
        if not responder.over and not responder.gone:
            if responder.started:
                responder.abort()
            else:
                headers, text = render_error(request.path, OwnkeyError("Something went wrong inside Ownkey."))
                responder.answer(500, headers, text)


async def _watch(receive: Receive, responder: AsgiResponder) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    responder.leave()
