"""How a provider's stream reaches a client: passing as it is, translated event by event, or as one JSON array."""

from collections.abc import Callable
from typing import Protocol

from ownkey.domain.errors import OwnkeyError, UpstreamError
from ownkey.wire import EventReader, MalformedAnswer, Observer, StreamWriter, Watched, WireError
from ownkey.wire.errors import own_error
from ownkey.wire.events import StreamFailed
from ownkey.wire.observing import frame_of
from ownkey.wire.sse import MAX_EVENT, SseParser
from ownkey.wire.tools.passing import Names
from ownkey.wire.tools.restoring import Restoring

CUT = "The provider ended the stream before the answer was complete."

_ENDS = (b"\n\n", b"\r\r", b"\n\r\n")
"""Two line ends in a row, in the spellings that servers use."""
_LONGEST_END = 3


def end_of_last_event(data: bytes | bytearray, stop: int, start: int = 0) -> int:
    """The position after the last end of an event between `start` and `stop`; 0 when there is none."""
    found = [at + len(end) for end in _ENDS if (at := data.rfind(end, start, stop)) >= 0]
    return max(found, default=0)


class WholeEvents:
    """Cuts a stream of server-sent events at their ends, wherever the network cut it.

    With whole events only, a broken stream can always be followed by an error event, and a secret
    inside an event is found before any part of it is passed on. An event above `limit` bytes goes
    on in pieces all the same: `inside` is then true until its end has passed.
    """

    __slots__ = ("_held", "_limit", "inside")

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._held = bytearray()
        self._limit = limit
        self.inside = False

    def feed(self, data: bytes) -> bytes:
        """The whole events that `data` completes: usually `data` itself."""
        if not self._held and data.endswith(b"\n\n"):
            self.inside = False
            return data
        return self._gather(data)

    def rest(self) -> bytes:
        """What is held at the end of the stream: an event that no blank line closed."""
        rest = bytes(self._held)
        self._held.clear()
        return rest

    def _gather(self, data: bytes) -> bytes:
        held = self._held
        start = max(len(held) - _LONGEST_END + 1, 0)
        held += data
        cut = end_of_last_event(held, len(held), start)
        if cut:
            self.inside = False
        elif len(held) > self._limit:
            self.inside = True
            cut = len(held)
        whole = bytes(held[:cut])
        del held[:cut]
        return whole


class ClientStream(Protocol):
    """Turns a provider's bytes into the client's. `watched` tells what has been seen of the answer."""

    @property
    def watched(self) -> Watched: ...

    @property
    def failure(self) -> OwnkeyError | None:
        """Why no more should be read, when the provider's bytes are unfit to go on."""
        ...

    @property
    def between_events(self) -> bool:
        """Whether the client has whole events only, so that another may be put in here."""
        ...

    def feed(self, chunk: bytes) -> bytes:
        """The client's bytes for `chunk`, which may be none yet: only whole events."""
        ...

    def finish(self, failure: OwnkeyError | None) -> bytes | None:
        """What is due when no more chunks come: an error event unless the answer was complete.

        `failure` is why none come, None at a regular end of the body. The result is None when the
        client has half of an event, so that only a broken connection tells the truth.
        """
        ...


class PassedStream:
    """A stream of the client's own format. `failed` writes an error at its end; an event above `largest` bytes goes
    on in pieces. `names` puts the client's names of tools in."""

    __slots__ = ("_failed", "_names", "_observer", "_whole", "failure", "watched")

    def __init__(
        self,
        observer: Observer,
        failed: Callable[[WireError], bytes],
        largest: int = MAX_EVENT,
        names: Names | None = None,
    ) -> None:
        self.watched: Watched = observer
        self._observer = observer
        self._names = names
        self._failed = failed
        self.failure: OwnkeyError | None = None
        self._whole = WholeEvents(largest)

    @property
    def between_events(self) -> bool:
        return not self._whole.inside

    def feed(self, chunk: bytes) -> bytes:
        whole = self._whole
        in_pieces = whole.inside
        ready = whole.feed(chunk)
        if not ready:
            return b""
        if not ready.isascii() and not in_pieces and not whole.inside:
            ready = self._fit(ready)
        if self._names is not None:
            ready = self._names.restored(ready)
        return self._observer.feed(ready) if ready else b""

    def finish(self, failure: OwnkeyError | None) -> bytes | None:
        observer = self._observer
        if failure is None:
            rest = self._whole.rest()
            if self._names is not None:
                rest = self._names.restored(rest)
            tail = (observer.feed(rest) if rest else b"") + observer.finish()
            closing = observer.closing
            if observer.error is not None and rest and frame_of(rest) is None:
                # A body that is no stream but a JSON object: told as an event, should the stream have begun.
                return self._failed(observer.error)
            if tail and (observer.ended or observer.error is not None):
                return tail.rstrip(b"\r\n") + b"\n\n" + closing
            if closing:
                return closing
        if observer.ended or observer.error is not None:
            return b""
        if self._whole.inside:
            return None
        return self._failed(own_error(failure or UpstreamError(CUT)))

    def _fit(self, events: bytes) -> bytes:
        """The events before the first that is not UTF-8: clients decode strictly, and no SDK has an error for that."""
        try:
            events.decode()
        except UnicodeDecodeError as error:
            self.failure = MalformedAnswer("a stream that is not UTF-8")
            return events[: end_of_last_event(events, error.start)]
        return events


class TranslatedStream:
    """A stream of another format than the client's. Calls that were sent under other names are restored."""

    __slots__ = ("_reader", "_restored", "_writer", "failure", "watched")

    between_events = True

    def __init__(self, reader: EventReader, writer: StreamWriter, restoring: Restoring | None = None) -> None:
        self.watched: Watched = reader
        self.failure: OwnkeyError | None = None
        self._reader = reader
        self._writer = writer
        self._restored = restoring.stream() if restoring is not None else None

    def feed(self, chunk: bytes) -> bytes:
        write = self._writer.write
        events = self._reader.feed(chunk)
        if self._restored is not None:
            events = self._restored.feed(events)
        return b"".join([write(event) for event in events])

    def finish(self, failure: OwnkeyError | None) -> bytes | None:
        reader, writer = self._reader, self._writer
        events = reader.finish(cut=failure is not None)
        if failure is not None and not reader.ended:
            events = [StreamFailed(own_error(failure))]
        if self._restored is not None:
            events = self._restored.feed(events)
        return b"".join([writer.write(event) for event in events]) + writer.finish()


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
