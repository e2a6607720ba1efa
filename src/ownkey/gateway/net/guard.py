"""Decide, before every connection, whether this request may reach that address.

Three cases. A *trusted* request goes where the operator configured; an allow-listed endpoint is a
private host and port the operator opened to users; everything else is public only. In none of them
may a request reach a forbidden address (link-local, metadata, multicast, unspecified).
"""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Self

from ownkey.domain.errors import InvalidRequest
from ownkey.gateway.net.addresses import IPAddress, Reach, reach
from ownkey.gateway.net.errors import AddressBlocked
from ownkey.gateway.net.target import Target


class AddressGuard:
    """Holds the allow-list: exact (host, port) pairs, hosts in the normal form of `Target.host`."""

    __slots__ = ("_allowed",)

    def __init__(self, allowed_private: frozenset[tuple[str, int]] = frozenset()) -> None:
        self._allowed = allowed_private

    @classmethod
    def of(cls, endpoints: Iterable[str]) -> Self:
        """Build from texts such as `localhost:11434`, `10.0.0.5:8000` or `[fd12::1]:8000`.

        Raises InvalidRequest for one that is not exactly a host and a port.
        """
        return cls(frozenset(_read_endpoint(text) for text in endpoints))

    def check_url(self, url: str, *, trusted: bool = False, param: str = "base_url") -> Target:
        """Parse a URL and refuse what can be refused without asking the network.

        Raises InvalidRequest or AddressBlocked. Passing proves nothing for a name: its addresses
        are checked on each connect.
        """
        target = Target.parse(url, param)
        if target.address is not None:
            self.check_address(target.address, target, trusted=trusted)
        else:
            self.check_name(target, trusted=trusted)
        return target

    def check_name(self, target: Target, *, trusted: bool = False) -> None:
        """Refuse the names that mean this machine by definition (RFC 6761), whatever a resolver says."""
        local = target.host == "localhost" or target.host.endswith(".localhost")
        if local and not trusted and not self._allows(target):
            raise _blocked(target, "a local name")

    def check_address(self, address: str | IPAddress, target: Target, *, trusted: bool = False) -> IPAddress:
        """Return the address a connection for `target` may be opened to, or raise AddressBlocked."""
        if isinstance(address, str):
            if "%" in address:
                raise _blocked(target, f"{address} is scoped to a link")
            try:
                address = ip_address(address)
            except ValueError as error:
                raise _blocked(target, "the resolver answered something that is not an address") from error
        allowed = Reach.PRIVATE if trusted or self._allows(target) else Reach.PUBLIC
        found = reach(address)
        if found > allowed:
            raise _blocked(target, f"{address} is {found.name.lower()}")
        return address

    def _allows(self, target: Target) -> bool:
        return (target.host, target.port) in self._allowed


def _read_endpoint(text: str) -> tuple[str, int]:
    param = "allow_private_endpoints"
    host, separator, port = text.strip().rpartition(":")
    if not separator or not port.isascii() or not port.isdigit() or "/" in host or "?" in host:
        raise InvalidRequest(f"Write an endpoint as host:port, not {text!r}.", param=param)
    target = Target.parse(f"http://{host}:{port}", param)
    return target.host, target.port


def _blocked(target: Target, detail: str) -> AddressBlocked:
    # The public text leaves the address out: it would tell a user what names mean inside the network.
    return AddressBlocked(
        "This address is private, local or reserved. The operator can open a private endpoint by its host and port.",
        origin=target.label,
        detail=detail,
    )
