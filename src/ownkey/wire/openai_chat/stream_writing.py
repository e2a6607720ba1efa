"""Events into chat completion chunks for a client."""

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from ownkey.domain.usage import Usage
from ownkey.wire.errors import WireError, truncated
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
from ownkey.wire.neutral import StopReason
from ownkey.wire.openai_chat.answers import FINISH_REASONS, signed
from ownkey.wire.openai_chat.errors import error_object
from ownkey.wire.openai_chat.usage import from_usage

_ENCODE = msgspec.json.Encoder().encode

PING = b": ping\n\n"
"""A comment: the format has no event for it, and every reader of server-sent events skips it."""


class ChunkWriter:
    """Writes the chunks of one answer; all carry the same id, model and time.

    With `include_usage` the last chunk holds the totals, as OpenAI does for `stream_options.include_usage`.
    """

    __slots__ = ("_calls", "_closed", "_head", "_include_usage", "_tail", "_thoughts", "_usage")

    def __init__(self, model: str, created: int, answer_id: str, include_usage: bool) -> None:
        common = _ENCODE({"id": answer_id, "object": "chat.completion.chunk", "created": created, "model": model})
        self._head = b"data: " + common[:-1] + b',"choices":['
        self._tail = b'],"usage":null}\n\n' if include_usage else b"]}\n\n"
        self._include_usage = include_usage
        self._usage: Usage | None = None
        self._calls: dict[int, int] = {}
        self._thoughts: dict[int, int] = {}
        self._closed = False

    def write(self, event: Event) -> bytes:
        if self._closed:
            return b""
        return self._WRITERS[type(event)](self, event)

    def finish(self) -> bytes:
        return b"" if self._closed else self._failed(StreamFailed(truncated()))

    def _delta(self, delta: bytes, finish: bytes = b"null") -> bytes:
        choice = b'{"index":0,"delta":' + delta + b',"logprobs":null,"finish_reason":' + finish + b"}"
        return self._head + choice + self._tail

    def _started(self, event: Started) -> bytes:
        self._usage = event.usage
        return self._delta(b'{"role":"assistant","content":""}')

    def _text(self, event: TextDelta) -> bytes:
        return self._delta(b'{"content":' + _ENCODE(event.text) + b"}")

    def _refusal(self, event: RefusalDelta) -> bytes:
        return self._delta(b'{"refusal":' + _ENCODE(event.text) + b"}")

    def _reasoning(self, event: ReasoningDelta) -> bytes:
        detail = self._detail(event.block, event.format, {"type": "reasoning.text", "text": event.text})
        return self._delta(b'{"reasoning_content":' + _ENCODE(event.text) + b',"reasoning_details":[' + detail + b"]}")

    def _signed(self, event: ReasoningSigned) -> bytes:
        detail = {"type": "reasoning.text", "signature": event.signature}
        return self._delta(b'{"reasoning_details":[' + self._detail(event.block, event.format, detail) + b"]}")

    def _redacted(self, event: ReasoningRedacted) -> bytes:
        detail = {"type": "reasoning.encrypted", "data": event.data}
        return self._delta(b'{"reasoning_details":[' + self._detail(event.block, event.format, detail) + b"]}")

    def _detail(self, block: int, format_: str | None, detail: dict[str, Any]) -> bytes:
        """One entry; clients join the strings of entries with one index, so the format is said only once."""
        index = self._thoughts.get(block)
        if index is None:
            index = self._thoughts[block] = len(self._thoughts)
            if format_ is not None:
                detail["format"] = format_
        detail["index"] = index
        return _ENCODE(detail)

    def _call_started(self, event: ToolCallStarted) -> bytes:
        index = self._calls[event.block] = len(self._calls)
        call = {
            "index": index,
            "id": event.id,
            "type": "function",
            "function": {"name": event.name, "arguments": ""},
            **signed(event.signature),
        }
        return self._delta(b'{"tool_calls":[' + _ENCODE(call) + b"]}")

    def _call_delta(self, event: ToolCallDelta) -> bytes:
        index = str(self._calls.get(event.block, 0)).encode()
        arguments = b',"function":{"arguments":' + _ENCODE(event.arguments) + b"}}"
        return self._delta(b'{"tool_calls":[{"index":' + index + arguments + b"]}")

    def _stopped(self, event: Stopped) -> bytes:
        stop = event.stop
        refused = b""
        if stop.reason is StopReason.REFUSAL and stop.explanation:
            refused = self._delta(b'{"refusal":' + _ENCODE(stop.explanation) + b"}")
        return refused + self._delta(b"{}", _ENCODE(FINISH_REASONS[stop.reason]))

    def _reported(self, event: UsageReported) -> bytes:
        self._usage = event.usage
        return b""

    def _pinged(self, event: Pinged) -> bytes:
        del event
        return PING

    def _finished(self, event: Finished) -> bytes:
        del event
        self._closed = True
        if not self._include_usage or self._usage is None:
            return b"data: [DONE]\n\n"
        return self._head + b'],"usage":' + _ENCODE(from_usage(self._usage)) + b"}\n\ndata: [DONE]\n\n"

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
    """An error inside a stream; no `[DONE]` follows, and the SDK raises APIError."""
    return b"data: " + _ENCODE({"error": error_object(error)}) + b"\n\n"
