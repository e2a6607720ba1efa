"""Addresses of hosts: IP addresses, the networks that contain them, and the client's address behind trusted proxies.

Each proxy appends the address it was called from to `X-Forwarded-For`, so only the right end of the list was written by
a trusted party; what is left of the first untrusted address is whatever the client chose to send. `Forwarded` (RFC
7239) is not read: two headers that could disagree would be a way around the one that the proxy controls.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

IPAddress = IPv4Address | IPv6Address


def read_address(text: str) -> IPAddress | None:
    """The address, unwrapped where a dual-stack socket shows an IPv4 peer as `::ffff:192.0.2.1`; None for none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def lies_in(address: IPAddress | None, networks: Iterable[str]) -> bool:
    """Whether the address is in one of the networks (CIDR notation, or single addresses)."""
    return address is not None and any(_contains(network, address) for network in networks)


def _contains(network: str, address: IPAddress) -> bool:
    try:
        return address in ip_network(network, strict=False)
    except ValueError:
        return False


def proxy_problem(network: str) -> str | None:
    """Why `network` cannot be trusted to be a proxy's, or None.

    Bits outside the mask are rejected as a slip: `10.0.0.5/8` would trust far more than one host.
    """
    try:
        read = ip_network(network)
    except ValueError:
        return f"{network!r} is neither an address nor a network, for example 192.0.2.7 or 10.0.0.0/8"
    return f"{network!r} is every address there is: name your proxies" if read.prefixlen == 0 else None


class TrustedProxies:
    """The networks of trusted proxies; false when there are none."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """Raises ValueError for a text that `proxy_problem` rejects."""
        self._networks = tuple(ip_network(network) for network in networks)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def client_of(self, peer: str, forwarded: Sequence[str]) -> str:
        """The address of the client, given the socket's and the values of all `X-Forwarded-For` fields in order.

        The first address from the right that is no trusted proxy's; the leftmost when all are. The socket's own where
        it is not trusted, and where the trusted part of the list cannot be read.
        """
        address = read_address(peer)
        if address is None or not self._trusts(address):
            return peer
        hops = [hop.strip() for value in forwarded for hop in value.split(",")]
        client = peer
        for hop in reversed(hops):
            address = read_address(hop)
            if address is None:
                return peer
            client = str(address)
            if not self._trusts(address):
                break
        return client

    def _trusts(self, address: IPAddress) -> bool:
        return any(address in network for network in self._networks)
