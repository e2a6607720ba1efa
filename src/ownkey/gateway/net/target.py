"""Where a request goes: a URL parsed once, by one strict parser, for every part that needs it."""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Self

from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.gateway.net.host import read_host

MAX_URL_LENGTH = 8192
_DEFAULT_PORTS = {"http": 80, "https": 443}

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?P<host>\[[^\]\[]*\]|[^/?#:\[\]@]*)"
    r"(?P<port>:[^/?#@]*)?"
    r"(?P<path>/[^?#]*)?"
    r"(?P<query>\?[^#]*)?",
)
_PORT = re.compile(r":([1-9][0-9]{0,4})")
# RFC 3986 pchar, "/" and, in the query, "?". A percent sign is followed by two hexadecimal digits.
_PATH = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_QUERY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
_DOT_SEGMENT = re.compile(r"(?:\.|%2[eE]){1,2}(?:;.*)?")
_PRINTABLE = re.compile(r"[^\x00-\x20\x7f-\xa0\\]*")

Origin = tuple[str, str, int]


class Target(Struct, frozen=True, repr_omit_defaults=False):
    """A place to send a request to, in normal form.

    `host` is an ASCII name or an address without brackets, `address` the address when the URL
    gives one instead of a name. `path` is the request target in origin form: path and query.
    `start` is what follows the method in every request there. The representation leaves the path
    out, because a query may hold a key.
    """

    scheme: str
    host: str
    port: int
    path: bytes
    address: IPv4Address | IPv6Address | None
    origin: Origin
    start: bytes

    @classmethod
    def parse(cls, url: str, param: str = "base_url") -> Self:
        """Parse an absolute http or https URL.

        Raises InvalidRequest, naming `param`, for everything else: user information, a fragment,
        white space and control characters, dot segments, odd spellings of an address, and so on.
        """
        if len(url) > MAX_URL_LENGTH:
            raise InvalidRequest("The URL is too long.", param=param)
        if _PRINTABLE.fullmatch(url) is None:
            raise InvalidRequest("The URL holds white space, a control character or a backslash.", param=param)
        match = _URL.fullmatch(url)
        if match is None:
            raise InvalidRequest(
                "The URL must look like https://host/path, without user name, password or fragment.", param=param
            )
        scheme = match["scheme"].lower()
        if scheme not in _DEFAULT_PORTS:
            raise InvalidRequest("The URL must start with https:// or http://.", param=param)
        host, address = read_host(match["host"], param)
        port = _read_port(match["port"], scheme, param)
        shown = f"[{host}]" if ":" in host else host
        header = shown if port == _DEFAULT_PORTS[scheme] else f"{shown}:{port}"
        request_target = _read_path(match["path"] or "/", match["query"] or "", param)
        return cls(
            scheme=scheme,
            host=host,
            port=port,
            path=request_target,
            address=address,
            origin=(scheme, host, port),
            start=b" %b HTTP/1.1\r\nhost: %b\r\naccept-encoding: identity" % (request_target, header.encode("ascii")),
        )

    @property
    def label(self) -> str:
        """`scheme://host:port`, for logs and errors."""
        return f"{self.scheme}://[{self.host}]:{self.port}" if ":" in self.host else "{}://{}:{}".format(*self.origin)

    @property
    def url(self) -> str:
        """The whole address, its port always written out."""
        return self.label + self.path.decode("ascii")

    def __repr__(self) -> str:
        return f"Target({self.label})"

    __str__ = __repr__


def _read_port(text: str | None, scheme: str, param: str) -> int:
    if text is None:
        return _DEFAULT_PORTS[scheme]
    match = _PORT.fullmatch(text)
    port = int(match[1]) if match else 0
    if not 1 <= port <= 65535:
        raise InvalidRequest("The port in the URL must be a number from 1 to 65535.", param=param)
    return port


def _read_path(path: str, query: str, param: str) -> bytes:
    if _PATH.fullmatch(path) is None or _QUERY.fullmatch(query) is None:
        raise InvalidRequest("The path of the URL holds a character that must be percent-encoded.", param=param)
    if path.startswith("//"):
        # Some servers read an origin form of this kind as an authority.
        raise InvalidRequest("The path of the URL must not start with two slashes.", param=param)
    if any(_DOT_SEGMENT.fullmatch(segment) for segment in path.split("/")):
        raise InvalidRequest("The path of the URL must not hold `.` or `..`.", param=param)
    return (path + query).encode("ascii")
