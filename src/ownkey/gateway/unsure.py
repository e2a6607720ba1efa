"""An answer to a request for a stream whose kind does not say that events come: they may, or one JSON object."""

from collections.abc import Callable

from ownkey.domain.errors import OwnkeyError
from ownkey.domain.usage import Usage
from ownkey.gateway.streams import ClientStream
from ownkey.wire import MalformedAnswer, Watched, WireError
from ownkey.wire.errors import broken, own_error

_LARGEST = 64 * 1024 * 1024

Converted = Callable[[bytes], tuple[bytes, Usage | None]]
"""A whole answer as the client's events, and its usage. Raises MalformedAnswer."""


class UnsureStream:
    """Events pass to `events` as if nothing had been unsure. An object is gathered and told as events at its end.

    It is its own `Watched`, until events have come.
    """

    __slots__ = ("_body", "_converted", "_ended", "_error", "_events", "_failed", "_failure", "_stream", "_usage")

    def __init__(self, events: ClientStream, converted: Converted, failed: Callable[[WireError], bytes]) -> None:
        self._events = events
        self._converted = converted
        self._failed = failed
        self._stream: ClientStream | None = None
        self._body = bytearray()
        self._usage: Usage | None = None
        self._ended = False
        self._error: WireError | None = None
        self._failure: OwnkeyError | None = None

    @property
    def watched(self) -> Watched:
        return self

    @property
    def usage(self) -> Usage | None:
        return self._usage if self._stream is None else self._stream.watched.usage

    @property
    def first_content(self) -> bool:
        return bool(self._body) if self._stream is None else self._stream.watched.first_content

    @property
    def ended(self) -> bool:
        return self._ended if self._stream is None else self._stream.watched.ended

    @property
    def error(self) -> WireError | None:
        return self._error if self._stream is None else self._stream.watched.error

    @property
    def failure(self) -> OwnkeyError | None:
        return self._failure if self._stream is None else self._stream.failure

    @property
    def between_events(self) -> bool:
        return self._stream is None or self._stream.between_events

    def feed(self, chunk: bytes) -> bytes:
        if self._stream is not None:
            return self._stream.feed(chunk)
        body = self._body
        begun = bool(body)
        body += chunk if begun else chunk.lstrip()
        if not begun and body and not body.startswith((b"{", b"[")):
            self._stream = self._events
            return self._stream.feed(bytes(body))
        if len(body) > _LARGEST:
            self._failure = MalformedAnswer("a whole answer that is too large")
        return b""

    def finish(self, failure: OwnkeyError | None) -> bytes | None:
        if self._stream is not None:
            return self._stream.finish(failure)
        if failure is not None:
            return self._failed(own_error(failure))
        try:
            out, self._usage = self._converted(bytes(self._body))
        except MalformedAnswer as malformed:
            self._error = malformed.error or broken(malformed.public)
            return self._failed(self._error)
        self._ended = True
        return out
