"""A provider's chunks of generated content into events.

Each event is a GenerateContentResponse. The format has no end mark: the answer is complete once a chunk told
why it stopped, though chunks with the last totals may follow.
"""

import re

from ownkey.domain.usage import Usage
from ownkey.wire.errors import MalformedAnswer
from ownkey.wire.events import (
    Event,
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
from ownkey.wire.gemini.answers import (
    RESPONSE,
    AnswerPart,
    Candidate,
    Response,
    arguments,
    blocked,
    call_id,
    check,
    stop_of,
)
from ownkey.wire.gemini.errors import of_value
from ownkey.wire.gemini.usage import to_usage
from ownkey.wire.neutral import GEMINI_REASONING, Stop
from ownkey.wire.observing import PassingObserver, frame_of, raw_events
from ownkey.wire.reading import FramedReader
from ownkey.wire.sse import parse_block

_ENDS = (b'"finishReason"', b'"blockReason"', b'"error"')
_MOST_BLOCKS = 10_000
"""More parts than this in one answer are an attack on memory."""


class ContentReader(FramedReader):
    """Numbers blocks as they appear: a run of text or of thoughts is one block, and so is each call."""

    __slots__ = ("_block", "_calls_tools", "_id", "_kind", "_started", "_stopped")

    def __init__(self) -> None:
        super().__init__()
        self._id = ""
        self._started = False
        self._stopped = False
        self._calls_tools = False
        self._block = -1
        self._kind = ""

    def take(self, name: bytes, data: bytes, out: list[Event]) -> None:
        if data:
            self._take(decode(RESPONSE, data), out)

    def last(self, rest: bytes, out: list[Event]) -> None:
        """The last chunk counts without the blank line that should follow it."""
        frame = parse_block(rest.strip(b"\n"))
        try:
            if frame is not None and (self._stopped or any(mark in frame[1] for mark in _ENDS)):
                self._take(decode(RESPONSE, frame[1]), out)
        except MalformedAnswer as error:
            if error.error is not None:
                self.fail(error.error, out)
        if self._stopped and not self.error:
            self.complete(out)

    def _take(self, response: Response, out: list[Event]) -> None:
        check(response)
        if not self._started:
            self._started = True
            self._id = response.response_id or ""
            out.append(Started(self._id, response.model_version or ""))
        usage = to_usage(response.usage_metadata) if response.usage_metadata is not None else None
        news = usage is not None and usage != self.usage
        self.usage = usage or self.usage
        for candidate in response.candidates or ():
            if not candidate.index:
                self._candidate(candidate, out)
        if not response.candidates and response.prompt_feedback and response.prompt_feedback.block_reason:
            self._stop(blocked(response.prompt_feedback), out)
        if news and usage is not None:
            out.append(UsageReported(usage))

    def _candidate(self, candidate: Candidate, out: list[Event]) -> None:
        if candidate.content is not None:
            before = len(out)
            for part in candidate.content.parts or ():
                self._part(part, out)
            if len(out) > before:
                self.first_content = True
        if candidate.finish_reason:
            self._stop(stop_of(candidate, self._calls_tools), out)

    def _stop(self, stop: Stop, out: list[Event]) -> None:
        if not self._stopped:
            self._stopped = True
            out.append(Stopped(stop))

    def _part(self, part: AnswerPart, out: list[Event]) -> None:
        signature = part.thought_signature
        if part.function_call is not None:
            call = part.function_call
            if not call.name:
                raise MalformedAnswer("a function call without a name")
            self._calls_tools = True
            block = self._new("call")
            out.append(ToolCallStarted(block, call_id(call, self._id, block), call.name, signature))
            out.append(ToolCallDelta(block, arguments(call)))
        elif part.thought:
            if part.text:
                out.append(ReasoningDelta(self._run("thought"), part.text, GEMINI_REASONING))
            if signature is not None:
                out.append(ReasoningSigned(self._run("thought"), signature, GEMINI_REASONING))
        else:
            if signature is not None:
                out.append(ReasoningRedacted(self._new("signature"), signature, GEMINI_REASONING))
            if part.text:
                out.append(TextDelta(self._run("text"), part.text))

    def _run(self, kind: str) -> int:
        """The block of the run of `kind` that is under way, or a new one."""
        return self._block if kind == self._kind else self._new(kind)

    def _new(self, kind: str) -> int:
        self._kind = kind
        self._block += 1
        if self._block >= _MOST_BLOCKS:
            raise MalformedAnswer("too many parts in an answer")
        return self._block


_COUNTS = re.compile(rb'"(?:finishReason|blockReason)"\s*:\s*"|"error"\s*:\s*\{').search
_HAS_CONTENT = re.compile(rb'"(?:text|thoughtSignature)"\s*:\s*"[^"]|"functionCall"\s*:\s*\{').search


class ContentObserver(PassingObserver):
    """Takes nothing out: the format always reports usage.

    Every chunk repeats the totals: the newest are kept as they came and decoded when somebody asks.
    """

    __slots__ = ("_reported", "_unread")

    def __init__(self) -> None:
        self._reported: Usage | None = None
        self._unread = b""
        super().__init__()

    @property
    def usage(self) -> Usage | None:
        unread, self._unread = self._unread, b""
        if unread:
            events = (event for event in reversed(raw_events(unread)) if b'"usageMetadata"' in event)
            told = _decoded(next(events, b""))
            if told is not None and told.usage_metadata is not None:
                self._reported = to_usage(told.usage_metadata) or self._reported
        return self._reported

    @usage.setter
    def usage(self, usage: Usage | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._reported = usage

    def finish(self) -> bytes:
        """What is held may be half of a chunk: the totals before it are read first."""
        self._reported = self.usage
        return super().finish()

    def counts(self, whole: bytes) -> bool:
        if b'"usageMetadata"' in whole:
            self._unread = whole
        return b'Reason"' in whole or b'"error"' in whole

    def inspect(self, whole: bytes) -> bytes:
        if not self.first_content and _HAS_CONTENT(whole):
            self.first_content = True
        if _COUNTS(whole):
            for event in raw_events(whole):
                self._take(event)
        if b'"usageMetadata"' in whole:
            self._unread = whole
        return whole

    def _take(self, event: bytes) -> None:
        told = _decoded(event)
        if told is None:
            return
        if told.error is not None:
            self.error = of_value(200, {"error": told.error})
        elif _is_last(told):
            self.ended = True


def _decoded(event: bytes) -> Response | None:
    """None for what is no chunk. A body that is no stream at all but a JSON object has no frames."""
    _, data = frame_of(event) or (b"", event)
    return decode_or_none(RESPONSE, data)


def _is_last(told: Response) -> bool:
    """Whether a chunk says why the answer stopped."""
    stopped = any(candidate.finish_reason for candidate in told.candidates or () if not candidate.index)
    return stopped or bool(told.prompt_feedback and told.prompt_feedback.block_reason)
