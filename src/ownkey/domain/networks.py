"""IP addresses and the networks they lie in, as texts that people wrote. What cannot be read matches nothing."""

from collections.abc import Iterable
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
    """Whether the address lies in one of the networks (CIDR notation, or single addresses)."""
    return address is not None and any(_contains(network, address) for network in networks)


def _contains(network: str, address: IPAddress) -> bool:
    try:
        return address in ip_network(network, strict=False)
    except ValueError:
        return False
