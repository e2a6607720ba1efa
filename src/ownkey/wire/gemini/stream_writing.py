"""Events into chunks of generated content for a client.

A call is one part here, with all its arguments: it waits until they are whole, which is when another part
begins or the answer ends.
"""

from typing import Any

import msgspec

from ownkey.domain.usage import Usage
from ownkey.wire.errors import WireError, broken
from ownkey.wire.events import (
    ReasoningDelta,
    ReasoningRedacted,
    ReasoningSigned,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
)
from ownkey.wire.gemini.answers import FINISH_REASONS, call_part, thought_parts
from ownkey.wire.gemini.errors import error_body
from ownkey.wire.gemini.usage import from_usage
from ownkey.wire.neutral import AnswerLabel, StopReason
from ownkey.wire.writing import StreamWriter

_ENCODE = msgspec.json.Encoder().encode

_MOST_WAITING = 16 * 1024 * 1024
"""Characters of arguments that may wait; a stream that needs more is broken."""


class _Call:
    """A call whose arguments are on their way."""

    __slots__ = ("arguments", "started")

    def __init__(self, started: ToolCallStarted) -> None:
        self.started = started
        self.arguments: list[str] = []


class ContentWriter(StreamWriter):
    """Writes the chunks of one answer.

    The totals and the reason for the end stand in the last chunk, since other formats report them late.
    """

    __slots__ = ("_calls", "_refused", "_tail", "_waiting")

    ping = b"\n\n"
    """Blank lines mean nothing. A comment would: google-genai takes every line that is no data for an error."""

    def __init__(self, label: AnswerLabel) -> None:
        super().__init__()
        common = _ENCODE({"modelVersion": label.model, "responseId": label.id})
        self._tail = b"," + common[1:] + b"\n\n"
        self._refused = False
        self._calls: dict[int, _Call] = {}
        self._waiting = 0

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

    def text(self, event: TextDelta | RefusalDelta) -> bytes:
        chunk = self._chunk(b'{"text":' + _ENCODE(event.text) + b"}")
        return self._whole_calls() + chunk if self._calls else chunk

    def refusal(self, event: RefusalDelta) -> bytes:
        self._refused = True
        return self.text(event)

    def reasoning(self, event: ReasoningDelta) -> bytes:
        return self._parts([{"text": event.text, "thought": True}])

    def signed(self, event: ReasoningSigned) -> bytes:
        return self._parts(thought_parts("", event.signature, None, event.format))

    def redacted(self, event: ReasoningRedacted) -> bytes:
        return self._parts(thought_parts("", None, event.data, event.format))

    def call_started(self, event: ToolCallStarted) -> bytes:
        self._calls[event.block] = _Call(event)
        return b""

    def call_delta(self, event: ToolCallDelta) -> bytes:
        call = self._calls.get(event.block)
        if call is None:
            # A call is written once another part begins; white space is all that can still come.
            return b""
        self._waiting += len(event.arguments)
        if self._waiting > _MOST_WAITING:
            return self.fail(broken("The provider's tool calls are too large."))
        call.arguments.append(event.arguments)
        return b""

    def end(self) -> bytes:
        calls = self._whole_calls()
        reason = StopReason.REFUSAL if self._refused and self.stop.reason is StopReason.END else self.stop.reason
        candidate: dict[str, Any] = {
            "content": {"parts": [{"text": ""}], "role": "model"},
            "finishReason": FINISH_REASONS[reason],
            "index": 0,
        }
        if self.stop.explanation is not None:
            candidate["finishMessage"] = self.stop.explanation
        last = _ENCODE({"candidates": [candidate], "usageMetadata": from_usage(self.usage or Usage())})
        return calls + b"data: " + last[:-1] + self._tail

    def error_event(self, error: WireError) -> bytes:
        """The SDK raises APIError."""
        return b"data: " + _ENCODE(error_body(error)) + b"\n\n"
