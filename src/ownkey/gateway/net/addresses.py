"""Which IP addresses a request may reach. Our own table, decided by exclusion.

`ipaddress.is_global` alone is not enough: it passes 64:ff9b::a9fe:a9fe, 2002:a9fe:a9fe::1 and
168.63.129.16. Sources: the IANA special-purpose address registries (RFC 6890 and successors),
RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo), RFC 5214 (ISATAP), RFC 2765 (SIIT), and the
metadata addresses of the large clouds.
"""

from collections.abc import Iterator
from enum import IntEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPAddress = IPv4Address | IPv6Address


class Reach(IntEnum):
    """How far an address may be used; the larger value wins when several apply."""

    PUBLIC = 0
    """Anyone's request may go there."""
    PRIVATE = 1
    """Only where the operator configured or allow-listed the endpoint."""
    FORBIDDEN = 2
    """Nobody: no model is served there, and a metadata service may be."""


_FORBIDDEN_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host; many systems connect 0.0.0.0 to loopback
        "100.100.100.200/32",  # Alibaba metadata
        "168.63.129.16/32",  # Azure host agent
        "169.254.0.0/16",  # link-local with the metadata of AWS, GCP, Azure, ECS, EKS
        "192.0.0.192/32",  # Oracle metadata
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and limited broadcast
    )
)

_PRIVATE_V4 = tuple(
    IPv4Network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.0.0.0/24",  # IETF protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
    )
)

_FORBIDDEN_V6 = tuple(
    IPv6Network(text)
    for text in (
        "::/128",
        "100::/64",  # discard
        "100:0:0:1::/64",  # dummy prefix
        "fd00:ec2::/32",  # AWS metadata, DNS and time
        "fd20:ce::254/128",  # GCP metadata
        "fe80::/10",  # link-local
        "ff00::/8",  # multicast
    )
)

# Unicast that is not private is allocated from 2000::/3 only; everything else is private by default.
_GLOBAL_V6 = IPv6Network("2000::/3")

_PRIVATE_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # IETF assignments: Teredo, benchmarking, AMT, AS112, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # 6bone, returned
        "3fff::/20",  # documentation
    )
)

_LOOPBACK_V6 = IPv6Address(1)
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
_LOW_32_BITS = (
    IPv6Network("::/96"),  # IPv4-compatible
    _MAPPED,
    IPv6Network("::ffff:0:0:0/96"),  # IPv4-translated
    _NAT64,
)
_SIX_TO_FOUR = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")
_ISATAP_IDS = (0x00005EFE, 0x02005EFE)


def reach(address: IPAddress) -> Reach:
    """Classify an address, the IPv4 addresses it carries included."""
    if isinstance(address, IPv4Address):
        return _reach_v4(address)
    carried = [_reach_v4(inner) for inner in embedded(address)]
    if address in _MAPPED or address in _NAT64:
        # These are other spellings of an IPv4 address and reach exactly it.
        return max(carried)
    return max([_reach_v6(address), *carried])


def embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    """Every IPv4 address that a kernel, tunnel or translator may take out of an IPv6 address."""
    if address == _LOOPBACK_V6:
        return  # lies in the IPv4-compatible block without being one
    number = int(address)
    if any(address in network for network in _LOW_32_BITS):
        yield IPv4Address(number & 0xFFFFFFFF)
    if address in _NAT64_LOCAL:
        yield from _rfc6052(number)
    if address in _SIX_TO_FOUR:
        yield IPv4Address(number >> 80 & 0xFFFFFFFF)
    if address in _TEREDO:
        yield IPv4Address(number >> 64 & 0xFFFFFFFF)  # the server
        yield IPv4Address(~number & 0xFFFFFFFF)  # the client, stored inverted
    if number >> 32 & 0xFFFFFFFF in _ISATAP_IDS:
        yield IPv4Address(number & 0xFFFFFFFF)


def _rfc6052(number: int) -> Iterator[IPv4Address]:
    """The positions RFC 6052 section 2.2 gives for prefixes of 48, 56, 64 and 96 bits.

    Bits 64 to 71 are zero and skipped. A candidate in 0.0.0.0/8 is padding, not a destination.
    """
    octets = number.to_bytes(16, "big")
    for candidate in (
        octets[6:8] + octets[9:11],
        octets[7:8] + octets[9:12],
        octets[9:13],
        octets[12:16],
    ):
        if candidate[0]:
            yield IPv4Address(candidate)


def _reach_v4(address: IPv4Address) -> Reach:
    if any(address in network for network in _FORBIDDEN_V4):
        return Reach.FORBIDDEN
    if any(address in network for network in _PRIVATE_V4):
        return Reach.PRIVATE
    return Reach.PUBLIC


def _reach_v6(address: IPv6Address) -> Reach:
    if any(address in network for network in _FORBIDDEN_V6):
        return Reach.FORBIDDEN
    if address not in _GLOBAL_V6 or any(address in network for network in _PRIVATE_V6):
        return Reach.PRIVATE
    return Reach.PUBLIC
