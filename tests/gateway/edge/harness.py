"""A real uvicorn server in the test's own loop, and raw sockets to talk to it."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from ownkey.domain.errors import OwnkeyError, Unavailable
from ownkey.gateway.edge.crash import report_crash
from ownkey.gateway.edge.exchange import Handler, HeaderList, Request, Responder
from ownkey.gateway.edge.protocol import DataPlaneProtocol

PLAIN = [(b"content-type", b"text/plain")]


def render_error(path: str, error: OwnkeyError) -> tuple[HeaderList, bytes]:
    body = {"path": path, "code": error.code, "message": error.public}
    return [(b"content-type", b"application/json")], json.dumps(body).encode()


class AwaitableResponder:
    """A responder for a handler in a task: what the product does by callbacks, a test's handler may await."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self._writable = asyncio.Event()
        self.left = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None
        self.answer = responder.answer
        self.start = responder.start
        self.write = responder.write
        self.end = responder.end
        self.abort = responder.abort
        responder.on_writable = self._writable.set

    @property
    def gone(self) -> bool:
        return self._responder.gone

    async def drain(self) -> None:
        while self._responder.paused and not self.gone:
            self._writable.clear()
            await self._writable.wait()

    def leave(self) -> None:
        self.left.set_result(None)
        self._writable.set()

    def cancel(self) -> None:
        assert self.task is not None
        self.task.cancel()


AsyncHandler = Callable[[Request, AwaitableResponder], Awaitable[None]]


def in_task(handler: AsyncHandler) -> Handler:
    """A handler that runs `handler` in a task."""

    def handle(request: Request, responder: Responder) -> None:
        awaitable = AwaitableResponder(responder)

        async def run() -> None:
            error = None
            try:
                await handler(request, awaitable)
            except asyncio.CancelledError:
                error = Unavailable("The server is shutting down.")
            except Exception as failure:  # noqa: BLE001 (as the product's own runner)
                report_crash(failure)
            responder.finished(error)

        awaitable.task = asyncio.get_running_loop().create_task(run())
        responder.attend(awaitable)

    return handle


async def echo(request: Request, responder: AwaitableResponder) -> None:
    """Answers with what arrived."""
    seen = {
        "method": request.method,
        "path": request.path,
        "query": request.raw_query.decode("latin-1"),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.fields],
        "size": len(request.body),
        "body": request.body[:1000].decode("latin-1"),
        "peer": request.peer,
    }
    responder.answer(200, PLAIN, json.dumps(seen).encode())


async def control_app(scope: Any, receive: Any, send: Any) -> None:
    """Stands for the control plane: answers with what arrived, by way of ASGI."""
    assert scope["type"] == "http"
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    seen = {"asgi": True, "path": scope["path"], "query": scope["query_string"].decode(), "size": size}
    body = json.dumps(seen | {"headers": headers}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


class Answer:
    """One response as read from the socket; `complete` is false when the connection broke off in it."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes, complete: bool) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.complete = complete

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """A raw connection: sends bytes as told and reads responses."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
        await self.writer.drain()

    async def answer(self, method: str = "GET") -> Answer:
        """The next response, informational ones skipped. Raises IncompleteReadError when none comes."""
        async with asyncio.timeout(30):
            return await self._answer(method)

    async def _answer(self, method: str) -> Answer:
        status, headers = await self.head()
        while status < 200:
            status, headers = await self.head()
        try:
            if method == "HEAD" or status in {204, 304}:
                body = b""
            elif headers.get("transfer-encoding") == "chunked":
                return Answer(status, headers, await self._chunked(), True)
            elif "content-length" in headers:
                body = await self.reader.readexactly(int(headers["content-length"]))
            else:
                body = await self.reader.read()
        except (asyncio.IncompleteReadError, ConnectionResetError) as failure:
            partial = failure.partial if isinstance(failure, asyncio.IncompleteReadError) else b""
            return Answer(status, headers, partial, False)
        return Answer(status, headers, body, True)

    async def head(self) -> tuple[int, dict[str, str]]:
        raw = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = raw.split("\r\n")[:-2]
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            assert name not in headers, f"{name} appears twice"
            headers[name] = value
        assert first.startswith("HTTP/1.1 ")
        return int(first.split(" ")[1]), headers

    async def _chunked(self) -> bytes:
        body = b""
        while size := int((await self.reader.readuntil(b"\r\n")).strip(), 16):
            body += (await self.reader.readexactly(size + 2))[:-2]
        assert await self.reader.readexactly(2) == b"\r\n"
        return body

    async def at_end(self) -> bool:
        """Whether the server closes without sending more; waits for it."""
        async with asyncio.timeout(30):
            try:
                return await self.reader.read(1) == b""
            except ConnectionResetError:
                return True

    def leave(self) -> None:
        self.writer.transport.abort()

    def reset(self) -> None:
        """Leave with RST, of which the server hears nothing but the loss."""
        connected = self.writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.leave()


class Served:
    """A running server."""

    def __init__(self, server: uvicorn.Server, port: int) -> None:
        self.server = server
        self.port = port
        self._stopping: asyncio.Task[None] | None = None
        self._clients: list[Client] = []

    async def connect(self, receive_buffer: int | None = None) -> Client:
        connection = socket.socket()
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=connection, limit=2**16)
        client = Client(reader, writer)
        self._clients.append(client)
        return client

    async def ask(self, raw: bytes, method: str = "GET") -> Answer:
        """One request on a connection of its own."""
        client = await self.connect()
        await client.send(raw)
        answer = await client.answer(method)
        client.leave()
        return answer

    @property
    def connections(self) -> list[DataPlaneProtocol]:
        return [each for each in self.server.server_state.connections if isinstance(each, DataPlaneProtocol)]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something inside the server that no event tells."""
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.002)

    def stop(self) -> "asyncio.Task[None]":
        """Begin a graceful shutdown, as SIGTERM does; the task ends with it."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self.server.shutdown())
        return self._stopping

    async def close(self) -> None:
        """Stop at once, unless the test has begun a graceful shutdown, which is awaited."""
        for client in self._clients:
            client.leave()
        if self._stopping is not None:
            await self._stopping
        for server in self.server.servers:
            server.close()
        for connection in self.server.server_state.connections:
            connection.transport.abort()
        for task in self.server.server_state.tasks:
            task.cancel()
        await self.until(lambda: not self.server.server_state.connections and not self.server.server_state.tasks)


Serve = Callable[..., Awaitable[Served]]


@asynccontextmanager
async def serving(http: Any, app: Any, options: dict[str, Any]) -> AsyncGenerator[Served]:
    options = {"timeout_keep_alive": 5, "timeout_graceful_shutdown": 10} | options
    config = uvicorn.Config(
        app,
        "127.0.0.1",
        0,
        http=http,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        **options,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    await server.on_tick(0)
    served = Served(server, server.servers[0].sockets[0].getsockname()[1])
    try:
        yield served
    finally:
        await served.close()


def post(path: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: ownkey.test", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: ownkey.test", *headers]).encode("latin-1") + b"\r\n\r\n"
