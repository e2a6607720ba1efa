"""uvicorn's httptools protocol with strict heads, limits, deadlines and orderly refusals.

What arrives is judged here, for every path; who answers is decided in `protocol.py`. A request that
cannot be accepted becomes a `Refusal`: it waits for its turn like any other, is answered with
`connection: close`, and what the client still sends is read and dropped for a while, because
closing on unread bytes would reset the connection and take the answer with it.
"""

import asyncio
from collections.abc import Sequence
from math import inf
from time import monotonic, time
from typing import Any, ClassVar, TypeAlias, cast

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from ownkey.domain.errors import InvalidRequest, OwnkeyError
from ownkey.gateway.alarm import Alarm
from ownkey.gateway.batching import BatchedTransport
from ownkey.gateway.edge import head
from ownkey.gateway.edge.exchange import Request
from ownkey.gateway.edge.http1 import Exchange, Service
from ownkey.gateway.edge.patience import BODY, HEAD, IDLE, REFUSED, UPGRADE, Patience
from ownkey.gateway.edge.refusal import Refusal
from ownkey.gateway.edge.stall import StallWatch
from ownkey.gateway.edge.target import check_host, origin_form, path_hint, plain_peer, read_target

_TIMER_SLACK = 0.005


Cycle: TypeAlias = "RequestResponseCycle | Exchange | Refusal"
"""What stands in a connection's pipeline; uvicorn's annotations know only its own kind."""


