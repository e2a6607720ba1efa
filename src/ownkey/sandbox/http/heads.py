"""Heads that have been parsed before. Clients repeat theirs byte for byte, and parsing is half of a small request."""

from ownkey.sandbox.exchange import Head, Request

_END = b"\r\n\r\n"
_LONGEST = 4096
_UNUSUAL = (b"transfer-encoding", b"expect", b"upgrade")


class Heads:
    """Maps the bytes of a head to what the parser made of them, for requests that arrive in one piece.

    The bytes are a key only as a whole, so that what is found is what parsing them again would give.
    """

    def __init__(self, most: int = 1024) -> None:
        self._most = most
        self._known: dict[bytes, Head] = {}

    def find(self, data: bytes) -> Request | None:
        """The request that `data` is, when it is a known head and exactly its body."""
        end = data.find(_END, 0, _LONGEST) + 4
        head = self._known.get(data[:end])
        if head is None or len(data) - end != head.length:
            return None
        return Request(head, data[end:])

    def remember(self, data: bytes, url: bytes, request: Request) -> None:
        """Keep the head of `request`, which the parser read from `data` from its beginning on."""
        head = request.head
        end = data.find(_END, 0, _LONGEST) + 4
        plain = head.keep_alive and head.version_11 and not any(name in head.headers for name in _UNUSUAL)
        if (
            plain
            and data.startswith(b"%b %b HTTP/1.1\r\n" % (head.method, url))
            and data[end:] == request.body
            and head.length == len(request.body)
        ):
            if len(self._known) >= self._most:
                del self._known[next(iter(self._known))]
            self._known[data[:end]] = head
