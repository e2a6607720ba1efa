"""Bytes of a response into an exchange, with limits and with rules stricter than the parser's.

llhttp refuses by itself: bad status lines, header names and values, folded headers, bare CR or LF,
content-length that is not a number or comes twice or with transfer-encoding, and bad chunk sizes.
"""

import re

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from ownkey.gateway.net.exchange import Exchange, Headers
from ownkey.gateway.net.settings import NetSettings

_TIMEOUT_HINT = re.compile(rb"timeout=([0-9]{1,5})")
_NOTED = frozenset({b"connection", b"content-encoding", b"content-length", b"keep-alive", b"transfer-encoding"})
_NO_BODY = frozenset({204, 304})


class Malformed(Exception):
    """The response cannot be accepted; the text is for the log and quotes nothing from the peer."""


class _Stop(Exception):
    """Stops the parser from inside a callback; `ResponseParser` knows why."""


class ResponseParser:
    """One per connection; `begin` makes it ready for the next response.

    After `feed`: `exchange.head_done`, `exchange.complete` and `exchange.pieces` tell what came,
    `reusable` whether the connection may carry another exchange once the message is complete,
    `until_close` whether only the end of the connection ends the body, and `keep_alive_hint` how
    many seconds the server said it keeps an idle connection.

    The header callback only collects: it runs once per line, everything else once per response.
    """

    __slots__ = (
        "_closing",
        "_exchange",
        "_framing",
        "_head_left",
        "_head_only",
        "_headers",
        "_interim",
        "_interims",
        "_length",
        "_limits",
        "_parser",
        "_why",
        "chunked",
        "keep_alive_hint",
        "reusable",
        "until_close",
    )

    def __init__(self, limits: NetSettings) -> None:
        self._limits = limits
        self._parser = HttpResponseParser(self)
        self._framing = 0
        self._why = ""
        self.keep_alive_hint: int | None = None
        self.begin(Exchange(), head_only=False)

    def begin(self, exchange: Exchange, *, head_only: bool) -> None:
        """Expect a response. `head_only`: the request was HEAD, so that no body follows."""
        self._exchange = exchange
        self._head_only = head_only
        self._head_left = self._limits.max_head_bytes
        self._headers: Headers = []
        self._interims = 0
        self._interim = self.reusable = self.until_close = False

    def feed(self, data: bytes) -> None:
        """Take bytes from the peer. Raises Malformed unless the message was already complete.

        What follows a complete message is dropped and makes the connection not `reusable`.
        """
        exchange = self._exchange
        try:
            if exchange.head_done:
                self._framing += len(data)
                self._parser.feed_data(data)
                if self._framing > self._limits.framing_limit:
                    raise Malformed("too many bytes between two pieces of the body")
            elif len(data) <= self._head_left:
                self._head_left -= len(data)
                self._parser.feed_data(data)
            else:
                self._feed_cut(data, self._head_left)
        except (HttpParserError, HttpParserUpgrade) as error:
            self.reusable = False
            if not exchange.complete:
                raise Malformed(self._why or f"the response is not valid HTTP/1.1: {error}") from None

    def _feed_cut(self, data: bytes, left: int) -> None:
        """Feed the head's last bytes first, so that its limit does not count the body that came with it."""
        self._head_left = 0
        self._parser.feed_data(data[:left])
        if not self._exchange.head_done:
            raise Malformed("the head of the response is too large")
        self._parser.feed_data(data[left:])

    def _refuse(self, why: str) -> _Stop:
        self._why = why
        return _Stop()

    # Called by the parser.

    def on_message_begin(self) -> None:
        if self._exchange.complete:
            raise self._refuse("bytes after the end of the response")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        headers = self._headers
        self._headers = []  # Trailers go there and are forgotten.
        self._read_headers(headers)
        exchange = self._exchange
        status = self._parser.get_status_code()
        version = self._parser.get_http_version()
        if version != "1.1":
            if version != "1.0":
                raise self._refuse("the HTTP version is not 1.0 or 1.1")
            self._closing = True
            if self.chunked:
                raise self._refuse("a transfer encoding in an HTTP/1.0 response")
        if not 200 <= status <= 599:
            self._skip_interim(status)
            return
        exchange.status = status
        exchange.headers = headers
        exchange.head_done = True
        self._framing = 0
        if self._head_only:
            # The parser cannot be told that no body follows, so it is not used again.
            exchange.complete = True
            raise _Stop
        if status not in _NO_BODY:
            exchange.content_length = self._length
            self.until_close = self._length is None and not self.chunked

    def on_body(self, data: bytes) -> None:
        exchange = self._exchange
        exchange.pieces.append(data)
        exchange.size += len(data)
        self._framing = 0

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
            return
        self._exchange.complete = True
        self.reusable = not self._closing and self._parser.should_keep_alive()

    def _read_headers(self, headers: Headers) -> None:
        """Check the limits and take in what bears on framing and on the life of the connection."""
        self._length: int | None = None
        self.chunked = self._closing = False
        limits = self._limits
        if len(headers) > limits.max_headers:
            raise self._refuse("too many headers")
        if limits.max_head_bytes - self._head_left > limits.max_header_line:
            longest = max([len(name) + len(value) for name, value in headers], default=0)
            if longest > limits.max_header_line:
                raise self._refuse("a header line is too long")
        for name, value in headers:
            if name in _NOTED:
                self._note(name, value)

    def _note(self, name: bytes, value: bytes) -> None:
        if name == b"content-length":
            if self._length is not None or self.chunked:
                raise self._refuse("conflicting lengths")
            if not value.isdigit() or len(value) > 18:
                raise self._refuse("the content-length is not a number")
            self._length = int(value)
        elif name == b"transfer-encoding":
            if self._length is not None or self.chunked:
                raise self._refuse("conflicting lengths")
            if value.lower() != b"chunked":
                raise self._refuse("a transfer encoding other than chunked")
            self.chunked = True
        elif name == b"connection":
            self._closing = self._closing or b"close" in value.lower()
        elif name == b"keep-alive":
            match = _TIMEOUT_HINT.search(value.lower())
            self.keep_alive_hint = int(match[1]) if match else None
        elif value.lower() not in (b"identity", b""):
            raise self._refuse("a content encoding although identity was asked for")

    def _skip_interim(self, status: int) -> None:
        if not 100 <= status <= 199:
            raise self._refuse("the status code is out of range")
        if status == 101:
            raise self._refuse("a change of protocol nobody asked for")
        self._interims += 1
        if self._interims > self._limits.max_interim_responses:
            raise self._refuse("too many interim responses")
        self._interim = True
