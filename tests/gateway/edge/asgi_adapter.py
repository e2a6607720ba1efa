"""The same handler on any ASGI server: a second adapter, which proves that the border depends on no server.

ASGI sends are awaited and a responder's writes are not, so what a handler writes waits in a list
that a pump sends on, and that holds a writer back. Deadlines and the strict reading of heads are the
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
from ownkey.gateway.edge.exchange import Handler, HeaderList, RenderError, Request
from ownkey.gateway.edge.heads import Heads
from ownkey.gateway.edge.limits import Limits
from ownkey.gateway.edge.responder import UNKNOWN, BaseResponder
from ownkey.gateway.edge.target import check_host, is_data_plane, path_hint, read_target

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_HIGH_WATER = 64 * 1024
_BODILESS = frozenset({204, 304})


def asgi_data_plane(handler: Handler, limits: Limits, render_error: RenderError, other: AsgiApp) -> AsgiApp:
    """An ASGI application: `handler` for the paths of the data plane, `other` for everything else."""
    heads = Heads()
    buffered = Buffered(limits.buffered)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_data_plane(scope["path"]):
            await other(scope, receive, send)
            return
        body = Body(buffered)
        responder = AsgiResponder(heads, scope["method"], path_hint(_target(scope)), render_error)
        try:
            request = await _read(scope, receive, limits, body)
            if request is None:
                return
            await _serve(handler, request, responder, receive, send)
        except OwnkeyError as error:
            headers, text = render_error(path_hint(_target(scope)), error)
            responder.answer(error.status, headers, text)
            await responder.pump(send)
        finally:
            body.release()

    return application


class AsgiResponder(BaseResponder):
    """Collects ASGI messages for `pump`."""

    def __init__(self, heads: Heads, method: str, path: str, render_error: RenderError) -> None:
        super().__init__()
        self._heads = heads
        self._mute = method == "HEAD"
        self._path = path
        self._render_error = render_error
        self._messages: list[Message] = []
        self._waiting = 0
        self._wake = asyncio.Event()
        self.through = asyncio.Event()
        """Set when the handler is through."""

    @property
    def paused(self) -> bool:
        return self._waiting > _HIGH_WATER

    def finished(self, error: OwnkeyError | None = None) -> None:
        super().finished(error)
        self.through.set()
        self._wake.set()

    def end(self) -> None:
        if self._mute:
            self._remaining = UNKNOWN
        super().end()

    def leave(self) -> None:
        super().leave()
        self._wake.set()

    async def pump(self, send: Send) -> None:
        """Send what is written until it is over or the client has gone."""
        while not self.gone:
            self._wake.clear()
            messages, self._messages = self._messages, []
            for message in messages:
                await send(message)
                self._waiting -= len(message.get("body", b""))
                self.writable()
            if not self._messages and self.response_complete:
                return
            await self._wake.wait()

    def _head(self, status: int, headers: HeaderList, length: int | None) -> None:
        self._heads.render(status, headers, (), b"")
        fields = list(headers)
        if status in _BODILESS:
            self._mute = True
        elif length is not None:
            fields.append((b"content-length", b"%d" % length))
        self._put({"type": "http.response.start", "status": status, "headers": fields})

    def _piece(self, data: bytes) -> None:
        if not self._mute:
            self._waiting += len(data)
            self._put({"type": "http.response.body", "body": data, "more_body": True})

    def _complete(self) -> None:
        self._put({"type": "http.response.body", "body": b"", "more_body": False})

    def _break(self, started: bool) -> None:
        # Without the last message, on which ASGI servers close the connection.
        self._wake.set()

    def _refuse(self, error: OwnkeyError) -> None:
        headers, text = self._render_error(self._path, error)
        self.answer(error.status, headers, text)

    def _put(self, message: Message) -> None:
        self._messages.append(message)
        self._wake.set()


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


async def _serve(handler: Handler, request: Request, responder: AsgiResponder, receive: Receive, send: Send) -> None:
    """Run handler, pump and the watch for the client's leaving together, for as long as the handler takes."""
    pump = asyncio.ensure_future(_pump(responder, send))
    watch = asyncio.ensure_future(_watch(receive, responder))
    try:
        handler(request, responder)
        await responder.through.wait()
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


async def _watch(receive: Receive, responder: AsgiResponder) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    responder.leave()
