"""The part every stream writer shares: dispatch by the type of event, the end of the stream, and failing once."""

from collections.abc import Callable
from typing import Any, ClassVar

from ownkey.domain.usage import Usage
from ownkey.wire import events
from ownkey.wire.errors import WireError, truncated
from ownkey.wire.neutral import Stop
from ownkey.wire.sse import PING

_METHODS = {
    events.Started: "started",
    events.TextDelta: "text",
    events.RefusalDelta: "refusal",
    events.ReasoningDelta: "reasoning",
    events.ReasoningSigned: "signed",
    events.ReasoningRedacted: "redacted",
    events.ToolCallStarted: "call_started",
    events.ToolCallDelta: "call_delta",
    events.Stopped: "stopped",
    events.UsageReported: "reported",
    events.Pinged: "pinged",
    events.Finished: "finished",
    events.StreamFailed: "failed",
}


class StreamWriter:
    """Writes neutral events as one stream for a client.

    A format overrides the methods of the events it has a place for; events without one are left out.
    `usage` holds the last totals and `stop` the reason for the end, for formats that state them late.
    """

    __slots__ = ("closed", "stop", "usage")

    ping: ClassVar[bytes] = PING
    """Keeps a silent stream alive and means nothing."""
    _by_event: ClassVar[dict[type, Callable[[Any, Any], bytes]]]

    def __init_subclass__(cls) -> None:
        cls._by_event = {kind: getattr(cls, name) for kind, name in _METHODS.items()}

    def __init__(self) -> None:
        self.closed = False
        self.usage: Usage | None = None
        self.stop = Stop()

    def write(self, event: events.Event) -> bytes:
        """The client's bytes for `event`, which may be empty. Nothing follows the end or a failure."""
        return b"" if self.closed else self._by_event[type(event)](self, event)

    def finish(self) -> bytes:
        """What is due when no more events come: an error, unless the stream is closed already."""
        return b"" if self.closed else self.fail(truncated())

    def fail(self, error: WireError) -> bytes:
        """Close the stream with an error."""
        self.closed = True
        return self.error_event(error)

    def end(self) -> bytes:
        """The events that end a complete answer."""
        raise NotImplementedError

    def error_event(self, error: WireError) -> bytes:
        """An error as the last event."""
        raise NotImplementedError

    def started(self, event: events.Started) -> bytes:
        self.usage = event.usage
        return b""

    def text(self, event: events.TextDelta) -> bytes:
        return b""

    def refusal(self, event: events.RefusalDelta) -> bytes:
        return b""

    def reasoning(self, event: events.ReasoningDelta) -> bytes:
        return b""

    def signed(self, event: events.ReasoningSigned) -> bytes:
        return b""

    def redacted(self, event: events.ReasoningRedacted) -> bytes:
        return b""

    def call_started(self, event: events.ToolCallStarted) -> bytes:
        return b""

    def call_delta(self, event: events.ToolCallDelta) -> bytes:
        return b""

    def stopped(self, event: events.Stopped) -> bytes:
        self.stop = event.stop
        return b""

    def reported(self, event: events.UsageReported) -> bytes:
        self.usage = event.usage
        return b""

    def pinged(self, event: events.Pinged) -> bytes:
        return self.ping

    def finished(self, event: events.Finished) -> bytes:
        self.closed = True
        return self.end()

    def failed(self, event: events.StreamFailed) -> bytes:
        return self.fail(event.error)
