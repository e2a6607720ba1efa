"""A provider's responses events into neutral events (openai.types.responses.ResponseStreamEvent)."""

import re
from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from ownkey.wire.errors import MalformedAnswer, WireError, error_of_value
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
from ownkey.wire.openai_responses import reasoning
from ownkey.wire.openai_responses.answers import (
    Call,
    Incomplete,
    Thought,
    call_id,
    name_of,
    stop_of,
    thought_text,
)
from ownkey.wire.openai_responses.usage import UsageShape, to_usage
from ownkey.wire.reading import FramedReader
from ownkey.wire.sse import parse_block

_MOST_BLOCKS = 10_000
"""More parts than this in one answer are an attack on memory."""


class _Told(Struct):
    """An event of any type; the fields of those that are translated."""

    type: str = ""
    output_index: int = 0
    content_index: int = 0
    summary_index: int = 0
    delta: Any = None
    text: Any = None
    refusal: Any = None
    arguments: Any = None
    item: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()
    error: Any = None
    code: Any = None
    message: Any = None
    param: Any = None


class _Response(Struct):
    id: str | None = None
    model: str | None = None
    status: str | None = None
    usage: UsageShape | None = None
    incomplete_details: Incomplete | None = None
    error: Any = None


class _Kind(Struct):
    type: str = ""


_TOLD = msgspec.json.Decoder(_Told)
_RESPONSE = msgspec.json.Decoder(_Response)
_KIND = msgspec.json.Decoder(_Kind)
_CALL = msgspec.json.Decoder(Call)
_THOUGHT = msgspec.json.Decoder(Thought)


class ResponseReader(FramedReader):
    """Numbers blocks as they appear: a content part is one, and so is a call and the reasoning of one item."""

    __slots__ = ("_blocks", "_calls", "_filled", "_started")

    def __init__(self) -> None:
        super().__init__()
        self._started = False
        self._blocks: dict[tuple[str, int, int], int] = {}
        self._calls: set[int] = set()
        self._filled: set[tuple[str, int, int]] = set()

    def take(self, name: bytes, data: bytes, out: list[Event]) -> None:
        if not data or data == b"[DONE]":
            return
        told = decode(_TOLD, data)
        if told.type == "error" or (not told.type and (told.error is not None or name == b"error")):
            own = {"code": told.code, "message": told.message, "param": told.param}
            self.fail(failure_of(told.error if told.error is not None else own), out)
            return
        if not told.type:
            error = error_of_value(200, {"error": {"message": told.message}}) if told.message else None
            raise MalformedAnswer("an event without a type", error)
        take = self._TAKERS.get(told.type)
        if take is not None:
            take(self, told, out)

    def last(self, rest: bytes, out: list[Event]) -> None:
        """The event that ends the stream may lack its blank line."""
        frame = parse_block(rest.strip(b"\n"))
        if frame is None or not ENDS(frame[1]):
            return
        try:
            self.take(*frame, out)
        except MalformedAnswer:
            return

    def _start(self, out: list[Event], response: _Response | None = None) -> None:
        if not self._started:
            self._started = True
            response = response or _Response()
            out.append(Started(response.id or "", response.model or ""))

    def _created(self, told: _Told, out: list[Event]) -> None:
        self._start(out, decode(_RESPONSE, told.response) if bytes(told.response) else None)

    def _text(self, told: _Told, out: list[Event]) -> None:
        self._fill("text", told.content_index, told, told.delta, TextDelta, out)

    def _text_done(self, told: _Told, out: list[Event]) -> None:
        self._fill_late("text", told.content_index, told, told.text, TextDelta, out)

    def _refusal(self, told: _Told, out: list[Event]) -> None:
        self._fill("refusal", told.content_index, told, told.delta, RefusalDelta, out)

    def _refusal_done(self, told: _Told, out: list[Event]) -> None:
        self._fill_late("refusal", told.content_index, told, told.refusal, RefusalDelta, out)

    def _thought(self, told: _Told, out: list[Event]) -> None:
        """The parts of a summary, and of raw reasoning, are one text with empty lines between."""
        delta = _string(told.delta)
        part = (told.type, told.output_index, told.summary_index or told.content_index)
        block = self._block("thought", told.output_index, 0)
        key = ("thought", told.output_index, 0)
        if key in self._filled and part not in self._filled and delta:
            delta = "\n\n" + delta
        self._filled |= {key, part}
        if delta:
            self._start(out)
            self.first_content = True
            out.append(ReasoningDelta(block, delta))

    def _arguments(self, told: _Told, out: list[Event]) -> None:
        delta = _string(told.delta)
        if delta and told.output_index in self._calls:
            self._filled.add(("call", told.output_index, 0))
            out.append(ToolCallDelta(self._block("call", told.output_index, 0), delta))

    def _arguments_done(self, told: _Told, out: list[Event]) -> None:
        self._fill_call(told.output_index, _string(told.arguments), out)

    def _item_added(self, told: _Told, out: list[Event]) -> None:
        raw = told.item
        if decode(_KIND, raw).type == "function_call":
            self._open_call(told.output_index, decode(_CALL, raw), out)

    def _item_done(self, told: _Told, out: list[Event]) -> None:
        raw = told.item
        kind = decode(_KIND, raw).type
        if kind == "function_call":
            call = decode(_CALL, raw)
            self._open_call(told.output_index, call, out)
            self._fill_call(told.output_index, call.arguments or "", out)
        elif kind == "reasoning":
            self._thought_done(told.output_index, decode(_THOUGHT, raw), out)

    def _thought_done(self, index: int, thought: Thought, out: list[Event]) -> None:
        text = thought_text(thought)
        found = reasoning.unwrap(text, thought.encrypted_content)
        if not text and found.signature is None and found.redacted is None:
            return
        block = self._block("thought", index, 0)
        self._start(out)
        if text and ("thought", index, 0) not in self._filled:
            self.first_content = True
            out.append(ReasoningDelta(block, text, found.format))
        if found.signature is not None:
            out.append(ReasoningSigned(block, found.signature, found.format))
        if found.redacted is not None:
            out.append(ReasoningRedacted(block, found.redacted, found.format))

    def _completed(self, told: _Told, out: list[Event]) -> None:
        response = decode(_RESPONSE, told.response)
        self._start(out, response)
        incomplete = response.incomplete_details
        reason = incomplete.reason if incomplete is not None else None
        status = "incomplete" if told.type == "response.incomplete" else response.status
        out.append(Stopped(stop_of(status, reason, bool(self._calls))))
        if response.usage is not None and (usage := to_usage(response.usage)) is not None:
            self.usage = usage
            out.append(UsageReported(usage))
        self.complete(out)

    def _failed(self, told: _Told, out: list[Event]) -> None:
        response = decode(_RESPONSE, told.response) if bytes(told.response) else _Response()
        if response.usage is not None:
            self.usage = to_usage(response.usage)
        self.fail(failure_of(response.error if response.error is not None else told.error), out)

    def _block(self, kind: str, output_index: int, part: int) -> int:
        key = (kind, output_index, part)
        block = self._blocks.get(key)
        if block is None:
            block = self._blocks[key] = len(self._blocks)
            if block >= _MOST_BLOCKS:
                raise MalformedAnswer("too many parts in an answer")
        return block

    def _fill(
        self, kind: str, part: int, told: _Told, value: object, delta: Callable[[int, str], Event], out: list[Event]
    ) -> None:
        text = _string(value)
        block = self._block(kind, told.output_index, part)
        if text:
            self._filled.add((kind, told.output_index, part))
            self._start(out)
            self.first_content = True
            out.append(delta(block, text))

    def _fill_late(
        self, kind: str, part: int, told: _Told, value: object, delta: Callable[[int, str], Event], out: list[Event]
    ) -> None:
        """Some providers send the whole at the end and no pieces before."""
        if (kind, told.output_index, part) not in self._filled:
            self._fill(kind, part, told, value, delta, out)

    def _open_call(self, index: int, call: Call, out: list[Event]) -> None:
        if index in self._calls:
            return
        self._calls.add(index)
        self._start(out)
        self.first_content = True
        out.append(ToolCallStarted(self._block("call", index, 0), call_id(call), name_of(call)))

    def _fill_call(self, index: int, arguments: str, out: list[Event]) -> None:
        key = ("call", index, 0)
        if arguments and index in self._calls and key not in self._filled:
            self._filled.add(key)
            out.append(ToolCallDelta(self._block(*key), arguments))

    _TAKERS: ClassVar[dict[str, Callable[[Any, _Told, list[Event]], None]]] = {
        "response.created": _created,
        "response.output_text.delta": _text,
        "response.output_text.done": _text_done,
        "response.refusal.delta": _refusal,
        "response.refusal.done": _refusal_done,
        "response.reasoning_summary_text.delta": _thought,
        "response.reasoning_text.delta": _thought,
        "response.function_call_arguments.delta": _arguments,
        "response.function_call_arguments.done": _arguments_done,
        "response.output_item.added": _item_added,
        "response.output_item.done": _item_done,
        "response.completed": _completed,
        "response.incomplete": _completed,
        "response.failed": _failed,
    }


