"""What one request is answered with at hand, and the rows that say which path is answered how."""

from collections.abc import Callable
from math import inf
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from ownkey.sandbox.errors import Problem, Refused, render
from ownkey.sandbox.exchange import Answer, Request, Response
from ownkey.sandbox.keys import KeyIdentity
from ownkey.sandbox.options import Options
from ownkey.sandbox.pacing import UNPACED, Schedule, pace_for
from ownkey.sandbox.scene import Scene
from ownkey.sandbox.timeline import Planned
from ownkey.sandbox.turn import Reply
from ownkey.sandbox.vendors import Vendor, native_face

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

    __slots__ = ("ident", "options", "plan", "request", "scene", "vendor")

    def __init__(self, request: Request, plan: Plan, ident: str, options: Options, scene: Scene) -> None:
        self.request = request
        self.plan = plan
        self.vendor = plan.vendor
        self.ident = ident
        self.options = options
        self.scene = scene

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

    A `*` in a suffix stands for one or more characters, slashes among them. `face` tells from the provider's
    name whose ways the answer follows. `lists_models` marks what some vendors show to anybody.
    """

    method: bytes
    suffix: str
    handle: Handler
    face: Callable[[str], Vendor] = native_face
    lists_models: bool = False

    def matches(self, rest: str) -> bool:
        """Whether this endpoint answers `rest`, the path below the provider's segment."""
        before, star, after = self.suffix.partition("*")
        if star:
            at = f"/{rest}".find(f"/{before}")
            return at >= 0 and rest.endswith(after) and len(rest) > at + len(before + after) and rest[-1] != "/"
        return rest == self.suffix or rest.endswith("/" + self.suffix)
