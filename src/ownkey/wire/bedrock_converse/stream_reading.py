"""ConverseStream's events into neutral ones (ConverseStreamOutput of the service model).

A text or reasoning block may begin with its first delta, without a contentBlockStart. The totals follow the
messageStop in `metadata`, which ends the stream.
"""

import msgspec
from msgspec import Struct, field

from ownkey.wire.bedrock_converse.answers import UsageShape, malformed, stop_of, to_usage
from ownkey.wire.bedrock_converse.errors import of_event
from ownkey.wire.bedrock_converse.event_stream import EventStreamParser, Message
from ownkey.wire.errors import MalformedAnswer, WireError
from ownkey.wire.events import (
    Event,
    ReasoningDelta,
    ReasoningRedacted,
    ReasoningSigned,
    Started,
    Stopped,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from ownkey.wire.fields import decode
from ownkey.wire.neutral import ANTHROPIC_REASONING
from ownkey.wire.reading import FramedReader
from ownkey.wire.sse import Frame

_MOST_BLOCKS = 10_000
"""More blocks than this in one answer are an attack on memory."""
_EXCEPTION = b"exception "


class _Use(Struct):
    id: str = field(default="", name="toolUseId")
    name: str = ""
    input: str = ""
    type: str | None = None


class _Start(Struct):
    tool_use: _Use | None = field(default=None, name="toolUse")


class _Thought(Struct):
    text: str | None = None
    signature: str | None = None
    redacted: str | None = field(default=None, name="redactedContent")


class _Delta(Struct):
    text: str | None = None
    tool_use: _Use | None = field(default=None, name="toolUse")
    reasoning: _Thought | None = field(default=None, name="reasoningContent")


class _Event(Struct):
    """The fields of every event that counts."""

    index: int | None = field(default=None, name="contentBlockIndex")
    start: _Start | None = None
    delta: _Delta | None = None
    stop: str | None = field(default=None, name="stopReason")
    usage: UsageShape | None = None


class _Open(Struct):
    """A block under way: its number among the events, and whether it is a call, of a tool of the client's."""

    block: int
    is_call: bool = False
    is_ours: bool = True
    has_deltas: bool = False


_EVENT = msgspec.json.Decoder(_Event)


class _Frames:
    """Messages as named data; an exception's name stands behind a word that no event's name holds."""

    __slots__ = ("_parser",)

    def __init__(self) -> None:
        self._parser = EventStreamParser()

    @property
    def oversized(self) -> bool:
        return self._parser.oversized

    @property
    def rest(self) -> bytes:
        return self._parser.rest

    def feed(self, data: bytes) -> list[Frame]:
        return [(_name(message), message.payload) for message in self._parser.feed(data)]


def _name(message: Message) -> bytes:
    match message.text(":message-type"):
        case "event":
            return message.text(":event-type").encode()
        case "exception":
            return _EXCEPTION + message.text(":exception-type").encode()
        case "error":
            # An error of the transport itself has a code and no payload.
            return _EXCEPTION + message.text(":error-code").encode()
        case other:
            raise MalformedAnswer(f"a message of the type {other[:100]!r}")


class ConverseReader(FramedReader):
    __slots__ = ("_count", "_fault", "_open", "_started", "_stopped")

    def __init__(self) -> None:
        super().__init__(_Frames())
        self._started = False
        self._stopped = False
        self._fault: WireError | None = None
        self._open: dict[int, _Open] = {}
        self._count = 0

    def take(self, name: bytes, data: bytes, out: list[Event]) -> None:
        if name.startswith(_EXCEPTION):
            self.fail(of_event(name.removeprefix(_EXCEPTION).decode(), data), out)
            return
        event = decode(_EVENT, data)
        if name == b"messageStart":
            self._start(out)
        elif not self._started:
            raise MalformedAnswer(f"{name[:100]!r} before messageStart")
        elif name == b"contentBlockDelta":
            self._delta(event, out)
        elif name == b"contentBlockStart":
            self._block_start(event, out)
        elif name == b"contentBlockStop":
            self._block_stop(event, out)
        elif name == b"messageStop":
            self._stop(event, out)
        elif name == b"metadata":
            self._metadata(event, out)

    def last(self, rest: bytes, out: list[Event]) -> None:
        """The answer is whole with its messageStop, though its totals are missing."""
        if not rest and self._stopped:
            self._end(out)

    def _start(self, out: list[Event]) -> None:
        if self._started:
            raise MalformedAnswer("messageStart twice")
        self._started = True
        out.append(Started("", ""))

    def _block_start(self, event: _Event, out: list[Event]) -> None:
        if event.index is None or event.index in self._open:
            raise MalformedAnswer("contentBlockStart that opens no new block")
        opened = self._opened(event.index)
        use = event.start.tool_use if event.start is not None else None
        if use is None:
            return
        if not use.id or not use.name:
            raise MalformedAnswer("a toolUse without toolUseId or name")
        opened.is_call, opened.is_ours = True, use.type is None
        if opened.is_ours:
            self.first_content = True
            out.append(ToolCallStarted(opened.block, use.id, use.name))

    def _opened(self, index: int) -> _Open:
        if self._count >= _MOST_BLOCKS:
            raise MalformedAnswer("too many blocks")
        opened = self._open[index] = _Open(self._count)
        self._count += 1
        return opened

    def _delta(self, event: _Event, out: list[Event]) -> None:
        delta, index = event.delta, event.index
        if delta is None or index is None:
            raise MalformedAnswer("contentBlockDelta without a delta or a block")
        opened = self._open.get(index) or self._opened(index)
        if delta.tool_use is not None:
            if not opened.is_call:
                raise MalformedAnswer("a toolUse delta without its beginning")
            if delta.tool_use.input and opened.is_ours:
                opened.has_deltas = True
                out.append(ToolCallDelta(opened.block, delta.tool_use.input))
        elif opened.is_call:
            return
        elif delta.text:
            self.first_content = True
            out.append(TextDelta(opened.block, delta.text))
        elif delta.reasoning is not None:
            self._thought(opened.block, delta.reasoning, out)

    def _thought(self, block: int, thought: _Thought, out: list[Event]) -> None:
        if thought.text:
            out.append(ReasoningDelta(block, thought.text))
        elif thought.signature:
            out.append(ReasoningSigned(block, thought.signature, ANTHROPIC_REASONING))
        elif thought.redacted:
            out.append(ReasoningRedacted(block, thought.redacted, ANTHROPIC_REASONING))
        else:
            return
        self.first_content = True

    def _block_stop(self, event: _Event, out: list[Event]) -> None:
        opened = self._open.pop(-1 if event.index is None else event.index, None)
        if opened is not None and opened.is_call and opened.is_ours and not opened.has_deltas:
            # A call without input may send no deltas, and other formats' clients expect an object.
            out.append(ToolCallDelta(opened.block, "{}"))

    def _stop(self, event: _Event, out: list[Event]) -> None:
        if self._stopped:
            raise MalformedAnswer("messageStop twice")
        self._stopped = True
        self._fault = malformed(event.stop)
        if self._fault is None:
            out.append(Stopped(stop_of(event.stop)))

    def _metadata(self, event: _Event, out: list[Event]) -> None:
        if event.usage is not None and (usage := to_usage(event.usage)) is not None:
            self.usage = usage
            out.append(UsageReported(usage))
        if self._stopped:
            self._end(out)

    def _end(self, out: list[Event]) -> None:
        """A stop reason that is an error is told only now, so that the totals are known."""
        if self._fault is not None:
            self.fail(self._fault, out)
        else:
            self.complete(out)
