"""The two ways a provider's stream reaches a client: passing as it is, or translated event by event."""

from collections.abc import Callable
from typing import Protocol

from ownkey.domain.errors import OwnkeyError, UpstreamError
from ownkey.gateway.whole_events import WholeEvents, end_of_last_event
from ownkey.wire import EventReader, MalformedAnswer, Observer, StreamWriter, Watched, WireError
from ownkey.wire.errors import own_error
from ownkey.wire.events import StreamFailed
from ownkey.wire.observing import frame_of
from ownkey.wire.sse import MAX_EVENT

CUT = "The provider ended the stream before the answer was complete."


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
    on in pieces."""

    __slots__ = ("_failed", "_observer", "_whole", "failure", "watched")

    def __init__(self, observer: Observer, failed: Callable[[WireError], bytes], largest: int = MAX_EVENT) -> None:
        self.watched: Watched = observer
        self._observer = observer
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
        return self._observer.feed(ready) if ready else b""

    def finish(self, failure: OwnkeyError | None) -> bytes | None:
        observer = self._observer
        if failure is None:
            rest = self._whole.rest()
            tail = (observer.feed(rest) if rest else b"") + observer.finish()
            if observer.error is not None and rest and frame_of(rest) is None:
                # A body that is no stream but a JSON object: told as an event, should the stream have begun.
                return self._failed(observer.error)
            if tail and (observer.ended or observer.error is not None):
                return tail.rstrip(b"\r\n") + b"\n\n"
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
    """A stream of another format than the client's."""

    __slots__ = ("_reader", "_writer", "failure", "watched")

    between_events = True

    def __init__(self, reader: EventReader, writer: StreamWriter) -> None:
        self.watched: Watched = reader
        self.failure: OwnkeyError | None = None
        self._reader = reader
        self._writer = writer

    def feed(self, chunk: bytes) -> bytes:
        write = self._writer.write
        return b"".join([write(event) for event in self._reader.feed(chunk)])

    def finish(self, failure: OwnkeyError | None) -> bytes | None:
        reader, writer = self._reader, self._writer
        events = reader.finish()
        if failure is not None and not reader.ended:
            events = [StreamFailed(own_error(failure))]
        return b"".join([writer.write(event) for event in events]) + writer.finish()
