"""One request and its answer.

Head, Request           what was received
Answer, EventStream     what to send
Plan, Context           what answering depends on
Endpoint, Handler       which path is answered how
HeadCache               heads that have been parsed before
"""

from collections.abc import Callable, Generator
from math import inf
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct, field

from ownkey.sandbox.chat import Reply
from ownkey.sandbox.errors import Problem, Refused, render
from ownkey.sandbox.keys import KeyIdentity
from ownkey.sandbox.options import Options
from ownkey.sandbox.pacing import UNPACED, Planned, Schedule, Timeline, pace_for
from ownkey.sandbox.state import Account, State
from ownkey.sandbox.vendors import Vendor, native_vendor

StreamEvent: TypeAlias = tuple[int, bytes]
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
    events: Generator[StreamEvent, None, None]
    pace: Schedule
    breaks_off: bool = False


Response: TypeAlias = Answer | EventStream


SIMULATOR = "x-ownkey-sandbox: simulator\r\n"
_PAGE_HEAD = f"content-type: text/html; charset=utf-8\r\n{SIMULATOR}".encode()
_JSON = "content-type: application/json\r\n" + SIMULATOR


def _stream_head(media_type: str) -> str:
    return f"content-type: {media_type}\r\ncache-control: no-cache\r\n{SIMULATOR}"


class Plan:
    """What a request's head means: whom it asks, with which key, and who answers.

    `rest` is the path below the provider's segment, without a leading slash. `action` is the handler,
    or the problem to answer with when the head alone is enough to refuse.
    """

    __slots__ = ("action", "json_head", "key", "lines", "provider", "rest", "stream_head", "vendor")

    def __init__(
        self,
        provider: str,
        rest: str,
        vendor: Vendor,
        key: KeyIdentity | None,
        action: "Handler | Problem",
    ) -> None:
        self.provider = provider
        self.rest = rest
        self.vendor = vendor
        self.key = key
        self.action = action
        self.lines = f"{vendor.head}{vendor.request_id}: req_"
        self.json_head = _JSON + self.lines
        self.stream_head = _stream_head(vendor.events_type) + self.lines


class Context:
    """One request with all that its answer depends on. `ident` is unique to it among all sandboxes."""

    __slots__ = ("ident", "options", "plan", "request", "state", "vendor")

    def __init__(self, request: Request, plan: Plan, ident: str, options: Options, state: State) -> None:
        self.request = request
        self.plan = plan
        self.vendor = plan.vendor
        self.ident = ident
        self.options = options
        self.state = state

    @property
    def account(self) -> Account:
        """Whom the responses that are stored for this request belong to."""
        key = self.plan.key
        return self.plan.provider, key.text if key is not None else ""

    @property
    def request_id(self) -> str:
        return "req_" + self.ident

    def pace(self, reply: Reply) -> Schedule:
        """When the reply's tokens are due. Raises Refused for headers that say no times."""
        request = self.request
        try:
            return pace_for(
                self.options, request.head.headers, request.number, reply.delay, reply.timing, reply.hangs_after
            )
        except ValueError as error:
            text = f"x-sandbox-ttft-ms, x-sandbox-gap-ms or x-sandbox-tps: {error}"
            raise Refused(Problem(status=400, message=text)) from error

    def delay(self, reply: Reply, tokens: int = 0) -> float:
        """When an answer of `tokens` tokens in one piece is due: seconds from the request's arrival, or infinite."""
        pace = self.pace(reply)
        if pace is UNPACED:
            return 0.0
        due = inf if reply.hangs_after is not None else pace.due(tokens)
        self.request.timeline.planned = Planned(due, due, due)
        return due

    def stream_pace(self, reply: Reply, tokens: int) -> Schedule:
        """The pace of a stream of `tokens` tokens, which is noted as what was planned."""
        pace = self.pace(reply)
        if pace is not UNPACED:
            ends = pace.due(0), pace.due(max(tokens - 1, 0)), pace.due(tokens)
            self.request.timeline.planned = Planned(*ends, tokens)
        return pace

    def head(self) -> bytes:
        """The header lines of a JSON answer."""
        return f"{self.plan.json_head}{self.ident}\r\nx-sandbox-request: {self.request.number}\r\n".encode()

    def stream_head(self, media_type: str | None = None) -> bytes:
        """The header lines of a stream: one of server-sent events unless it is of another type."""
        head = self.plan.stream_head if media_type is None else _stream_head(media_type) + self.plan.lines
        return f"{head}{self.ident}\r\nx-sandbox-request: {self.request.number}\r\n".encode()

    def json(self, value: Any) -> Answer:
        """`value` as a JSON answer with status 200."""
        return Answer(200, self.head(), msgspec.json.encode(value))

    def failure(self, problem: Problem) -> Answer:
        """`problem` in the vendor's shape."""
        if problem.page:
            return Answer(problem.status, _PAGE_HEAD, problem.page.encode())
        head = self.head() + problem.head.encode("latin-1")
        if self.vendor.error_head is not None:
            head += self.vendor.error_head(problem).encode()
        if problem.retry_after is not None:
            head += b"retry-after: %d\r\n" % problem.retry_after
        return Answer(problem.status, head, render(problem, self.vendor.shape, self.request_id))


Handler: TypeAlias = Callable[[Context], Response]


class Endpoint(Struct, frozen=True):
    """One path of every provider: `/<provider>/<anything>/<suffix>`.

    A `*` in a suffix stands for one or more characters, slashes among them. `vendor` tells from the provider's
    name whose ways the answer follows. `lists_models` marks what some vendors show to anybody.
    """

    method: bytes
    suffix: str
    handle: Handler
    vendor: Callable[[str], Vendor] = native_vendor
    lists_models: bool = False

    def matches(self, rest: str) -> bool:
        """Whether this endpoint answers `rest`, the path below the provider's segment."""
        before, star, after = self.suffix.partition("*")
        if star:
            at = f"/{rest}".find(f"/{before}")
            return at >= 0 and rest.endswith(after) and len(rest) > at + len(before + after) and rest[-1] != "/"
        return rest == self.suffix or rest.endswith("/" + self.suffix)


_END = b"\r\n\r\n"
_LONGEST = 4096
_UNUSUAL = (b"transfer-encoding", b"expect", b"upgrade")


class HeadCache:
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
