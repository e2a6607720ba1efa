"""Cohere's streamed answers into events (cohere.V2ChatStreamResponse).

Content and tool calls number their parts apart. The stream ends with `message-end`; citations and the
prompt in `debug` have no place in other formats.
"""

import msgspec
from msgspec import Struct

from ownkey.wire.cohere_chat.answers import PLAN, THINKING, Call, Content, UsageShape, call_of, fault, stop_of, to_usage
from ownkey.wire.errors import MalformedAnswer, read_error
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
from ownkey.wire.reading import FramedReader
from ownkey.wire.sse import parse_block

_MOST_BLOCKS = 10_000
"""More parts than this in one answer are an attack on memory."""


class _Message(Struct):
    """`content` and `tool_calls` are lists in `message-start`, and one object in the events that follow."""

    content: Content | list[msgspec.Raw] | None = None
    tool_plan: str | None = None
    tool_calls: Call | list[msgspec.Raw] | None = None


class _Delta(Struct):
    message: _Message | None = None
    finish_reason: str | None = None
    usage: UsageShape | None = None
    error: str | None = None


class _Event(Struct):
    type: str | None = None
    index: int | None = None
    id: str | None = None
    delta: _Delta | None = None
    message: str | None = None


_EVENT = msgspec.json.Decoder(_Event)


class CohereReader(FramedReader):
    __slots__ = ("_block", "_called", "_calls", "_kind", "_started")

    def __init__(self) -> None:
        super().__init__()
        self._started = False
        self._block = -1
        self._called = False
        self._kind: object = None
        self._calls: dict[int, tuple[int, bool]] = {}
        """Index → the call's block, and whether its arguments have begun; an ended call is forgotten."""

    def take(self, name: bytes, data: bytes, out: list[Event]) -> None:
        if not data or data == b"[DONE]":
            return
        event = decode(_EVENT, data)
        kind = event.type
        if kind is None:
            error = read_error(200, data) if event.message is not None or name == b"error" else None
            raise MalformedAnswer("an event without a type", error)
        if kind == "message-start":
            self._start(event, out)
        elif kind == "debug":
            return
        elif not self._started:
            raise MalformedAnswer(f"{kind[:100]} before message-start")
        elif kind in ("content-delta", "content-start"):
            self._content(event, out)
        elif kind == "tool-plan-delta":
            self._plan(event, out)
        elif kind == "tool-call-start":
            self._call_start(event, out)
        elif kind == "tool-call-delta":
            self._call_delta(event, out)
        elif kind == "tool-call-end":
            self._call_end(event, out)
        elif kind == "message-end":
            self._end(event, out)

    def last(self, rest: bytes, out: list[Event]) -> None:
        """The end mark counts without the blank line that should follow it."""
        frame = parse_block(rest.strip(b"\n"))
        if frame is None or b'"message-end"' not in frame[1] or not self._started:
            return
        try:
            event = decode(_EVENT, frame[1])
        except MalformedAnswer:
            return
        if event.type == "message-end":
            self._end(event, out)

    def _start(self, event: _Event, out: list[Event]) -> None:
        if self._started:
            raise MalformedAnswer("message-start twice")
        self._started = True
        out.append(Started(event.id or "", ""))

    def _content(self, event: _Event, out: list[Event]) -> None:
        content = _message(event).content
        if not isinstance(content, Content):
            raise MalformedAnswer("a content event without content")
        if content.thinking:
            out.append(ReasoningDelta(self._run(("thinking", event.index)), content.thinking, THINKING))
        elif content.text:
            out.append(TextDelta(self._run(("text", event.index)), content.text))
        else:
            return
        self.first_content = True

    def _plan(self, event: _Event, out: list[Event]) -> None:
        if plan := _message(event).tool_plan:
            self.first_content = True
            out.append(ReasoningDelta(self._run("plan"), plan, PLAN))

    def _call_start(self, event: _Event, out: list[Event]) -> None:
        call, index = _message(event).tool_calls, event.index or 0
        if not isinstance(call, Call) or index in self._calls:
            raise MalformedAnswer("tool-call-start without a call, or twice")
        call_id, name, arguments = call_of(call)
        block = self._run(("call", index, call_id))
        self._calls[index] = (block, bool(arguments))
        self._called = self.first_content = True
        out.append(ToolCallStarted(block, call_id, name))
        if arguments:
            out.append(ToolCallDelta(block, arguments))

    def _call_delta(self, event: _Event, out: list[Event]) -> None:
        call, known = _message(event).tool_calls, self._calls.get(event.index or 0)
        if not isinstance(call, Call) or known is None:
            raise MalformedAnswer("tool-call-delta without an open call")
        if call.function is not None and call.function.arguments:
            self._calls[event.index or 0] = (known[0], True)
            out.append(ToolCallDelta(known[0], call.function.arguments))

    def _call_end(self, event: _Event, out: list[Event]) -> None:
        known = self._calls.pop(event.index or 0, None)
        if known is not None and not known[1]:
            # Other formats' clients expect an object where a call has no arguments.
            out.append(ToolCallDelta(known[0], "{}"))

    def _end(self, event: _Event, out: list[Event]) -> None:
        delta = event.delta or _Delta()
        usage = to_usage(delta.usage) if delta.usage is not None else None
        if usage is not None:
            self.usage = usage
            out.append(UsageReported(usage))
        told = fault(delta.finish_reason, delta.error)
        if told is not None:
            self.fail(told, out)
            return
        out.append(Stopped(stop_of(delta.finish_reason, self._called)))
        self.complete(out)

    def _run(self, kind: object) -> int:
        """The block of the run of `kind` that is under way, or a new one."""
        if kind != self._kind:
            self._kind = kind
            self._block += 1
            if self._block >= _MOST_BLOCKS:
                raise MalformedAnswer("too many parts in an answer")
        return self._block


def _message(event: _Event) -> _Message:
    if event.delta is None or event.delta.message is None:
        raise MalformedAnswer(f"{event.type} without a message")
    return event.delta.message
