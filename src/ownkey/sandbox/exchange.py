"""The values that pass between the server and what it simulates: a request, and the answer to give."""

from collections.abc import Generator
from typing import TypeAlias

from msgspec import Struct

from ownkey.sandbox.keys import KeyIdentity
from ownkey.sandbox.pacing import Pace

Beat: TypeAlias = tuple[int, bytes]
"""One event of a stream: how many tokens it carries (0 or 1) and its bytes."""


class Request:
    """One request as it was received, and what became of it; the debugging log shows these.

    `path` and `query` are raw bytes without the question mark. `headers` have lower-case names;
    repeated ones are joined by commas. `at` is in Unix seconds. `outcome` is one of `received`,
    `answered`, `streaming`, `streamed` and `abandoned` (the client left first).
    """

    __slots__ = (
        "at",
        "body",
        "headers",
        "keep_alive",
        "key",
        "method",
        "number",
        "outcome",
        "path",
        "provider",
        "query",
        "status",
        "tokens_sent",
    )

    def __init__(
        self, method: bytes, path: bytes, query: bytes, headers: dict[bytes, bytes], body: bytes, keep_alive: bool
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.keep_alive = keep_alive
        self.key: KeyIdentity | None = None
        self.provider = ""
        self.number = 0
        self.at = 0.0
        self.status = 0
        self.outcome = "received"
        self.tokens_sent = 0


class Answer(Struct, frozen=True):
    """A whole answer. `head` holds ready header lines, each with its CRLF.

    `delay` is in seconds. With `missing_bytes` the content-length promises that many more bytes
    than are sent, and the connection is closed after them.
    """

    status: int
    head: bytes
    body: bytes
    delay: float = 0.0
    missing_bytes: int = 0


class EventStream(Struct, frozen=True):
    """A streamed answer with status 200. With `breaks_off` the connection closes where the events end."""

    head: bytes
    events: Generator[Beat, None, None]
    pace: Pace
    breaks_off: bool = False


Response: TypeAlias = Answer | EventStream
