"""Watching a stream of generated content that passes as it is, decoding next to none of it.

Every chunk repeats the usage: the newest is kept as it came, and decoded when somebody asks.
"""

import re

import msgspec

from ownkey.domain.usage import Usage
from ownkey.wire.gemini.answers import RESPONSE, Response
from ownkey.wire.gemini.errors import of_value
from ownkey.wire.gemini.usage import to_usage
from ownkey.wire.observing import PassingObserver, frame_of, raw_events

_COUNTS = re.compile(rb'"(?:finishReason|blockReason)"\s*:\s*"|"error"\s*:\s*\{').search
_HAS_CONTENT = re.compile(rb'"(?:text|thoughtSignature)"\s*:\s*"[^"]|"functionCall"\s*:\s*\{').search


class ContentObserver(PassingObserver):
    """Takes nothing out: the format always reports usage."""

    __slots__ = ("_reported", "_unread")

    def __init__(self, request_wants_usage: bool) -> None:
        del request_wants_usage
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
    try:
        return RESPONSE.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _is_last(told: Response) -> bool:
    """Whether a chunk says why the answer stopped."""
    stopped = any(candidate.finish_reason for candidate in told.candidates or () if not candidate.index)
    return stopped or bool(told.prompt_feedback and told.prompt_feedback.block_reason)