class GuardedProtocol(HttpToolsProtocol):
    """`running` is the cycle whose turn it is to answer, `newest` (uvicorn's `cycle`) that of the newest request."""

    # More than thirty attributes in an instance's dictionary would slow down every access to each.
    __slots__ = (
        "_chunk",
        "_in_turns",
        "_patience",
        "_stall",
        "alarm",
        "body_limit",
        "body_size",
        "fields",
        "first",
        "method",
        "newest",
        "path",
        "peer",
        "phase",
        "query",
        "running",
    )

    service: ClassVar[Service]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.alarm = Alarm(self.loop, self._check_deadlines)
        self.running: Cycle | None = None
        self.newest: Cycle | None = None
        self.peer = ""
        self.phase: int = IDLE
        self.method: str = ""
        self.path: str = ""
        self.query = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.first: dict[bytes, bytes] = {}
        self.body_size = 0
        self.body_limit = 0
        self._in_turns = False
        self._chunk = 0
        self._patience = Patience(self.service.limits)

    # The connection's life.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        transport = BatchedTransport(transport, self.service.batch)
        super().connection_made(transport)
        self._stall = StallWatch(transport, self.alarm, self.service.limits.stall_seconds)
        if self.client is not None:
            self.peer = plain_peer(self.client[0])
        self.wait_from_now(self.service.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self.alarm.cancel()
        for cycle in self._unanswered():
            if isinstance(cycle, Exchange):
                cycle.leave()
            elif isinstance(cycle, RequestResponseCycle):
                cycle.disconnected = True
                cycle.message_event.set()
        # uvicorn would tell the newest cycle only; all have been told.
        self.begin(None)
        self.running = None
        super().connection_lost(exc)

    def eof_received(self) -> None:
        for cycle in self._unanswered():
            if isinstance(cycle, Exchange):
                cycle.leave()

    def shutdown(self) -> None:
        super().shutdown()
        if self.transport.is_closing():
            self._stall.begin()

    def close(self) -> None:
        """Close once everything written is flushed, or the client has stopped reading."""
        self.transport.close()
        self._stall.begin()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall.begin()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.transport.is_closing():
            self._stall.begin()
        else:
            self._stall.over()
        if isinstance(self.running, Exchange):
            self.running.writable()

    def _unanswered(self) -> Sequence[Cycle]:
        queued = [cast("Cycle", cycle) for cycle, _ in self.pipeline]
        return queued if self.running is None else [self.running, *queued]

    # Bytes in.

    def data_received(self, data: bytes) -> None:
        if self.phase == REFUSED:
            return
        self._chunk = len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self.phase == UPGRADE:
                self._read_without_upgrade(data[upgrade.args[0] :])
                return
        except httptools.HttpParserError as failure:
            if self.phase != REFUSED:
                self.refuse(
                    InvalidRequest(f"The request is not valid HTTP: {str(failure).rstrip('.') or 'malformed'}.")
                )
        if self.phase == HEAD or self.phase == BODY:  # noqa: PLR1714 (twice as fast as a set)
            self._await_more(len(data))

    def on_message_begin(self) -> None:
        self.phase = HEAD
        self.url = b""
        self.headers = []
        self.method = ""
        self.path = ""
        self._patience.begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value.strip()))

    def on_headers_complete(self) -> None:
        try:
            self._read_head()
        except OwnkeyError as error:
            self.refuse(error)
            raise

    def _read_head(self) -> None:
        limits = self.service.limits
        parser = self.parser
        fields = self.fields = self.headers
        # Trailers come later and are no headers: they go into a list of their own.
        self.headers = []
        method: str = parser.get_method().decode("ascii")
        self.method = method
        if len(fields) > limits.fields:
            raise head.too_many_fields(limits)
        if self._patience.seen + self._chunk > self.service.small_head:
            head.check_sizes(self.url, fields, limits)
        version = parser.get_http_version()
        first = self.first = head.read_fields(fields, version)
        host = first.get(b"host")
        if host != self.service.known_host and host is not None:
            check_host(host)
            self.service.known_host = host
        if self.url[:1] != b"/":
            self.url = origin_form(self.url, host)
        self.path, self.query = read_target(self.url)
        if parser.should_upgrade():
            head.check_offer(method, first)
            self.phase = UPGRADE
            return
        if len(self.pipeline) >= limits.pipelined:
            raise InvalidRequest("Too many requests are waiting on this connection: wait for their answers.")
        self.expect_100_continue = b"expect" in first and first[b"expect"].lower() == b"100-continue"
        self.body_size = 0
        self._patience.body_begins()
        self.accept(version)
        self.phase = BODY

    def accept(self, version: str) -> None:
        """Begin a cycle for the head just read: here uvicorn's own, for the ASGI application."""
        limits = self.service.limits
        self.body_limit = limits.body if self.path in limits.large else limits.other_body
        head.check_length(self.first, self.body_limit)
        url, expects = self.url, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.scope["headers"] = self.fields
        super().on_headers_complete()
        self.newest = self.cycle

    def begin(self, cycle: Exchange | Refusal | None) -> None:
        """Make this the newest cycle."""
        self.newest = cycle
        self.cycle = cycle  # pyright: ignore[reportAttributeAccessIssue] (stands in for uvicorn's own)

    def on_body(self, body: bytes) -> None:
        self.body_size += len(body)
        try:
            if self.body_size > self.body_limit:
                raise head.body_too_large(self.body_limit)
            newest = self.newest
            if isinstance(newest, Exchange):
                newest.add(body)
            else:
                super().on_body(body)
        except OwnkeyError as error:
            self.refuse(error)
            raise

    def on_message_complete(self) -> None:
        if self.phase == UPGRADE:
            return
        self.phase = IDLE
        newest = self.newest
        if not isinstance(newest, Exchange):
            super().on_message_complete()
            return
        newest.request = Request(
            self.method,
            self.path,
            self.query,
            self.fields,
            newest.body(),
            self.peer,
            monotonic(),
            time(),
            self.first,
        )
        if newest is self.running:
            newest.run()

    def await_body(self) -> None:
        """The head came without the whole of its body. uvicorn sends `100 Continue` when the application reads."""

    def _read_without_upgrade(self, rest: bytes) -> None:
        """llhttp takes the bytes after an offer of h2c for the new protocol's; so a fresh parser gets the head without
        the offer, then those bytes."""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.data_received(head.without_upgrade(self.method, self.url, self.fields) + rest)

    # Turns.

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        turn = self.running = cast("Cycle", cycle)
        if isinstance(turn, Refusal):
            self._answer_refusal(turn)
        else:
            super()._start_asgi_task(cycle, app)

    def enqueue(self, cycle: Exchange | Refusal) -> None:
        """Let the newest cycle wait until all before it are answered."""
        self.flow.pause_reading()
        self.pipeline.appendleft(cast("tuple[RequestResponseCycle, ASGI3Application]", (cycle, None)))

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self.running = None
        if self._in_turns:
            # The loop below goes on: one turn inside the other would exhaust the stack.
            return
        self._in_turns = True
        try:
            self._take_turns()
        finally:
            self._in_turns = False

    def _take_turns(self) -> None:
        """Let those that wait have their turn, as long as each is answered at once."""
        while self.running is None:
            if self.transport.is_closing():
                self._stall.begin()
                return
            if self.flow.read_paused:
                self.flow.resume_reading()
            if not self.pipeline:
                if self.phase == IDLE:
                    self.wait_from_now(self.timeout_keep_alive)
                return
            self._start_asgi_task(*self.pipeline.pop())

    # Refusing.

    def refuse(self, error: OwnkeyError) -> None:
        """Answer the message being read with an error when its turn comes; read no more after it."""
        in_body = self.phase == BODY
        self.phase = REFUSED
        if in_body and not self._withdraw():
            self.close()
            return
        refusal = Refusal(error, self.path or path_hint(self.url), self.method == "HEAD")
        self.begin(refusal)
        if self.running is not None:
            self.enqueue(refusal)
        else:
            self._answer_refusal(refusal)

    def _withdraw(self) -> bool:
        """Take the newest cycle back; False when its answer has begun, so that no other can follow."""
        cycle = self.newest
        if cycle is None or isinstance(cycle, Refusal) or cycle.response_complete:
            return False
        if self.pipeline and self.pipeline[0][0] is cycle:
            self.pipeline.popleft()
        else:
            self.running = None
        if isinstance(cycle, Exchange):
            cycle.leave()
            return True
        cycle.disconnected = True
        cycle.message_event.set()
        return not cycle.response_started

    def _answer_refusal(self, refusal: Refusal) -> None:
        self.running = None
        self.begin(None)
        if self.transport.is_closing():
            return
        self.transport.write(refusal.rendered(self.service, self.server_state.default_headers))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.wait_from_now(self.service.limits.linger_seconds)

    # Deadlines.

    def _await_more(self, size: int) -> None:
        """Part of a message has arrived; the rest has to come in time."""
        patience, phase = self._patience, self.phase
        deadline = patience.more(phase, size, self.body_size, monotonic())
        if deadline is not None:
            self.alarm.by(deadline)
            if phase == BODY:
                self.await_body()
        excess = patience.excess(phase, len(self.url))
        if excess is not None:
            self.refuse(excess)

    def wait_from_now(self, seconds: float) -> None:
        """The client has this long for what it does next."""
        self.alarm.by(self._patience.wait(monotonic(), seconds))

    def _check_deadlines(self) -> float:
        now = monotonic() + _TIMER_SLACK
        stall = self._stall.deadline()
        if stall <= now:
            self.transport.abort()
            return inf
        if self._deadline() <= now:
            self._overdue()
        return min(stall, self._deadline())

    def _deadline(self) -> float:
        if self.transport.is_closing():
            return inf
        held, answering = self.flow.read_paused, self.running is not None
        return self._patience.deadline(self.phase, self.body_size, monotonic(), held=held, answering=answering)

    def _overdue(self) -> None:
        if self.phase == REFUSED:
            self.transport.abort()
        elif self.phase == IDLE:
            self.close()
        else:
            self.refuse(self._patience.overdue(self.phase))