def _string(value: object) -> str:
    """Raises MalformedAnswer for what is neither text nor absent."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedAnswer("a delta that is no text")
    return value


ENDS = re.compile(rb'"type"\s*:\s*"(?:response\.(?:completed|incomplete|failed)|error)"|"error"\s*:\s*\{').search
_HAS_CONTENT = re.compile(rb'"delta"\s*:\s*"[^"]|"type"\s*:\s*"function_call"').search


class FinalResponse(Struct):
    """What a last event says of the whole answer."""

    status: str | None = None
    usage: UsageShape | None = None
    error: Any = None


class _WatchedEvent(Struct):
    type: str = ""
    response: FinalResponse | None = None
    error: Any = None
    code: Any = None
    message: Any = None
    param: Any = None


_WATCHED = msgspec.json.Decoder(_WatchedEvent)


class ResponseObserver(PassingObserver):
    """Takes nothing out: the format always reports usage."""

    __slots__ = ()

    def counts(self, whole: bytes) -> bool:
        return ENDS(whole) is not None

    def inspect(self, whole: bytes) -> bytes:
        if not self.first_content and _HAS_CONTENT(whole):
            self.first_content = True
        if ENDS(whole):
            for event in raw_events(whole):
                if ENDS(event) and not (self.ended or self.error):
                    self._take(event)
        return whole

    def _take(self, event: bytes) -> None:
        # A body that is no stream at all but a JSON object has no frames.
        _, data = frame_of(event) or (b"", event)
        seen = decode_or_none(_WATCHED, data)
        if seen is None:
            return
        response = seen.response or FinalResponse()
        if seen.type in ("response.completed", "response.incomplete"):
            self.ended = True
            self.usage = to_usage(response.usage) if response.usage is not None else None
        elif seen.type == "response.failed":
            self.error = failure_of(response.error if response.error is not None else seen.error)
            self.usage = to_usage(response.usage) if response.usage is not None else None
        elif seen.type == "error":
            own = {"code": seen.code, "message": seen.message, "param": seen.param}
            self.error = failure_of(seen.error if seen.error is not None else own)
        elif not seen.type and seen.error is not None:
            self.error = failure_of(seen.error)


def failure_of(error: object) -> WireError:
    """The error of an event, whose status is guessed from its code."""
    return error_of_value(200, {"error": error})
