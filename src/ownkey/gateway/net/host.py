"""Read the host of a URL into one normal form, or refuse it.

Browsers, resolvers and libraries disagree on `0x7f.1`, `2130706433`, `１２７.0.0.1` or a name with a
final dot. Here every host has exactly one spelling; whatever has a second reading is refused, so
that no two parts of the system can see two different hosts in one URL.
"""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import idna

from ownkey.domain.errors import InvalidRequest

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DOTTED_QUAD = re.compile(r"(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){3}")
_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def read_host(text: str, param: str) -> tuple[str, IPv4Address | IPv6Address | None]:
    """Return the host in ASCII without brackets, and its address when it is a literal.

    `param` names the field in the InvalidRequest that refuses a host.
    """
    if text.startswith("["):
        if not text.endswith("]"):
            raise InvalidRequest("The IPv6 address in the URL is not closed.", param=param)
        return _read_ipv6(text[1:-1], param)
    # Only ASCII is lowered: str.lower maps some letters beyond ASCII (the Kelvin sign) into it.
    host = text.translate(_ASCII_LOWER)
    if not host.isascii():
        host = _to_a_labels(host, param)
    elif "xn--" in host:
        _to_a_labels(host, param)
    labels = host.split(".")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        return host, _read_ipv4(host, param)
    if len(host) > 253 or not all(_is_label(label) for label in labels):
        raise InvalidRequest("The host name in the URL is not valid.", param=param)
    return host, None


def _is_label(label: str) -> bool:
    if _LABEL.fullmatch(label) is None:
        return False
    # RFC 5891: two hyphens in third and fourth place are kept for encodings such as xn--.
    return label[2:4] != "--" or label.startswith("xn--")


def _to_a_labels(host: str, param: str) -> str:
    """IDNA 2008 without any mapping: full-width digits or an ideographic full stop are refused."""
    if any(stop in host for stop in "。．｡"):
        raise InvalidRequest("Host names are separated by plain dots.", param=param)
    try:
        return idna.encode(host, strict=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise InvalidRequest("The host name in the URL is not a valid international name.", param=param) from error


def _read_ipv4(host: str, param: str) -> IPv4Address:
    message = "Write an IPv4 address as four decimal numbers, such as 192.0.2.1."
    if _DOTTED_QUAD.fullmatch(host) is None:
        raise InvalidRequest(message, param=param)
    try:
        return IPv4Address(host)
    except AddressValueError as error:
        raise InvalidRequest(message, param=param) from error


def _read_ipv6(text: str, param: str) -> tuple[str, IPv6Address]:
    message = "The IPv6 address in the URL is not valid; zones are not accepted."
    if "%" in text or not text.isascii():
        raise InvalidRequest(message, param=param)
    try:
        address = IPv6Address(text)
    except AddressValueError as error:
        raise InvalidRequest(message, param=param) from error
    return f"{IPv6Address(int(address))!s}", address
