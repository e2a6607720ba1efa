"""Events into chat completion chunks for a client."""

from typing import Any

import msgspec

from ownkey.wire.errors import WireError
from ownkey.wire.events import (
    ReasoningDelta,
    ReasoningRedacted,
    ReasoningSigned,
    RefusalDelta,
    Started,
    Stopped,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
)
from ownkey.wire.neutral import AnswerLabel, StopReason
from ownkey.wire.openai_chat.answers import DONE, FINISH_REASONS, signed
from ownkey.wire.openai_chat.errors import error_object
from ownkey.wire.openai_chat.usage import from_usage
from ownkey.wire.writing import StreamWriter

_ENCODE = msgspec.json.Encoder().encode


class ChunkWriter(StreamWriter):
    """Writes the chunks of one answer; all carry the same id, model and time.

    With `include_usage` the last chunk holds the totals, as OpenAI does for `stream_options.include_usage`.
    """

    __slots__ = ("_calls", "_freeform", "_head", "_include_usage", "_tail", "_thoughts")

    def __init__(self, label: AnswerLabel, include_usage: bool) -> None:
        super().__init__()
        common = {"id": label.id, "object": "chat.completion.chunk", "created": label.created, "model": label.model}
        self._head = b"data: " + _ENCODE(common)[:-1] + b',"choices":['
        self._tail = b'],"usage":null}\n\n' if include_usage else b"]}\n\n"
        self._include_usage = include_usage
        self._calls: dict[int, int] = {}
        self._freeform: set[int] = set()
        self._thoughts: dict[int, int] = {}

    def _delta(self, delta: bytes, finish: bytes = b"null") -> bytes:
        choice = b'{"index":0,"delta":' + delta + b',"logprobs":null,"finish_reason":' + finish + b"}"
        return self._head + choice + self._tail

    def started(self, event: Started) -> bytes:
        self.usage = event.usage
        return self._delta(b'{"role":"assistant","content":""}')

    def text(self, event: TextDelta) -> bytes:
        return self._delta(b'{"content":' + _ENCODE(event.text) + b"}")

    def refusal(self, event: RefusalDelta) -> bytes:
        return self._delta(b'{"refusal":' + _ENCODE(event.text) + b"}")

    def reasoning(self, event: ReasoningDelta) -> bytes:
        detail = self._detail(event.block, event.format, {"type": "reasoning.text", "text": event.text})
        return self._delta(b'{"reasoning_content":' + _ENCODE(event.text) + b',"reasoning_details":[' + detail + b"]}")

    def signed(self, event: ReasoningSigned) -> bytes:
        detail = {"type": "reasoning.text", "signature": event.signature}
        return self._delta(b'{"reasoning_details":[' + self._detail(event.block, event.format, detail) + b"]}")

    def redacted(self, event: ReasoningRedacted) -> bytes:
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

    def call_started(self, event: ToolCallStarted) -> bytes:
        index = self._calls[event.block] = len(self._calls)
        call: dict[str, Any] = {"index": index, "id": event.id}
        if event.freeform:
            self._freeform.add(event.block)
            call |= {"type": "custom", "custom": {"name": event.name, "input": ""}}
        else:
            call |= {"type": "function", "function": {"name": event.name, "arguments": ""}}
        call |= signed(event.signature)
        return self._delta(b'{"tool_calls":[' + _ENCODE(call) + b"]}")

    def call_delta(self, event: ToolCallDelta) -> bytes:
        index = str(self._calls.get(event.block, 0)).encode()
        place = b',"custom":{"input":' if event.block in self._freeform else b',"function":{"arguments":'
        arguments = place + _ENCODE(event.arguments) + b"}}"
        return self._delta(b'{"tool_calls":[{"index":' + index + arguments + b"]}")

    def stopped(self, event: Stopped) -> bytes:
        stop = event.stop
        refused = b""
        if stop.reason is StopReason.REFUSAL and stop.explanation:
            refused = self._delta(b'{"refusal":' + _ENCODE(stop.explanation) + b"}")
        return refused + self._delta(b"{}", _ENCODE(FINISH_REASONS[stop.reason]))

    def end(self) -> bytes:
        if not self._include_usage or self.usage is None:
            return DONE
        return self._head + b'],"usage":' + _ENCODE(from_usage(self.usage)) + b"}\n\n" + DONE

    def error_event(self, error: WireError) -> bytes:
        return error_chunk(error)


def error_chunk(error: WireError) -> bytes:
    """An error inside a stream; no `[DONE]` follows, and the SDK raises APIError."""
    return b"data: " + _ENCODE({"error": error_object(error)}) + b"\n\n"
