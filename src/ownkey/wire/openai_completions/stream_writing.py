"""Events into the chunks of a text completion for a client."""

import msgspec

from ownkey.domain.usage import Usage
from ownkey.wire.errors import truncated
from ownkey.wire.events import (
    Event,
    Finished,
    Pinged,
    RefusalDelta,
    Started,
    Stopped,
    StreamFailed,
    TextDelta,
    UsageReported,
)
from ownkey.wire.openai_chat.stream_writing import PING, failure
from ownkey.wire.openai_chat.usage import from_usage
from ownkey.wire.openai_completions.answers import FINISH_REASONS

_ENCODE = msgspec.json.Encoder().encode


class CompletionWriter:
    """Writes the chunks of one answer; all carry the same id, model and time.

    With `include_usage` the last chunk holds the totals and no choices. Reasoning is left out.
    """

    __slots__ = ("_closed", "_head", "_include_usage", "_tail", "_usage")

    def __init__(self, model: str, created: int, answer_id: str, include_usage: bool) -> None:
        common = _ENCODE({"id": answer_id, "object": "text_completion", "created": created, "model": model})
        self._head = b"data: " + common[:-1] + b',"choices":['
        self._tail = b'],"usage":null}\n\n' if include_usage else b"]}\n\n"
        self._include_usage = include_usage
        self._usage: Usage | None = None
        self._closed = False

    def write(self, event: Event) -> bytes:
        if self._closed:
            return b""
        match event:
            case TextDelta() | RefusalDelta():
                return self._chunk(event.text, b"null")
            case Stopped():
                return self._chunk("", _ENCODE(FINISH_REASONS[event.stop.reason]))
            case Started() | UsageReported():
                self._usage = event.usage or self._usage
                return b""
            case Pinged():
                return PING
            case Finished():
                return self._finished()
            case StreamFailed():
                self._closed = True
                return failure(event.error)
            case _:
                return b""

    def finish(self) -> bytes:
        return b"" if self._closed else self.write(StreamFailed(truncated()))

    def _chunk(self, text: str, finish: bytes) -> bytes:
        choice = b'{"text":' + _ENCODE(text) + b',"index":0,"logprobs":null,"finish_reason":' + finish + b"}"
        return self._head + choice + self._tail

    def _finished(self) -> bytes:
        self._closed = True
        if not self._include_usage or self._usage is None:
            return b"data: [DONE]\n\n"
        return self._head + b'],"usage":' + _ENCODE(from_usage(self._usage)) + b"}\n\ndata: [DONE]\n\n"
