"""Events into a message stream for a client.

Anthropic's blocks come one after the other. Where another format interleaves parallel tool calls,
the first goes out at once and the others wait until its arguments are a complete JSON object.
"""

from typing import Any

import msgspec

from ownkey.domain.usage import Usage
from ownkey.wire.anthropic_messages.answers import NAMES
from ownkey.wire.anthropic_messages.errors import error_body
from ownkey.wire.anthropic_messages.thinking import marked
from ownkey.wire.anthropic_messages.usage import from_usage
from ownkey.wire.errors import WireError, broken
from ownkey.wire.events import (
    Event,
    ReasoningDelta,
    ReasoningRedacted,
    ReasoningSigned,
    RefusalDelta,
    Started,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
)
from ownkey.wire.neutral import ANTHROPIC_REASONING, GEMINI_REASONING, AnswerLabel, StopReason
from ownkey.wire.writing import StreamWriter

_ENCODE = msgspec.json.Encoder().encode
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])

_DELTA = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":%b}}\n\n'
)
_MOST_WAITING = 16 * 1024 * 1024
"""Bytes that may wait for a call to be complete; a stream that needs more is broken."""


class MessageWriter(StreamWriter):
    """Writes the events of one message; opens and closes its blocks as the parts come."""

    __slots__ = (
        "_arguments",
        "_block",
        "_estimate",
        "_head",
        "_index",
        "_kind",
        "_past",
        "_refused",
        "_waiting",
        "_waiting_size",
    )

    ping = b'event: ping\ndata: {"type":"ping"}\n\n'

    def __init__(self, label: AnswerLabel) -> None:
        super().__init__()
        self._head: dict[str, Any] = {
            "id": label.id,
            "type": "message",
            "role": "assistant",
            "content": [],
            "model": label.model,
        }
        self._estimate = Usage(label.input_estimate)
        """Stands for the counts until the provider reports them, which most do at the end."""
        self._refused = False
        self._index = -1
        self._block = -1
        self._kind = ""
        self._arguments: list[str] = []
        self._past: set[int] = set()
        self._waiting: dict[int, list[Event]] = {}
        self._waiting_size = 0

    def write(self, event: Event) -> bytes:
        if self.closed:
            return b""
        block: int | None = getattr(event, "block", None)
        if block is None or block == self._block:
            data = self._by_event[type(event)](self, event)
            if self._waiting and type(event) is ToolCallDelta and self._complete():
                return data + self._release()
            return data
        if block in self._past:
            # A call is past once its arguments are whole; white space is all that can still come.
            return b""
        if self._kind == "tool_use" and not self._complete():
            return self._wait(block, event)
        return self._by_event[type(event)](self, event)

    def _complete(self) -> bool:
        """Whether the open call's arguments are whole, so that no more can follow."""
        if len(self._arguments) > 1:
            self._arguments = ["".join(self._arguments)]
        if not self._arguments or not self._arguments[0].rstrip().endswith("}"):
            return False
        try:
            _OBJECT.decode(self._arguments[0])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return False
        return True

    def _wait(self, block: int, event: Event) -> bytes:
        self._waiting.setdefault(block, []).append(event)
        self._waiting_size += len(getattr(event, "arguments", "") or getattr(event, "text", "")) + 100
        if self._waiting_size > _MOST_WAITING:
            return self.fail(broken("The provider's tool calls are too large."))
        return b""

    def _release(self, whole_answer: bool = False) -> bytes:
        """Write the blocks that waited, up to a call that is not complete yet."""
        data = b""
        while self._waiting and (whole_answer or self._kind != "tool_use" or self._complete()):
            block = next(iter(self._waiting))
            for event in self._waiting.pop(block):
                data += self._by_event[type(event)](self, event)
        if not self._waiting:
            self._waiting_size = 0
        return data

    def _open(self, block: int, kind: str, start: dict[str, Any]) -> bytes:
        closing = self._close_block()
        self._index += 1
        self._block, self._kind = block, kind
        body = {"type": "content_block_start", "index": self._index, "content_block": {"type": kind} | start}
        return closing + b"event: content_block_start\ndata: " + _ENCODE(body) + b"\n\n"

    def _close_block(self) -> bytes:
        if not self._kind:
            return b""
        self._past.add(self._block)
        self._kind = ""
        self._block = -1
        self._arguments.clear()
        index = str(self._index).encode()
        return b'event: content_block_stop\ndata: {"type":"content_block_stop","index":' + index + b"}\n\n"

    def _delta(self, kind: bytes, field: bytes, value: str) -> bytes:
        return _DELTA % (self._index, kind, field, _ENCODE(value))

    def started(self, event: Started) -> bytes:
        super().started(event)
        message = self._head | {
            "stop_reason": None,
            "stop_sequence": None,
            "usage": from_usage(self.usage or self._estimate),
        }
        return b"event: message_start\ndata: " + _ENCODE({"type": "message_start", "message": message}) + b"\n\n"

    def text(self, event: TextDelta | RefusalDelta) -> bytes:
        opening = b""
        if event.block != self._block:
            opening = self._open(event.block, "text", {"text": ""})
        return opening + self._delta(b"text_delta", b"text", event.text)

    def refusal(self, event: RefusalDelta) -> bytes:
        self._refused = True
        return self.text(event)

    def _thinking_open(self, block: int) -> bytes:
        if block == self._block:
            return b""
        return self._open(block, "thinking", {"thinking": "", "signature": ""})

    def reasoning(self, event: ReasoningDelta) -> bytes:
        opening = self._thinking_open(event.block)
        return opening + self._delta(b"thinking_delta", b"thinking", event.text)

    def signed(self, event: ReasoningSigned) -> bytes:
        """A signature of another vendor means nothing to Claude; Gemini's is kept for its way back."""
        signature = _kept(event.signature, event.format)
        if signature is None:
            return b""
        opening = self._thinking_open(event.block)
        return opening + self._delta(b"signature_delta", b"signature", signature)

    def redacted(self, event: ReasoningRedacted) -> bytes:
        data = _kept(event.data, event.format)
        return self._open(event.block, "redacted_thinking", {"data": data}) if data is not None else b""

    def call_started(self, event: ToolCallStarted) -> bytes:
        signed = b""
        if event.signature is not None:
            signed = self._open(event.block, "redacted_thinking", {"data": marked(event.signature)})
        return signed + self._open(event.block, "tool_use", {"id": event.id, "name": event.name, "input": {}})

    def call_delta(self, event: ToolCallDelta) -> bytes:
        self._arguments.append(event.arguments)
        return self._delta(b"input_json_delta", b"partial_json", event.arguments)

    def end(self) -> bytes:
        data = self._release(whole_answer=True) + self._close_block()
        reason = StopReason.REFUSAL if self._refused and self.stop.reason is StopReason.END else self.stop.reason
        body = {
            "type": "message_delta",
            "delta": {"stop_reason": NAMES[reason], "stop_sequence": self.stop.sequence},
            "usage": from_usage(self.usage or self._estimate),
        }
        stop = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        return data + b"event: message_delta\ndata: " + _ENCODE(body) + b"\n\n" + stop

    def error_event(self, error: WireError) -> bytes:
        return failure(error)


def _kept(signature: str, format_: str | None) -> str | None:
    if format_ == GEMINI_REASONING:
        return marked(signature)
    return signature if format_ in (None, ANTHROPIC_REASONING) else None


def failure(error: WireError) -> bytes:
    """An error inside a stream; the SDK raises APIStatusError with its type."""
    return b"event: error\ndata: " + _ENCODE(error_body(error)) + b"\n\n"
