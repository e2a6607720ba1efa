"""The operator's egress proxy: where it is, what it asks for, and which targets are reached without it."""

import re
from base64 import b64encode
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Self
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.gateway.net.addresses import IPAddress
from ownkey.gateway.net.host import read_host
from ownkey.gateway.net.target import Target

_PARAM = "egress_proxy"
_EXCEPT = "egress_proxy_except"
_SHAPE = "Write the proxy as http://host:port or http://user:password@host:port, the password percent-encoded."
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*(?=://)", re.IGNORECASE)
_PLACE = re.compile(r"(?P<host>\[[^\]\[]*\]|[^/?#:\[\]@\s]+):(?P<port>[1-9][0-9]{0,4})/?")
_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\]\[]*\]|[^:\[\]]+)(?::(?P<port>[1-9][0-9]{0,4}))?")


class Exempt(Struct, frozen=True):
    """One exception: a host with everything below it, or a network; at every port unless one is named."""

    name: str | None
    network: IPv4Network | IPv6Network | None
    port: int | None

    def matches(self, target: Target) -> bool:
        """A network matches addresses in URLs only: what a name resolves to may be known to the proxy alone."""
        if self.port is not None and self.port != target.port:
            return False
        if target.address is not None:
            address = getattr(target.address, "ipv4_mapped", None) or target.address
            return self.network is not None and address in self.network
        return self.name is not None and (target.host == self.name or target.host.endswith(f".{self.name}"))


class EgressProxy(Struct, frozen=True):
    """An HTTP proxy that opens tunnels (CONNECT, RFC 9110 section 9.3.6). `credentials` is the value of
    Proxy-Authorization (Basic, RFC 7617), empty for a proxy that asks for none. The representation hides it."""

    host: str
    port: int
    address: IPAddress | None
    credentials: bytes
    exempt: tuple[Exempt, ...] = ()

    @classmethod
    def of(cls, url: str, exceptions: Iterable[str] = ()) -> Self:
        """Read the settings. Raises InvalidRequest, which never quotes the URL: it may hold a password."""
        scheme = _SCHEME.match(url)
        if scheme is not None and scheme[0].lower() != "http":
            text = "Only http:// proxies are supported. TLS to the provider runs inside the tunnel all the same."
            raise InvalidRequest(text, param=_PARAM)
        rest = url if scheme is None else url[scheme.end() + 3 :]
        user_info, at, place = rest.rpartition("@")
        match = _PLACE.fullmatch(place)
        if match is None or int(match["port"]) > 65535:
            raise InvalidRequest(_SHAPE, param=_PARAM)
        host, address = read_host(match["host"], _PARAM)
        credentials = b"Basic " + b64encode(_user_and_password(user_info)) if at else b""
        return cls(host, int(match["port"]), address, credentials, tuple(_exempt(entry) for entry in exceptions))

    @property
    def label(self) -> str:
        """`host:port`, for errors and logs."""
        return authority(self.host, self.port)

    def serves(self, target: Target) -> bool:
        """Whether connections for `target` go through the proxy."""
        return not any(exempt.matches(target) for exempt in self.exempt)

    def __repr__(self) -> str:
        return f"EgressProxy({self.label})"

    __str__ = __repr__


def authority(host: str, port: int) -> str:
    """`host:port`, IPv6 addresses in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _user_and_password(user_info: str) -> bytes:
    user, colon, password = user_info.partition(":")
    user_id = unquote_to_bytes(user)
    if not user or not colon or b":" in user_id:
        raise InvalidRequest(_SHAPE, param=_PARAM)
    return user_id + b":" + unquote_to_bytes(password)


def _exempt(entry: str) -> Exempt:
    try:
        return Exempt(None, ip_network(entry.strip("[]")), None)
    except ValueError:
        pass
    match = _HOST_AND_PORT.fullmatch(entry.removeprefix("*").removeprefix("."))
    port = int(match["port"]) if match is not None and match["port"] else None
    if match is None or (port is not None and port > 65535) or "/" in entry:
        text = f"{entry!r} is no host, domain or network, for example models.internal, .example.com or 10.0.0.0/8."
        raise InvalidRequest(text, param=_EXCEPT)
    try:
        host, address = read_host(match["host"], _EXCEPT)
    except InvalidRequest as error:
        raise InvalidRequest(f"{entry!r}: {error.public}", param=_EXCEPT) from None
    return Exempt(None if address is not None else host, None if address is None else ip_network(address), port)
