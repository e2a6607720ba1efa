"""An HTTP proxy on a loopback socket that opens tunnels to wherever `places` says, and notes what it heard."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress

from tests.net.hostile import HostileServer, Peer


class ConnectProxy(HostileServer):
    """`places` maps `host:port` as asked for to the loopback port it stands for; anything else gets a 502.

    `user` is what a client has to authenticate with (`name:password`), None for a proxy that asks for nothing.
    """

    def __init__(self, places: Mapping[str, int], user: str | None = None) -> None:
        super().__init__(self._tunnel)
        self._places = places
        self._wanted = None if user is None else b"Basic " + b64encode(user.encode())
        self.asked: list[str] = []
        self.heads: list[bytes] = []

    async def _tunnel(self, peer: Peer) -> None:
        head = await peer.reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        line, *fields = head.split(b"\r\n")
        method, destination, version = line.decode().split(" ")
        assert (method, version) == ("CONNECT", "HTTP/1.1")
        self.asked.append(destination)
        if self._wanted is not None and b"proxy-authorization: " + self._wanted not in fields:
            await peer.send(
                b'HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm="x"\r\n\r\n'
            )
            return
        port = self._places.get(destination)
        if port is None:
            await peer.send(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nno")
            return
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await peer.send(b"HTTP/1.1 200 Connection established\r\nvia: 1.1 proxy\r\n\r\n")
            await asyncio.gather(_copy(peer.reader, writer), _copy(reader, peer.writer))
        finally:
            writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
