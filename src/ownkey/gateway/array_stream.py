"""A stream of events as one JSON array: how Google streams to clients that do not ask for events."""

from ownkey.domain.errors import OwnkeyError
from ownkey.gateway.streams import ClientStream
from ownkey.wire import Watched
from ownkey.wire.sse import SseParser


class ArrayStream:
    """Puts each event's data into an array whose elements are sent one by one. An error is its last element."""

    __slots__ = ("_begun", "_inner", "_parser")

    between_events = False
    """Nothing may be put in: a reader of JSON knows no pings."""

    def __init__(self, inner: ClientStream) -> None:
        self._inner = inner
        self._parser = SseParser()
        self._begun = False

    @property
    def watched(self) -> Watched:
        return self._inner.watched

    @property
    def failure(self) -> OwnkeyError | None:
        return self._inner.failure

    def feed(self, chunk: bytes) -> bytes:
        return self._elements(self._inner.feed(chunk))

    def finish(self, failure: OwnkeyError | None) -> bytes | None:
        """None as well when an event was too large to be taken apart: the client then has not all of them."""
        rest = self._inner.finish(failure)
        if rest is None or self._parser.oversized:
            return None
        last = self._elements(rest)
        return last + (b"]" if self._begun else b"[]")

    def _elements(self, events: bytes) -> bytes:
        out = b""
        for _, data in self._parser.feed(events):
            out += (b",\r\n" if self._begun else b"[") + data
            self._begun = True
        return out
