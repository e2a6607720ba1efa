"""Open a connection: resolve, check every address, connect to a checked one or have the proxy do so, start TLS."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import zip_longest
from time import monotonic

from ownkey.gateway.batching import WriteBatch
from ownkey.gateway.net.addresses import IPAddress
from ownkey.gateway.net.connection import Connection
from ownkey.gateway.net.egress import EgressProxy, authority
from ownkey.gateway.net.errors import ConnectFailed, ProxyFailed, Stage, TimedOut, TlsFailed
from ownkey.gateway.net.guard import AddressGuard
from ownkey.gateway.net.resolver import Resolver
from ownkey.gateway.net.settings import NetSettings
from ownkey.gateway.net.target import Target
from ownkey.gateway.net.tunnel import open_tunnel

_PROXY_TRIED = 500
"""From this status on, the proxy tried to reach an address and failed: another address may do."""


class Dialler:
    """Opens connections under the rules of one guard.

    The socket is connected by us to a numeric address that the guard has just seen; the name is
    used for SNI and for the certificate only. So a second DNS answer cannot change the destination.
    An egress proxy is told the checked address too; only the names of the operator's own addresses
    are resolved by it (docs/decisions/0013-egress-proxy.md).
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

        Raises AddressBlocked, ConnectFailed, ProxyFailed, TlsFailed or TimedOut, none of them `sent`.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + seconds
        began = monotonic()  # Finer than the loop's clock, which counts whole milliseconds under uvloop.
        proxy = self._settings.egress_proxy
        if proxy is not None and not proxy.serves(target):
            proxy = None
        awaited = proxy
        try:
            async with asyncio.timeout_at(ends_at):
                if proxy is None:
                    sock = await self._connect(target, await self._resolve(target, trusted=trusted), ends_at)
                else:
                    sock = await self._tunnel(target, proxy, trusted=trusted, ends_at=ends_at)
                awaited = None
                connection = await self._start(target, sock)
        except TimeoutError as error:
            raise _timed_out(target, awaited, str(error)) from None
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

    async def _tunnel(self, target: Target, proxy: EgressProxy, *, trusted: bool, ends_at: float) -> socket.socket:
        """A socket to the target through the proxy, which the operator vouches for: its address is not checked."""
        if trusted and target.address is None:
            destinations = [authority(target.host, target.port)]
        else:
            addresses = await self._resolve(target, trusted=trusted)
            destinations = [authority(str(address), target.port) for address in addresses]
        for destination in destinations[:-1]:
            try:
                return await self._tunnel_to(destination, target, proxy, ends_at)
            except ProxyFailed as error:
                if error.proxy_status < _PROXY_TRIED:
                    raise
        return await self._tunnel_to(destinations[-1], target, proxy, ends_at)

    async def _tunnel_to(self, destination: str, target: Target, proxy: EgressProxy, ends_at: float) -> socket.socket:
        try:
            answers = [proxy.address] if proxy.address else await self._resolver(proxy.host, proxy.port)
            found = _interleaved([ip_address(answer) for answer in answers])[: self._settings.max_addresses_tried]
            sock = await _connect_to_one(found, proxy.port, ends_at)
        except TimeoutError:
            raise
        except (OSError, ValueError) as error:
            text = f"The egress proxy {proxy.label} could not be reached."
            raise ProxyFailed(text, origin=target.label, detail=f"{text} {error}") from error
        opened = False
        try:
            await open_tunnel(sock, destination, proxy, target)
            opened = True
        finally:
            if not opened:
                sock.close()
        return sock

    async def _connect(self, target: Target, addresses: Sequence[IPAddress], ends_at: float) -> socket.socket:
        try:
            return await _connect_to_one(addresses, target.port, ends_at)
        except TimeoutError:
            raise
        except OSError as error:
            raise _failed(target, str(error)) from error

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


async def _connect_to_one(addresses: Sequence[IPAddress], port: int, ends_at: float) -> socket.socket:
    """Connect to the first address that answers. Raises TimeoutError or OSError, which say what each address did."""
    loop = asyncio.get_running_loop()
    refusals: list[str] = []
    last = len(addresses) - 1
    for index, address in enumerate(addresses):
        try:
            if index == last:
                return await _open_socket(loop, address, port)
            # Each address gets its share of the time left, so that a silent one leaves some for the next.
            async with asyncio.timeout((ends_at - loop.time()) / (len(addresses) - index)):
                return await _open_socket(loop, address, port)
        except OSError as error:
            refusals.append(f"{address}: {error.strerror or type(error).__name__}")
    told = "; ".join(refusals) or "the name has no address"
    raise TimeoutError(told) if loop.time() >= ends_at - 0.001 else OSError(told)


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


def _timed_out(target: Target, proxy: EgressProxy | None, detail: str) -> TimedOut:
    whose = "The provider" if proxy is None else f"The egress proxy {proxy.label}"
    return TimedOut(Stage.CONNECT, origin=target.label, detail=detail, whose=whose)


def _failed(target: Target, detail: str) -> ConnectFailed:
    return ConnectFailed("The provider could not be reached.", origin=target.label, detail=detail)
