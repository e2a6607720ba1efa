"""The values that pass between the server and what it simulates: a request, and the answer to give."""

from collections.abc import Generator
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct, field

from ownkey.sandbox.pacing import Schedule
from ownkey.sandbox.timeline import Timeline

if TYPE_CHECKING:
    from ownkey.sandbox.context import Plan

Beat: TypeAlias = tuple[int, bytes]
"""One event of a stream: how many tokens it carries (0 or 1) and its bytes."""


class Head:
    """The head of a request. One object may serve many requests whose heads are the same bytes.

    `path` and `query` are raw bytes without the question mark. `headers` have lower-case names;
    repeated ones are joined by commas. `length` is that of the body, when a content-length gave it.
    `plan` is where the sandbox remembers what it made of this head.
    """

    __slots__ = ("headers", "keep_alive", "length", "method", "path", "plan", "query", "version_11")

    def __init__(
        self, method: bytes, url: bytes, headers: dict[bytes, bytes], *, keep_alive: bool, version_11: bool
    ) -> None:
        path, _, query = url.partition(b"?")
        if path[:1] != b"/":
            path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.keep_alive = keep_alive
        self.version_11 = version_11
        self.length = int(headers.get(b"content-length", 0))
        self.plan: Plan | None = None


class Request(Struct):
    """One request as it was received, and what became of it; the debugging log shows these.

    `at` is in Unix seconds. `outcome` is one of `received`, `answered`, `streaming`, `streamed` and
    `abandoned` (the client left first).
    """

    head: Head
    body: bytes
    number: int = 0
    at: float = 0.0
    status: int = 0
    outcome: str = "received"
    tokens_sent: int = 0
    timeline: Timeline = field(default_factory=Timeline)


class Answer(Struct, frozen=True):
    """A whole answer. `head` holds ready header lines, each with its CRLF.

    `delay` is in seconds from the request's arrival; an infinite one never sends anything. With
    `missing_bytes` the content-length promises that many more bytes than are sent, and the
    connection is closed after them.
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
    pace: Schedule
    breaks_off: bool = False


Response: TypeAlias = Answer | EventStream
