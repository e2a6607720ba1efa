"""Response heads as bytes, checked so that no header value can start a new line."""

import re
from http import HTTPStatus

from ownkey.gateway.edge.exchange import HeaderList

_PHRASES = {int(status): status.phrase.encode("ascii") for status in HTTPStatus}
_STATUS_LINES = {status: b"HTTP/1.1 %d %b" % (status, _PHRASES.get(status, b"")) for status in range(200, 600)}
_TOKEN = re.compile(rb"[a-z0-9!#$%&'*+.^_`|~-]+")
_OURS = frozenset({b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"upgrade", b"trailer"})
_CONTROLS = bytes(byte for byte in range(32) if byte != 9) + b"\x7f"
_LINE_STARTS_LIMIT = 1024


class _LineStarts(dict[bytes, bytes]):
    """Header name → `\\r\\nname: `, each name checked when it is first seen."""

    __slots__ = ()

    def __missing__(self, name: bytes) -> bytes:
        if _TOKEN.fullmatch(name) is None:
            raise ValueError("A header name is no lower-case token.")
        if name in _OURS:
            raise ValueError(f"The header {name.decode('ascii')} is set by the server.")
        start = b"\r\n%b: " % name
        if len(self) < _LINE_STARTS_LIMIT:
            self[name] = start
        return start


class Heads:
    """Renders the heads of one server's answers."""

    __slots__ = ("_fixed", "_fixed_lines", "_starts")

    def __init__(self) -> None:
        self._starts = _LineStarts()
        self._fixed: HeaderList = ()
        self._fixed_lines = b""

    def render(self, status: int, headers: HeaderList, fixed: HeaderList, framing: bytes) -> bytes:
        """The head with its closing empty line.

        `fixed` (date, server) goes into each and is rendered once for as long as it is the same
        object; `framing` is a block of lines, each ended, of our own making. Raises ValueError for
        an unfit status, name or value, and for the fields that are ours to set.
        """
        starts = self._starts
        block = b"".join([starts[name] + value for name, value in headers])
        if len(block.translate(None, _CONTROLS)) + 2 * len(headers) != len(block):
            raise ValueError("A header value holds a control character.")
        if fixed is not self._fixed:
            self._fixed = fixed
            self._fixed_lines = b"".join([b"\r\n%b: %b" % field for field in fixed])
        line = _STATUS_LINES.get(status)
        if line is None:
            raise ValueError("The status of an answer lies between 200 and 599.")
        return b"".join((line, self._fixed_lines, block, b"\r\n", framing, b"\r\n"))
