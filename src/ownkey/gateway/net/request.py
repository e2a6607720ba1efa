"""A request for a provider, and its head as bytes."""

import re

from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.gateway.net.settings import Timeouts
from ownkey.gateway.net.target import Target

IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS"})
_METHODS = IDEMPOTENT | {b"POST", b"PUT", b"PATCH", b"DELETE"}
_WITH_LENGTH = frozenset({b"POST", b"PUT", b"PATCH"})
_TOKEN = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROLS = bytes(code for code in range(32) if code != 9) + b"\x7f"
_FIELD = b": ".join
_NAMES_KEPT = 1024

_OURS = frozenset(
    {
        b"accept-encoding",
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Headers that frame the message or belong to one connection: never the caller's to set."""


class UpstreamRequest(Struct, frozen=True):
    """One request. `headers` leave out what the client sets itself: host, lengths, connection.

    `trusted` says that the operator, not a user, configured the target. `timeouts` default to
    those of the client's settings. `timed` asks for `UpstreamResponse.timed_chunk`; by `send` only.
    """

    method: bytes
    target: Target
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    trusted: bool = False
    timeouts: Timeouts | None = None
    prefix: bytes = b""
    """`HeadEncoder.prefix` of the same method, target and headers, where the caller kept it."""
    timed: bool = False

    def __repr__(self) -> str:
        # Headers hold the key and the body what a person wrote.
        return f"UpstreamRequest({self.method.decode('latin-1')} {self.target.label})"

    __str__ = __repr__


class HeadEncoder:
    """Writes request heads and refuses every one that a header value could break out of."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: set[bytes] = set()

    def encode(self, request: UpstreamRequest) -> bytes:
        """Return the head with its final empty line. Raises InvalidRequest, without the value."""
        method, body = request.method, request.body
        prefix = request.prefix or self.prefix(method, request.target, request.headers)
        if body or method in _WITH_LENGTH:
            return b"%bcontent-length: %d\r\n\r\n" % (prefix, len(body))
        return prefix + b"\r\n"

    def prefix(self, method: bytes, target: Target, headers: list[tuple[bytes, bytes]]) -> bytes:
        """The head's lines but for the body's length. Raises InvalidRequest, without the value."""
        names = self._names
        for name, _ in headers:
            if name not in names:
                self._admit(name)
        lines = [method + target.start, *map(_FIELD, headers), b""]
        head = b"\r\n".join(lines)
        # One line end after each entry but the last, and two within the first. Whatever control
        # character is left beyond those came from a value.
        if len(head.translate(None, _CONTROLS)) != len(head) - 2 * (len(lines) + 1):
            raise InvalidRequest("A header value holds a line break or a control character.")
        if method not in _METHODS:
            raise InvalidRequest("This HTTP method cannot be sent.")
        return head

    def _admit(self, name: bytes) -> None:
        if _TOKEN.fullmatch(name) is None:
            raise InvalidRequest("A header name is not valid.")
        if name.lower() in _OURS:
            raise InvalidRequest(f"The header {name.decode('ascii')!r} cannot be set.")
        if len(self._names) < _NAMES_KEPT:
            self._names.add(name)
