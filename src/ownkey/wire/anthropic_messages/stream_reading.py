"""A provider's message stream into events (anthropic.types.RawMessageStreamEvent, `ping` and `error`)."""

import re
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.wire.anthropic_messages.answers import Block, StopDetails, input_text, stop_of
from ownkey.wire.anthropic_messages.usage import UsageShape, merge, to_usage
from ownkey.wire.errors import MalformedAnswer, error_of_value
from ownkey.wire.events import (
    Event,
    Pinged,
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
from ownkey.wire.fields import decode, decode_or_none
from ownkey.wire.neutral import ANTHROPIC_REASONING
from ownkey.wire.observing import PassingObserver, frame_of, raw_events
from ownkey.wire.reading import FramedReader
from ownkey.wire.sse import parse_block

_MOST_BLOCKS = 10_000
"""More blocks than this in one answer are an attack on memory."""


class _Message(Struct):
    id: str | None = None
    model: str | None = None
    usage: UsageShape | None = None


class _Delta(Struct):
    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None


class _Event(Struct):
    type: str
    index: int | None = None
    message: _Message | None = None
    content_block: Block | None = None
    delta: _Delta | None = None
    usage: UsageShape | None = None
    error: Any = None


class _Open(Struct):
    """A block under way: its number among the events and, for a call, input that came whole."""

    block: int
    type: str
    whole: str = ""
    has_deltas: bool = False


_EVENT = msgspec.json.Decoder(_Event)


class MessageReader(FramedReader):
    __slots__ = ("_count", "_open", "_started", "_stopped", "_totals")

    def __init__(self) -> None:
        super().__init__()
        self._started = False
        self._stopped = False
        self._open: dict[int, _Open] = {}
        self._count = 0
        self._totals: UsageShape | None = None

    def take(self, name: bytes, data: bytes, out: list[Event]) -> None:
        if not data:
            return
        event = decode(_EVENT, data)
        kind = event.type
        if kind == "error" or name == b"error":
            self.fail(error_of_value(200, {"error": event.error}), out)
        elif kind == "ping":
            out.append(Pinged())
        elif kind == "message_start":
            self._start(event, out)
        elif not self._started:
            raise MalformedAnswer(f"{kind} before message_start")
        elif kind == "content_block_delta":
            self._delta(event, out)
        elif kind == "content_block_start":
            self._block_start(event, out)
        elif kind == "content_block_stop":
            self._block_stop(event, out)
        elif kind == "message_delta":
            self._message_delta(event, out)
        elif kind == "message_stop":
            self.complete(out)

    def last(self, rest: bytes, out: list[Event]) -> None:
        """The end mark counts without the blank line that should follow it."""
        frame = parse_block(rest.strip(b"\n"))
        if frame is None or b'"message_stop"' not in frame[1] or not self._started:
            return
        try:
            if decode(_EVENT, frame[1]).type == "message_stop":
                self.complete(out)
        except MalformedAnswer:
            return

    def settle(self, rest: bytes, out: list[Event]) -> None:
        """An answer that said why it stopped is complete: some servers leave `message_stop` out."""
        if self._stopped and not rest.strip():
            self.complete(out)

    def _start(self, event: _Event, out: list[Event]) -> None:
        if self._started or event.message is None:
            raise MalformedAnswer("message_start without a message, or twice")
        self._started = True
        self._totals = event.message.usage
        self.usage = to_usage(self._totals) if self._totals is not None else None
        out.append(Started(event.message.id or "", event.message.model or "", self.usage))

    def _block_start(self, event: _Event, out: list[Event]) -> None:
        block, index = event.content_block, event.index
        if block is None or index is None or index in self._open or self._count >= _MOST_BLOCKS:
            raise MalformedAnswer("content_block_start that opens no new block")
        opened = self._open[index] = _Open(self._count, block.type)
        self._count += 1
        if block.type == "tool_use":
            if not block.id or not block.name:
                raise MalformedAnswer("a tool_use block without id or name")
            whole = input_text(block.input)
            opened.whole = "" if whole.strip() == "{}" else whole
            out.append(ToolCallStarted(opened.block, block.id, block.name))
        elif block.type == "redacted_thinking":
            out.append(ReasoningRedacted(opened.block, block.data or "", ANTHROPIC_REASONING))
        elif block.type == "text" and block.text:
            out.append(TextDelta(opened.block, block.text))
        elif block.type == "thinking":
            if block.thinking:
                out.append(ReasoningDelta(opened.block, block.thinking, ANTHROPIC_REASONING))
            if block.signature:
                out.append(ReasoningSigned(opened.block, block.signature, ANTHROPIC_REASONING))
            if not (block.thinking or block.signature):
                return
        else:
            return
        self.first_content = True

    def _delta(self, event: _Event, out: list[Event]) -> None:
        delta, opened = event.delta, self._open.get(-1 if event.index is None else event.index)
        if delta is None or opened is None:
            raise MalformedAnswer("content_block_delta without an open block")
        kind = delta.type
        if kind == "text_delta" and delta.text:
            out.append(TextDelta(opened.block, delta.text))
        elif kind == "thinking_delta" and delta.thinking:
            out.append(ReasoningDelta(opened.block, delta.thinking, ANTHROPIC_REASONING))
        elif kind == "signature_delta" and delta.signature:
            out.append(ReasoningSigned(opened.block, delta.signature, ANTHROPIC_REASONING))
        elif kind == "input_json_delta" and delta.partial_json and opened.type == "tool_use":
            opened.has_deltas = True
            out.append(ToolCallDelta(opened.block, delta.partial_json))
        else:
            return
        self.first_content = True

    def _block_stop(self, event: _Event, out: list[Event]) -> None:
        opened = self._open.pop(-1 if event.index is None else event.index, None)
        if opened is None:
            raise MalformedAnswer("content_block_stop without an open block")
        if opened.type == "tool_use" and not opened.has_deltas:
            # A call without input sends no deltas here, and other formats' clients expect an object.
            out.append(ToolCallDelta(opened.block, opened.whole or "{}"))

    def _message_delta(self, event: _Event, out: list[Event]) -> None:
        if event.usage is not None:
            self._totals = merge(self._totals, event.usage)
            self.usage = to_usage(self._totals)
        if event.delta is not None and event.delta.stop_reason is not None:
            delta = event.delta
            self._stopped = True
            out.append(Stopped(stop_of(delta.stop_reason, delta.stop_sequence, delta.stop_details)))
        if event.usage is not None and self.usage is not None:
            out.append(UsageReported(self.usage))


_COUNTS = re.compile(rb'"type"\s*:\s*"(?:message_start|message_delta|message_stop|error)"').search
_HAS_CONTENT = re.compile(rb'"(?:text|thinking|partial_json|signature)"\s*:\s*"[^"]|"type"\s*:\s*"tool_use"').search


class _Started(Struct):
    usage: UsageShape | None = None


class _Ending(Struct):
    stop_reason: str | None = None


class _WatchedEvent(Struct):
    type: str = ""
    message: _Started | None = None
    delta: _Ending | None = None
    usage: UsageShape | None = None
    error: Any = None


_WATCHED = msgspec.json.Decoder(_WatchedEvent)
_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


class MessageObserver(PassingObserver):
    """Takes nothing out: the format always reports usage."""

    __slots__ = ("_stopped", "_totals")

    def __init__(self) -> None:
        super().__init__()
        self._stopped = False
        self._totals: UsageShape | None = None

    def finish(self) -> bytes:
        """An answer that said why it stopped is complete without the end mark, as for `MessageReader`."""
        half = self._held.strip()
        rest = super().finish()
        if self._stopped and not (half or self.ended or self.error is not None):
            self.ended = True
            self.closing = _STOP
        return rest

    def counts(self, whole: bytes) -> bool:
        return _COUNTS(whole) is not None

    def inspect(self, whole: bytes) -> bytes:
        if not self.first_content and _HAS_CONTENT(whole):
            self.first_content = True
        if _COUNTS(whole):
            for event in raw_events(whole):
                if _COUNTS(event):
                    self._take(event)
        return whole

    def _take(self, event: bytes) -> None:
        # A body that is no stream at all but a JSON object has no frames.
        _, data = frame_of(event) or (b"", event)
        seen = decode_or_none(_WATCHED, data)
        if seen is None:
            return
        if seen.type == "message_stop":
            self.ended = True
        elif seen.type == "error":
            self.error = error_of_value(200, {"error": seen.error})
        else:
            self._stopped = self._stopped or bool(seen.delta and seen.delta.stop_reason)
            usage = seen.message.usage if seen.message is not None else seen.usage
            if usage is not None:
                self._totals = merge(self._totals, usage)
                self.usage = to_usage(self._totals)
