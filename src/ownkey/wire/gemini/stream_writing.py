"""Events into chunks of generated content for a client.

A call is one part here, with all its arguments: it waits until they are whole, which is when another part
begins or the answer ends.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from ownkey.domain.usage import Usage
from ownkey.wire.errors import WireError, broken, truncated
from ownkey.wire.events import (
    Event,
    Finished,
    Pinged,
    ReasoningDelta,
    ReasoningRedacted,
    ReasoningSigned,
    RefusalDelta,
    Started,
    Stopped,
    StreamFailed,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from ownkey.wire.gemini.answers import FINISH_REASONS, call_part, thought_parts
from ownkey.wire.gemini.errors import error_body
from ownkey.wire.gemini.usage import from_usage
from ownkey.wire.neutral import Stop, StopReason

_ENCODE = msgspec.json.Encoder().encode

PING = b"\n\n"
"""Blank lines mean nothing. A comment would: google-genai takes every line that is no data for an error."""

_MOST_WAITING = 16 * 1024 * 1024
"""Characters of arguments that may wait; a stream that needs more is broken."""


class _Call:
    """A call whose arguments are on their way."""

    __slots__ = ("arguments", "started")

    def __init__(self, started: ToolCallStarted) -> None:
        self.started = started
        self.arguments: list[str] = []


class ContentWriter:
    """Writes the chunks of one answer. `include_usage` has no meaning here: the format always reports usage.

    The totals and the reason for the end stand in the last chunk, since other formats report them late.
    """

    __slots__ = ("_calls", "_closed", "_refused", "_stop", "_tail", "_usage", "_waiting")

    def __init__(self, model: str, created: int, answer_id: str, include_usage: bool) -> None:
        del created, include_usage
        common = _ENCODE({"modelVersion": model, "responseId": answer_id})
        self._tail = b"," + common[1:] + b"\n\n"
        self._usage = Usage()
        self._stop = Stop()
        self._refused = False
        self._calls: dict[int, _Call] = {}
        self._waiting = 0
        self._closed = False

    def write(self, event: Event) -> bytes:
        if self._closed:
            return b""
        return self._WRITERS[type(event)](self, event)

    def finish(self) -> bytes:
        return b"" if self._closed else self._failed(StreamFailed(truncated()))

    def _chunk(self, parts: bytes) -> bytes:
        return b'data: {"candidates":[{"content":{"parts":[' + parts + b'],"role":"model"},"index":0}]' + self._tail

    def _parts(self, parts: list[dict[str, Any]]) -> bytes:
        return self._whole_calls() + self._chunk(_ENCODE(parts)[1:-1])

    def _whole_calls(self) -> bytes:
        """The calls that waited, as parts of one chunk."""
        if not self._calls:
            return b""
        parts = [
            call_part(call.started.id, call.started.name, "".join(call.arguments), call.started.signature)
            for call in self._calls.values()
        ]
        self._calls.clear()
        self._waiting = 0
        return self._chunk(_ENCODE(parts)[1:-1])

    def _started(self, event: Started) -> bytes:
        """Nothing yet: the first chunk of content begins the answer."""
        if event.usage is not None:
            self._usage = event.usage
        return b""

    def _text(self, event: TextDelta | RefusalDelta) -> bytes:
        chunk = self._chunk(b'{"text":' + _ENCODE(event.text) + b"}")
        return self._whole_calls() + chunk if self._calls else chunk

    def _refusal(self, event: RefusalDelta) -> bytes:
        self._refused = True
        return self._text(event)

    def _reasoning(self, event: ReasoningDelta) -> bytes:
        return self._parts([{"text": event.text, "thought": True}])

    def _signed(self, event: ReasoningSigned) -> bytes:
        return self._parts(thought_parts("", event.signature, None, event.format))

    def _redacted(self, event: ReasoningRedacted) -> bytes:
        return self._parts(thought_parts("", None, event.data, event.format))

    def _call_started(self, event: ToolCallStarted) -> bytes:
        self._calls[event.block] = _Call(event)
        return b""

    def _call_delta(self, event: ToolCallDelta) -> bytes:
        call = self._calls.get(event.block)
        if call is None:
            # A call is written once another part begins; white space is all that can still come.
            return b""
        self._waiting += len(event.arguments)
        if self._waiting > _MOST_WAITING:
            return self._failed(StreamFailed(broken("The provider's tool calls are too large.")))
        call.arguments.append(event.arguments)
        return b""

    def _stopped(self, event: Stopped) -> bytes:
        self._stop = event.stop
        return b""

    def _reported(self, event: UsageReported) -> bytes:
        self._usage = event.usage
        return b""

    def _pinged(self, event: Pinged) -> bytes:
        del event
        return PING

    def _finished(self, event: Finished) -> bytes:
        del event
        calls = self._whole_calls()
        self._closed = True
        reason = StopReason.REFUSAL if self._refused and self._stop.reason is StopReason.END else self._stop.reason
        candidate: dict[str, Any] = {
            "content": {"parts": [{"text": ""}], "role": "model"},
            "finishReason": FINISH_REASONS[reason],
            "index": 0,
        }
        if self._stop.explanation is not None:
            candidate["finishMessage"] = self._stop.explanation
        last = _ENCODE({"candidates": [candidate], "usageMetadata": from_usage(self._usage)})
        return calls + b"data: " + last[:-1] + self._tail

    def _failed(self, event: StreamFailed) -> bytes:
        self._closed = True
        return failure(event.error)

    _WRITERS: ClassVar[dict[type, Callable[[Any, Any], bytes]]] = {
        Started: _started,
        TextDelta: _text,
        RefusalDelta: _refusal,
        ReasoningDelta: _reasoning,
        ReasoningSigned: _signed,
        ReasoningRedacted: _redacted,
        ToolCallStarted: _call_started,
        ToolCallDelta: _call_delta,
        Stopped: _stopped,
        UsageReported: _reported,
        Pinged: _pinged,
        Finished: _finished,
        StreamFailed: _failed,
    }


def failure(error: WireError) -> bytes:
    """An error inside a stream; the SDK raises APIError."""
    return b"data: " + _ENCODE(error_body(error)) + b"\n\n"
