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
from ownkey.wire.ndjson import LineParser
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
        del name
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
