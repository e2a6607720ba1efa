"""Open a connection: resolve, check every address, connect to a checked one, start TLS."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from itertools import zip_longest
from time import monotonic

from ownkey.gateway.batching import WriteBatch
from ownkey.gateway.net.addresses import IPAddress
from ownkey.gateway.net.connection import Connection
from ownkey.gateway.net.errors import ConnectFailed, Stage, TimedOut, TlsFailed
from ownkey.gateway.net.guard import AddressGuard
from ownkey.gateway.net.resolver import Resolver
from ownkey.gateway.net.settings import NetSettings
from ownkey.gateway.net.target import Target


class Dialler:
    """Opens connections under the rules of one guard.

    The socket is connected by us to a numeric address that the guard has just seen; the name is
    used for SNI and for the certificate only. So a second DNS answer cannot change the destination.
    """

    def __init__(
        self,
        guard: AddressGuard,
        resolver: Resolver,
        tls: ssl.SSLContext,
        settings: NetSettings,
        batch: WriteBatch,
    ) -> None:
        self._guard = guard
        self._resolver = resolver
        self._tls = tls
        self._settings = settings
        self._batch = batch

    async def dial(self, target: Target, *, trusted: bool, seconds: float) -> Connection:
        """Return an open connection within `seconds`, TLS included.

        Raises AddressBlocked, ConnectFailed, TlsFailed or TimedOut, none of them `sent`.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + seconds
        began = monotonic()  # Finer than the loop's clock, which counts whole milliseconds under uvloop.
        try:
            async with asyncio.timeout_at(ends_at):
                addresses = await self._resolve(target, trusted=trusted)
                sock = await self._connect(target, addresses, ends_at)
                connection = await self._start(target, sock)
        except TimeoutError:
            raise TimedOut(Stage.CONNECT, origin=target.label) from None
        connection.opened_in = monotonic() - began
        return connection

    async def _resolve(self, target: Target, *, trusted: bool) -> list[IPAddress]:
        if target.address is not None:
            return [self._guard.check_address(target.address, target, trusted=trusted)]
        self._guard.check_name(target, trusted=trusted)
        try:
            answers = await self._resolver(target.host, target.port)
        except OSError as error:
            raise _failed(target, f"the name does not resolve ({type(error).__name__})") from error
        # One forbidden address condemns the whole answer: nobody honest mixes them.
        checked = [self._guard.check_address(answer, target, trusted=trusted) for answer in answers]
        if not checked:
            raise _failed(target, "the name has no address")
        return _interleaved(checked)[: self._settings.max_addresses_tried]

    async def _connect(self, target: Target, addresses: Sequence[IPAddress], ends_at: float) -> socket.socket:
        loop = asyncio.get_running_loop()
        refusals: list[str] = []
        last = len(addresses) - 1
        for index, address in enumerate(addresses):
            try:
                if index == last:
                    return await _open_socket(loop, address, target.port)
                # Each address gets its share of the time left, so that a silent one leaves some for the next.
                async with asyncio.timeout((ends_at - loop.time()) / (len(addresses) - index)):
                    return await _open_socket(loop, address, target.port)
            except OSError as error:
                refusals.append(f"{address}: {error.strerror or type(error).__name__}")
        if loop.time() >= ends_at - 0.001:
            raise TimedOut(Stage.CONNECT, origin=target.label, detail="; ".join(refusals))
        raise _failed(target, "; ".join(refusals))

    async def _start(self, target: Target, sock: socket.socket) -> Connection:
        loop = asyncio.get_running_loop()
        secure = target.scheme == "https"
        try:
            _, connection = await loop.create_connection(
                lambda: Connection(loop, self._settings, target.label, self._batch),
                sock=sock,
                ssl=self._tls if secure else None,
                server_hostname=target.host if secure else None,
            )
        except ssl.SSLError as error:
            raise _tls_failed(target, _tls_reason(error)) from error
        except TimeoutError:
            raise
        except OSError as error:
            if secure:
                raise _tls_failed(target, f"closed during the handshake ({type(error).__name__})") from error
            raise _failed(target, type(error).__name__) from error
        return connection


async def _open_socket(loop: asyncio.AbstractEventLoop, address: IPv4Address | IPv6Address, port: int) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    sock = socket.socket(family, socket.SOCK_STREAM)
    connected = False
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, (str(address), port))
        connected = True
    finally:
        if not connected:
            sock.close()
    return sock


def _interleaved(addresses: Sequence[IPAddress]) -> list[IPAddress]:
    """Alternate the families, beginning with the resolver's first choice."""
    first = [address for address in addresses if address.version == addresses[0].version]
    second = [address for address in addresses if address.version != addresses[0].version]
    return [address for pair in zip_longest(first, second) for address in pair if address is not None]


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    return error.reason or type(error).__name__


def _tls_failed(target: Target, detail: str) -> TlsFailed:
    return TlsFailed("A secure connection to the provider could not be made.", origin=target.label, detail=detail)


def _failed(target: Target, detail: str) -> ConnectFailed:
    return ConnectFailed("The provider could not be reached.", origin=target.label, detail=detail)
