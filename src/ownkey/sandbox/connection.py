"""One HTTP/1.1 connection: requests in, answers out in order, nothing kept longer than needed."""

import asyncio
import time
from collections import deque
from http import HTTPStatus
from math import isfinite
from typing import Protocol, cast

import httptools

from ownkey.sandbox.app import Sandbox, refusal
from ownkey.sandbox.exchange import Answer, EventStream, Head, HeadCache, Request
from ownkey.sandbox.pacing import Timeline
from ownkey.sandbox.pump import TICK_S, Pump


class Peer(Protocol):
    """One connection."""

    def close_if_idle(self, since: float) -> None: ...

    def abort(self) -> None: ...


class OpenConnections:
    """The open connections. While `draining`, each closes after the answer under way; then `gone` is set."""

    def __init__(self) -> None:
        self.open: set[Peer] = set()
        self.draining = False
        self.gone = asyncio.Event()

    def joined(self, connection: Peer) -> None:
        self.open.add(connection)
        if self.draining:
            connection.abort()

    def left(self, connection: Peer) -> None:
        self.open.discard(connection)
        if self.draining and not self.open:
            self.gone.set()

    def drain(self, now: float) -> None:
        """Close what is idle and mark the rest to close."""
        self.draining = True
        self.close_idle(now)
        if not self.open:
            self.gone.set()

    def close_idle(self, since: float) -> None:
        """Close the connections that have had nothing to do since `since` (Unix seconds)."""
        for connection in tuple(self.open):
            connection.close_if_idle(since)

    def abort(self) -> None:
        for connection in tuple(self.open):
            connection.abort()


MOST_HEADER_BYTES = 64 * 1024
_MOST_WAITING = 32
"""Pipelined requests that may wait for their turn before no more is read."""
_WRITE_BUFFER = 64 * 1024
_LINGER_S = 2.0
"""How long a refused sender is still listened to, so that it can read the refusal."""

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
STATUS_LINES = {
    status: f"HTTP/1.1 {status} {_PHRASES.get(status, 'Unknown')}\r\n".encode() for status in range(100, 600)
}


