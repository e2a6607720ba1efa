"""Response heads as bytes, checked so that no header value can start a new line."""

import re
from http import HTTPStatus

from ownkey.gateway.edge.exchange import HeaderList

_STATUS_LINES = {status: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode("ascii")) for status in HTTPStatus}
_TOKEN = re.compile(rb"[a-z0-9!#$%&'*+.^_`|~-]+")
_OURS = frozenset({b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"upgrade", b"trailer"})
_CONTROLS = bytes(byte for byte in range(32) if byte != 9) + b"\x7f"
_KNOWN_LIMIT = 1024


class Heads:
    """Renders the heads of one server's answers. `fixed` fields (date, server) go into each."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self._fixed: HeaderList = ()
        self._fixed_block = b""

    def render(self, status: int, headers: HeaderList, fixed: HeaderList, framing: bytes) -> bytes:
        """The head with its closing empty line; `framing` is a block of complete lines of our own.

        Raises ValueError for an unfit status, name or value, and for the fields that are ours to set.
        """
        known = self._known
        for name, _ in headers:
            if name not in known:
                self._learn(name)
        block = b"\r\n".join([b": ".join(field) for field in headers])
        if len(block.translate(None, _CONTROLS)) + 2 * (len(headers) - 1) != len(block) and headers:
            raise ValueError("A header value holds a control character.")
        if fixed is not self._fixed:
            self._fixed = fixed
            self._fixed_block = b"".join([b"%b: %b\r\n" % field for field in fixed])
        end = b"\r\n\r\n" if headers else b"\r\n"
        return b"".join((_status_line(status), self._fixed_block, framing, block, end))

    def _learn(self, name: bytes) -> None:
        if _TOKEN.fullmatch(name) is None:
            raise ValueError("A header name is no lower-case token.")
        if name in _OURS:
            raise ValueError(f"The header {name.decode('ascii')} is set by the server.")
        if len(self._known) < _KNOWN_LIMIT:
            self._known.add(name)


def _status_line(status: int) -> bytes:
    line = _STATUS_LINES.get(status)  # pyright: ignore[reportArgumentType, reportCallIssue] (an int equals its HTTPStatus)
    if status < 200 or status > 599:
        raise ValueError("The status of an answer lies between 200 and 599.")
    return line or b"HTTP/1.1 %d \r\n" % status
