"""A server that does on the wire exactly what a test scripts, and a canary that must hear nothing.

It speaks no HTTP by itself: a script gets a `Peer` per connection and sends raw bytes, stalls,
resets or closes. What goes wrong in a script is raised when the server stops, unless it is only
that the client closed the connection.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Self

from ownkey.gateway.net import AddressGuard, NetSettings, Target, Timeouts, UpstreamClient, UpstreamRequest
from ownkey.gateway.net.resolver import Resolver
from ownkey.gateway.net.tls import client_context

Script = Callable[["Peer"], Awaitable[None]]

QUICK = NetSettings(connect_timeout=60, first_byte_timeout=100, idle_timeout=100, total_timeout=150)
SHORT = 0.08
"""Seconds of a time limit that a test expects to run out."""


class Peer:
    """The server's side of one connection. `index` counts connections from 0."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, index: int) -> None:
        self.reader = reader
        self.writer = writer
        self.index = index

    async def request(self) -> bytes:
        """Read one request, head and body. Raises IncompleteReadError when the client closes instead."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return head + await self.reader.readexactly(length)

    async def send(self, *pieces: bytes) -> None:
        """Send each piece by itself: the next leaves when the kernel has taken the one before."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def answer(self, *pieces: bytes) -> bytes:
        """Read a request and send these pieces; return the request."""
        asked = await self.request()
        await self.send(*pieces)
        return asked

    async def closed(self) -> None:
        """Wait until the client has closed its side, however."""
        try:
            while await self.reader.read(65536):
                pass
        except (ConnectionError, ssl.SSLError):
            pass

    def reset(self) -> None:
        """Close with a TCP reset."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    def cut(self) -> None:
        """End the TCP stream at once; under TLS without close_notify."""
        self.writer.transport.abort()


class HostileServer:
    """Listens on a free port of the loopback address and runs `script` for every connection."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._tasks: list[asyncio.Task[None]] = []
        self._peers: list[Peer] = []
        self.connections = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        for peer in self._peers:
            peer.writer.transport.abort()
        for result in results:
            if isinstance(result, Exception):
                raise result

    def url(self, path: str = "/v1/x", host: str = "127.0.0.1") -> str:
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}{path}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer, self.connections)
        self.connections += 1
        self._peers.append(peer)
        self._tasks.append(asyncio.create_task(self._serve(peer)))

    async def _serve(self, peer: Peer) -> None:
        try:
            await self._script(peer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            peer.writer.close()


@asynccontextmanager
async def canary() -> AsyncGenerator[HostileServer]:
    """A listener that no request may reach; on leaving, not one connection may have come."""

    async def note(peer: Peer) -> None:
        await peer.closed()

    async with HostileServer(note) as server:
        yield server
        assert server.connections == 0, "the canary was reached"


@cache
def _system_tls() -> ssl.SSLContext:
    """Reading the system's authorities takes longer than most tests here."""
    return client_context()


@asynccontextmanager
async def client_of(
    guard: AddressGuard | None = None,
    settings: NetSettings = QUICK,
    *,
    resolver: Resolver | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncGenerator[UpstreamClient]:
    client = UpstreamClient(guard or AddressGuard(), settings, resolver=resolver, tls=tls or _system_tls())
    try:
        yield client
    finally:
        await client.close()


def ask(
    server: HostileServer,
    method: bytes = b"POST",
    body: bytes = b"{}",
    *,
    headers: Sequence[tuple[bytes, bytes]] = (),
    host: str = "127.0.0.1",
    trusted: bool = True,
    timeouts: Timeouts | None = None,
) -> UpstreamRequest:
    """A request for the server; trusted, since it listens on loopback."""
    target = Target.parse(server.url(host=host))
    return UpstreamRequest(method, target, list(headers), body, trusted=trusted, timeouts=timeouts)


def sized(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    """A response with a content-length."""
    lines = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


def chunked(*chunks: bytes, trailer: bytes = b"") -> bytes:
    """A response in chunks."""
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + framed + b"0\r\n" + trailer + b"\r\n"
