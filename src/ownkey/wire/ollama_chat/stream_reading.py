"""Ollama's streams into events: a line for each piece, the last one `done`. Tool calls come whole."""

from ownkey.wire.errors import MalformedAnswer, truncated
from ownkey.wire.events import (
    Event,
    ReasoningDelta,
    Started,
    Stopped,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from ownkey.wire.fields import decode
from ownkey.wire.ollama_chat.answers import (
    RESPONSE,
    Message,
    Response,
    answer_id,
    call_of,
    checked,
    stop_of,
    usage_of,
)
from ownkey.wire.reading import FramedReader
from ownkey.wire.sse import MAX_EVENT, Frame

_MOST_BLOCKS = 10_000
"""More parts than this in one answer are an attack on memory."""


class OllamaReader(FramedReader):
    __slots__ = ("_block", "_calls", "_id", "_kind", "_started")

    def __init__(self) -> None:
        super().__init__(LineParser())
        self._started = False
        self._id = ""
        self._block = -1
        self._kind = ""
        self._calls = 0

    def take(self, name: bytes, data: bytes, out: list[Event]) -> None:
        self._line(checked(decode(RESPONSE, data)), out)

    def last(self, rest: bytes, out: list[Event]) -> None:
        """The last line counts without the line end that should follow it; half a line is a cut."""
        try:
            if rest.strip():
                self._line(checked(decode(RESPONSE, rest)), out)
        except MalformedAnswer as error:
            self.fail(error.error or truncated(), out)
            return
        if not self.ended:
            self.fail(truncated(), out)

    def _line(self, line: Response, out: list[Event]) -> None:
        if line.message is None and not line.done:
            raise MalformedAnswer("a line without a message")
        if not self._started:
            self._started = True
            self._id = answer_id(line)
            out.append(Started("", line.model or ""))
        if line.message is not None:
            before = len(out)
            self._message(line.message, out)
            if len(out) > before:
                self.first_content = True
        if line.done:
            self._done(line, out)

    def _message(self, message: Message, out: list[Event]) -> None:
        if message.thinking:
            out.append(ReasoningDelta(self._run("thinking"), message.thinking))
        if message.content:
            out.append(TextDelta(self._run("text"), message.content))
        for call in message.tool_calls or ():
            call_id, name, arguments = call_of(call, self._id, self._calls)
            self._calls += 1
            block = self._run(f"call {self._calls}")
            out.append(ToolCallStarted(block, call_id, name))
            out.append(ToolCallDelta(block, arguments))

    def _done(self, line: Response, out: list[Event]) -> None:
        usage = usage_of(line)
        if usage is not None:
            self.usage = usage
            out.append(UsageReported(usage))
        out.append(Stopped(stop_of(line.done_reason, self._calls > 0)))
        self.complete(out)

    def _run(self, kind: str) -> int:
        """The block of the run of `kind` that is under way, or a new one."""
        if kind != self._kind:
            self._kind = kind
            self._block += 1
            if self._block >= _MOST_BLOCKS:
                raise MalformedAnswer("too many parts in an answer")
        return self._block


class LineParser:
    """Splits a byte stream into lines, wherever the bytes were cut; empty lines count for nothing.

    A line is an event without a name. `oversized` is set when a line exceeded `limit` bytes; nothing is
    parsed after that.
    """

    __slots__ = ("_held", "_limit", "oversized")

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self.oversized = False
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The lines that `data` completes, in order."""
        if self.oversized:
            return []
        end = data.rfind(b"\n")
        if end < 0:
            self._hold(data)
            return []
        whole = bytes(self._held) + data[:end] if self._held else data[:end]
        self._held.clear()
        frames: list[Frame] = []
        for line in whole.split(b"\n"):
            if len(line) > self._limit:
                self.oversized = True
                return frames
            if stripped := line.strip():
                frames.append((b"", stripped))
        self._hold(data[end + 1 :])
        return frames

    def _hold(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > self._limit:
            self.oversized = True
            self._held.clear()

    @property
    def rest(self) -> bytes:
        """The bytes of a line that is not complete yet."""
        return bytes(self._held)
