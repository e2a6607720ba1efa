"""The part every event reader shares: framing, the end of the stream, and failing once."""

from collections.abc import Iterable
from typing import Protocol

from ownkey.domain.usage import Usage
from ownkey.wire.errors import MalformedAnswer, WireError, broken, read_error, truncated
from ownkey.wire.events import Event, Finished, StreamFailed
from ownkey.wire.sse import Frame, SseParser

_ERROR_NAMES = (b'"message"', b'"error"', b'"detail"', b'"errors"')


class Parser(Protocol):
    """Cuts a stream into events, each a name and its data. May raise MalformedAnswer."""

    @property
    def oversized(self) -> bool:
        """Set when an event was too large; nothing is parsed after that."""
        ...

    @property
    def rest(self) -> bytes:
        """The bytes of an event that is not complete yet."""
        ...

    def feed(self, data: bytes) -> Iterable[Frame]: ...


class FramedReader:
    """Feeds a provider's events to `take`, which a format provides, until the first end or failure.

    Memory stays within one event and a few words for each block of the answer.
    """

    __slots__ = ("_closed", "_parser", "ended", "error", "first_content", "usage")

    def __init__(self, parser: Parser | None = None) -> None:
        """`parser` takes the place of that of server-sent events."""
        self.usage: Usage | None = None
        self.first_content = False
        self.ended = False
        self.error: WireError | None = None
        self._parser: Parser = parser or SseParser()
        self._closed = False

    def take(self, name: bytes, data: bytes, out: list[Event]) -> None:
        """Append the neutral events of one event. Raises MalformedAnswer."""
        raise NotImplementedError

    def feed(self, data: bytes) -> list[Event]:
        out: list[Event] = []
        if self._closed:
            return out
        try:
            for name, payload in self._parser.feed(data):
                self.take(name, payload, out)
                if self._closed:
                    return out
        except MalformedAnswer as error:
            self.fail(error.error or broken(), out)
            return out
        if self._parser.oversized:
            self.fail(broken("The provider's stream holds an event that is too large."), out)
        return out

    def finish(self, cut: bool = False) -> list[Event]:
        out: list[Event] = []
        rest = self._parser.rest
        if not self._closed:
            self.last(rest, out)
        if not self._closed and not cut:
            self.settle(rest, out)
        if not self._closed:
            self.fail(_told(rest) or truncated(), out)
        return out

    def last(self, rest: bytes, out: list[Event]) -> None:
        """A format may recognise its end mark in `rest`, the event that no blank line closed."""

    def settle(self, rest: bytes, out: list[Event]) -> None:
        """A format may take a body that ended cleanly, but without its end mark, for complete."""

    def complete(self, out: list[Event]) -> None:
        self.ended = self._closed = True
        out.append(Finished())

    def fail(self, error: WireError, out: list[Event]) -> None:
        self.error = error
        self._closed = True
        out.append(StreamFailed(error))


def _told(rest: bytes) -> WireError | None:
    """The error in a body that is no stream at all but JSON, as some providers answer with status 200."""
    told = rest.lstrip().startswith((b"{", b"[{")) and any(name in rest for name in _ERROR_NAMES)
    return read_error(200, rest) if told else None
