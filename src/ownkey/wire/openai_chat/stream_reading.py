"""A provider's chat completion chunks into events (openai.types.chat.ChatCompletionChunk)."""

import re
from collections import deque
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.wire.errors import MalformedAnswer, broken, error_of_value
from ownkey.wire.events import (
    Event,
    ReasoningDelta,
    ReasoningRedacted,
    ReasoningSigned,
    RefusalDelta,
    Started,
    Stopped,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from ownkey.wire.fields import decode, decode_or_none
from ownkey.wire.observing import PassingObserver, frame_of, raw_events
from ownkey.wire.openai_chat.answers import DONE, Ending, Piece, broken_off, call_id, pieces, stop_of
from ownkey.wire.openai_chat.request_shapes import ReasoningDetail
from ownkey.wire.openai_chat.usage import Place, Reporting, reported
from ownkey.wire.reading import FramedReader
from ownkey.wire.sse import parse_block

_MOST_BLOCKS = 10_000
"""More parts than this in one answer are an attack on memory."""
_LAST = 8
"""Pieces of a passing stream in which the reason for its end is looked for when the end mark is missing."""


class _Function(Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(Struct):
    content: str | list[Piece] | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[ReasoningDetail] | None = None
    tool_calls: list[_Call] | None = None


class _Choice(Place):
    index: int | None = None
    delta: _Delta | None = None
    finish_reason: str | None = None
    error: Any = None


class _Chunk(Place):
    choices: list[_Choice] | None = None
    id: str | None = None
    model: str | None = None
    x_groq: Place | None = None
    error: Any = None


class _Bare(Struct):
    """An error that is not wrapped in an object of its own."""

    message: Any = None
    detail: Any = None


_CHUNK = msgspec.json.Decoder(_Chunk)
_BARE = msgspec.json.Decoder(_Bare)
_ANY = msgspec.json.Decoder()


class ChunkReader(FramedReader):
    """Numbers blocks as they appear: a run of text or of reasoning is one block, and so is each tool call."""

    __slots__ = ("_block", "_calls", "_id", "_kind", "_started", "_stopped")

    def __init__(self) -> None:
        super().__init__()
        self._id = ""
        self._started = False
        self._stopped = False
        self._block = -1
        self._kind: object = None
        self._calls: dict[int, tuple[int, str | None]] = {}

    def take(self, name: bytes, data: bytes, out: list[Event]) -> None:
        if data == b"[DONE]":
            self._done(out)
            return
        if not data:
            return
        if name == b"error":
            self.fail(error_of_value(200, decode(_ANY, data)), out)
            return
        chunk = decode(_CHUNK, data)
        if chunk.error is not None:
            self.fail(error_of_value(200, {"error": chunk.error}), out)
            return
        if chunk.choices is None and chunk.usage is None:
            raise _not_a_chunk(data)
        if not self._started:
            self._started = True
            self._id = chunk.id or ""
            out.append(Started(self._id, chunk.model or ""))
        for choice in chunk.choices or ():
            if not choice.index:
                self._choice(choice, out)
        if (usage := reported(chunk, chunk.x_groq, chunk.choices)) is not None:
            self.usage = usage
            out.append(UsageReported(usage))

    def last(self, rest: bytes, out: list[Event]) -> None:
        if rest.strip() == b"data: [DONE]":
            self._done(out)

    def settle(self, rest: bytes, out: list[Event]) -> None:
        """An answer that said why it stopped is complete: some servers leave the end mark out. OpenAI's own SDKs
        agree."""
        frame = parse_block(rest.strip(b"\n"))
        if frame is not None:
            try:
                self.take(*frame, out)
            except MalformedAnswer as error:
                if error.error is not None:
                    self.fail(error.error, out)
                return
        if self._stopped and not self._closed:
            self.complete(out)

    def _done(self, out: list[Event]) -> None:
        if not self._started:
            self.fail(broken("The provider's stream ended before it began."), out)
            return
        if not self._stopped:
            out.append(Stopped(stop_of(None, bool(self._calls))))
        self.complete(out)

    def _choice(self, choice: _Choice, out: list[Event]) -> None:
        if choice.delta is not None:
            before = len(out)
            self._delta(choice.delta, out)
            if len(out) > before:
                self.first_content = True
        if choice.finish_reason and not self._stopped:
            if (error := broken_off(choice.finish_reason, choice.error)) is not None:
                raise MalformedAnswer("finish_reason error", error)
            self._stopped = True
            out.append(Stopped(stop_of(choice.finish_reason, bool(self._calls))))

    def _delta(self, delta: _Delta, out: list[Event]) -> None:
        content = delta.content
        reasoning = delta.reasoning_content or delta.reasoning
        if isinstance(content, list):
            thought, content = pieces(content)
            reasoning = reasoning or thought
        if delta.reasoning_details:
            self._details(delta.reasoning_details, out)
        elif reasoning:
            out.append(ReasoningDelta(self._run("reasoning"), reasoning))
        if content:
            out.append(TextDelta(self._run("text"), content))
        if delta.refusal:
            out.append(RefusalDelta(self._run("refusal"), delta.refusal))
        for call in delta.tool_calls or ():
            self._call(call, out)

    def _details(self, details: list[ReasoningDetail], out: list[Event]) -> None:
        for detail in details:
            block = self._run(("detail", detail.index))
            text = detail.text or detail.summary
            if text:
                out.append(ReasoningDelta(block, text, detail.format))
            if detail.signature:
                out.append(ReasoningSigned(block, detail.signature, detail.format))
            if detail.data:
                out.append(ReasoningRedacted(self._run(("data", detail.index)), detail.data, detail.format))

    def _run(self, kind: object) -> int:
        """The block of the run of `kind` that is under way, or a new one."""
        if kind != self._kind:
            self._kind = kind
            self._block += 1
            if self._block >= _MOST_BLOCKS:
                raise MalformedAnswer("too many parts in an answer")
        return self._block

    def _call(self, call: _Call, out: list[Event]) -> None:
        function = call.function or _Function()
        index = call.index if call.index is not None else len(self._calls) if call.id else max(self._calls, default=0)
        known = self._calls.get(index)
        # Some providers give every parallel call, sent whole, the index 0: a new id with a name is a new call.
        if known is None or (call.id and function.name and known[1] and call.id != known[1]):
            if not function.name:
                raise MalformedAnswer("a tool call begins without a name")
            known = (self._run(("call", index, call.id)), call.id)
            self._calls[index] = known
            out.append(ToolCallStarted(known[0], call_id(call.id, self._id, self._block), function.name))
        if function.arguments:
            out.append(ToolCallDelta(known[0], function.arguments))


def _not_a_chunk(data: bytes) -> MalformedAnswer:
    """Data without choices and usage: some providers send a bare error object."""
    told = decode(_BARE, data)
    error = None if told.message is None and told.detail is None else error_of_value(200, decode(_ANY, data))
    return MalformedAnswer("no choices in a chunk", error)


_HAS_USAGE = re.compile(rb'"usage"\s*:\s*\{').search
"""An object: `"usage":null` stands in every chunk of some providers."""
_MAY_HAVE_ERROR = re.compile(rb"error").search
_MAY_BE_DONE = re.compile(rb"\[DONE\]").search
"""Literal patterns: on data of this size they are quicker than `in`."""
_HAS_ERROR = re.compile(rb'"error"\s*:\s*[^\sn]|(?:^|[\r\n])event: ?error|"finish_reason"\s*:\s*"error"').search
_HAS_STOPPED = re.compile(rb'"finish_reason"\s*:\s*"').search
_NO_USAGE = re.compile(rb',\s*"usage"\s*:\s*null').search
"""As OpenAI writes it in every chunk when usage is asked for."""
_IS_DONE = re.compile(rb"(?:^|[\r\n])data: ?\[DONE\]").search
_HAS_CONTENT = re.compile(
    rb'"(?:content|reasoning_content|reasoning|refusal|text|arguments|name)"\s*:\s*"[^"]|"thinking"\s*:\s*\['
).search
"""A string that is not empty. Inside a JSON string these names would be followed by a backslash."""


class _Failure(Struct):
    error: Any = None
    choices: list[Ending] | None = None


_USAGE_CHUNK = msgspec.json.Decoder(Reporting)
_FAILURE = msgspec.json.Decoder(_Failure)


class ChunkObserver(PassingObserver):
    """Takes out what comes only because Ownkey asked for usage and the client did not: the usage chunk (the one without
    choices), and `"usage": null` in all others, which strict clients refuse."""

    __slots__ = ("_last", "_stopped")

    def __init__(self, request_wants_usage: bool) -> None:
        super().__init__(strip=not request_wants_usage)
        self._stopped = False
        self._last: deque[bytes] = deque(maxlen=_LAST)

    def counts(self, whole: bytes) -> bool:
        if _HAS_USAGE(whole) or _MAY_BE_DONE(whole) or _MAY_HAVE_ERROR(whole):
            return True
        self._last.append(whole)
        return False

    def inspect(self, whole: bytes) -> bytes:
        if not self.first_content:
            if _HAS_CONTENT(whole):
                self.first_content = True
            if self._strip and not self._drop and (found := _NO_USAGE(whole)):
                self._drop = found.group()
        if _HAS_STOPPED(whole):
            self._stopped = True
        if _HAS_USAGE(whole):
            whole = self._usage(whole)
        if _MAY_BE_DONE(whole) and _IS_DONE(whole):
            self.ended = True
        if _MAY_HAVE_ERROR(whole) and _HAS_ERROR(whole):
            self._error(whole)
        return whole.replace(self._drop, b"") if self._drop else whole

    def finish(self) -> bytes:
        """An answer that said why it stopped is complete without the end mark, as for `ChunkReader`."""
        half = bytes(self._held)
        rest = super().finish()
        if self.ended or self.error is not None or (half.strip() and not _is_whole(half)):
            return rest
        if self._stopped or any(map(_HAS_STOPPED, self._last)):
            self.ended = True
            self.closing = DONE
        return rest

    def _usage(self, whole: bytes) -> bytes:
        kept: list[bytes] = []
        events = raw_events(whole)
        for event in events:
            if not (_HAS_USAGE(event) and self._reports_usage_alone(event) and self._strip):
                kept.append(event)
        return whole if len(kept) == len(events) else b"".join(kept)

    def _reports_usage_alone(self, event: bytes) -> bool:
        frame = frame_of(event)
        if frame is None:
            return False
        chunk = decode_or_none(_USAGE_CHUNK, frame[1])
        if chunk is None:
            return False
        self.usage = reported(chunk, chunk.x_groq, chunk.choices) or self.usage
        return chunk.usage is not None and chunk.choices == []

    def _error(self, whole: bytes) -> None:
        for event in raw_events(whole):
            if self.error is not None:
                return
            # A body that is no stream at all but a JSON object has no frames.
            name, data = frame_of(event) or (b"", event)
            try:
                failure = _FAILURE.decode(data)
                if failure.error is not None:
                    self.error = error_of_value(200, {"error": failure.error})
                elif name == b"error":
                    self.error = error_of_value(200, _ANY.decode(data))
                else:
                    errors = (broken_off(choice.finish_reason, choice.error) for choice in failure.choices or ())
                    self.error = next(filter(None, errors), None)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                continue


def _is_whole(event: bytes) -> bool:
    """Whether an event that no blank line closed is complete but for that."""
    frame = frame_of(event)
    return frame is None or not frame[1] or decode_or_none(_USAGE_CHUNK, frame[1]) is not None