class Connection(asyncio.Protocol):
    """Parses, asks the sandbox, answers. Requests of a pipeline are answered one after the other."""

    def __init__(self, sandbox: Sandbox, peers: OpenConnections, heads: HeadCache) -> None:
        self._sandbox = sandbox
        self._peers = peers
        self._heads = heads
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._current: Request | None = None
        self._pump: Pump | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._refusal: Answer | None = None
        self._deaf = False
        self._closing = False
        self._reading = True
        self._writable = True
        self.last_active = time.time()
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._between = True
        self._first = b""
        self._in_head = False
        self._head_bytes = 0
        self._body: bytes | bytearray = b""

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_WRITE_BUFFER)
        self._peers.joined(self)
        self._sandbox.stats.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._peers.left(self)
        self._sandbox.stats.connections -= 1
        self._deaf = self._closing = True
        self._abandon()

    def eof_received(self) -> bool:
        """A reader that closes its side has left; what is still to be flushed is flushed."""
        self._abandon()
        return False

    def pause_writing(self) -> None:
        self._writable = False
        if self._pump is not None:
            self._pump.pause()

    def resume_writing(self) -> None:
        self._writable = True
        if self._pump is not None:
            self._pump.resume()
        elif self._waiting or self._refusal is not None:
            self._loop.call_soon(self._serve)

    def data_received(self, data: bytes) -> None:
        if self._between and self._writable and self._current is None and not self._deaf:
            known = self._heads.find(data)
            if known is not None:
                known.timeline.arrived = time.monotonic()
                self._answer(known)
                return
        if self._deaf:
            return
        self._first = data if self._between else b""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._ignore_upgrade()
        except httptools.HttpParserError:
            self._refuse(400, "The request is not valid HTTP/1.1.")
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEADER_BYTES:
                self._refuse(431, "The request's headers are too large.")
        if self._waiting or self._refusal is not None:
            self._serve()

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._url, self._headers, self._body = b"", {}, b""
        self._between = False
        self._in_head, self._head_bytes = True, 0

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        headers = self._headers
        headers[name] = value if name not in headers else headers[name] + b", " + value

    def on_headers_complete(self) -> None:
        self._in_head = False
        headers = self._headers
        length = headers.get(b"content-length")
        if length is not None and int(length) > self._sandbox.options.body_limit:
            self._refuse_large()
        elif b"expect" in headers and not self._waiting and self._current is None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if self._refusal is not None:
            return
        if not self._body:
            self._body = body
        elif isinstance(self._body, bytearray):
            self._body += body
        else:
            self._body = bytearray(self._body) + body
        if len(self._body) > self._sandbox.options.body_limit:
            self._refuse_large()

    def on_message_complete(self) -> None:
        self._between = True
        if self._refusal is not None:
            return
        parser = self._parser
        version, keep_alive = parser.get_http_version(), parser.should_keep_alive()
        if version not in ("1.0", "1.1"):
            self._refuse(505, "This server speaks HTTP/1.1.")
            return
        head = Head(parser.get_method(), self._url, self._headers, keep_alive=keep_alive, version_11=version == "1.1")
        request = Request(head, bytes(self._body), timeline=Timeline(time.monotonic()))
        self._waiting.append(request)
        if self._first:
            self._heads.remember(self._first, self._url, request)
            self._first = b""
        self._body = b""

    # Serving.

    def _ignore_upgrade(self) -> None:
        """Answer the request as if it had not asked to switch protocols, then close: the parser reads no further."""
        self._deaf = True
        if self._waiting:
            self._waiting[-1].head.keep_alive = False

    def _refuse_large(self) -> None:
        limit = self._sandbox.options.body_limit
        self._refuse(413, f"The request body exceeds the limit of {limit} bytes.")

    def _refuse(self, status: int, message: str) -> None:
        """Answer so after the requests before, then close. What else arrives is dropped."""
        if self._refusal is None:
            self._refusal = refusal(status, message)
            self._body = b""

    def _serve(self) -> None:
        """Answer waiting requests until one takes time, or the reader does."""
        waiting = self._waiting
        while waiting and self._current is None and self._writable and not self._closing:
            self._answer(waiting.popleft())
        if self._refusal is not None and not waiting and self._current is None and not self._closing:
            self._send_refusal(self._refusal)
        self._mind_reading()

    def _answer(self, request: Request) -> None:
        response = self._sandbox.respond(request)
        if type(response) is not Answer:
            self._current = request
            self._stream(request, cast("EventStream", response))
        elif response.delay:
            self._current = request
            self._send_in_time(request, response)
        else:
            self._send(request, response)

    def _mind_reading(self) -> None:
        wanted = len(self._waiting) <= _MOST_WAITING
        if wanted is not self._reading and not self._closing:
            self._reading = wanted
            if wanted:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def _send(self, request: Request, answer: Answer) -> None:
        head, body = request.head, answer.body
        keep_alive = head.keep_alive and not answer.missing_bytes and not self._peers.draining
        length = f"content-length: {len(body) + answer.missing_bytes}\r\n\r\n".encode()
        if not keep_alive:
            length = b"connection: close\r\n" + length
        if head.method == b"HEAD":
            body = b""
        timeline = request.timeline
        timeline.first = timeline.last_token = timeline.last = time.monotonic()
        self._transport.write(STATUS_LINES[answer.status] + answer.head + length + body)
        request.outcome = "answered"
        self.last_active = request.at
        if not keep_alive:
            self._close()

    def _send_in_time(self, request: Request, answer: Answer) -> None:
        """Send when it is due, or set the timer for it: timers may go off a little early."""
        self._timer = None
        left = answer.delay - (time.monotonic() - request.timeline.arrived)
        if left > TICK_S:
            if isfinite(left):
                self._timer = self._loop.call_later(left, self._send_in_time, request, answer)
            return
        self._current = None
        self._send(request, answer)
        self._serve()

    def _send_refusal(self, answer: Answer) -> None:
        self._deaf = self._closing = True
        transport = self._transport
        transport.write(
            b"%b%bconnection: close\r\ncontent-length: %d\r\n\r\n%b"
            % (STATUS_LINES[answer.status], answer.head, len(answer.body), answer.body)
        )
        self._sandbox.stats.count(answer.status)
        if transport.can_write_eof():
            transport.write_eof()
        self._loop.call_later(_LINGER_S, transport.abort)

    def _stream(self, request: Request, stream: EventStream) -> None:
        chunked = request.head.version_11
        keep_alive = request.head.keep_alive and chunked
        head = b"%b%b%b%b\r\n" % (
            STATUS_LINES[200],
            stream.head,
            b"transfer-encoding: chunked\r\n" if chunked else b"",
            b"" if keep_alive else b"connection: close\r\n",
        )
        stats = self._sandbox.stats
        stats.streams += 1
        stats.open_streams += 1
        request.outcome = "streaming"
        self._pump = Pump(stream, request, head, chunked, self._transport.write, self._stream_ended)
        self._pump.run()

    def _stream_ended(self, complete: bool) -> None:
        request, self._current, self._pump = self._current, None, None
        self._sandbox.stats.open_streams -= 1
        self.last_active = time.time()
        if request is not None:
            request.outcome = "streamed"
            if not complete or not request.head.keep_alive or not request.head.version_11 or self._peers.draining:
                self._close()
                return
        if self._waiting or self._refusal is not None:
            self._loop.call_soon(self._serve)

    def _abandon(self) -> None:
        """Stop making what nobody will read."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pump is not None:
            self._pump.stop()
            self._pump = None
            self._sandbox.stats.open_streams -= 1
        if self._current is not None:
            self._current.outcome = "abandoned"
            self._sandbox.stats.abandoned += 1
            self._current = None
        self._waiting.clear()

    def _close(self) -> None:
        """Flush and close."""
        self._deaf = self._closing = True
        self._waiting.clear()
        self._transport.close()

    # What the server calls.

    def close_if_idle(self, since: float) -> None:
        """Close when nothing is under way and nothing was since `since` (Unix seconds)."""
        if self._current is None and self.last_active <= since and not self._closing:
            self._close()

    def abort(self) -> None:
        self._transport.abort()
