"""Watching a stream of generated content that passes as it is.

Every chunk repeats the usage, so only the newest of the chunks that arrive together is decoded for it.
"""

import re

import msgspec

from ownkey.wire.gemini.answers import RESPONSE, Response
from ownkey.wire.gemini.errors import of_value
from ownkey.wire.gemini.usage import to_usage
from ownkey.wire.observing import PassingObserver, frame_of, raw_events

_COUNTS = re.compile(rb'"(?:finishReason|blockReason)"\s*:\s*"|"error"\s*:\s*\{').search
_HAS_CONTENT = re.compile(rb'"(?:text|thoughtSignature)"\s*:\s*"[^"]|"functionCall"\s*:\s*\{').search


class ContentObserver(PassingObserver):
    """Takes nothing out: the format always reports usage."""

    __slots__ = ()

    def __init__(self, request_wants_usage: bool) -> None:
        del request_wants_usage
        super().__init__()

    def inspect(self, whole: bytes) -> bytes:
        if not self.first_content and _HAS_CONTENT(whole):
            self.first_content = True
        if _COUNTS(whole):
            for event in raw_events(whole):
                self._take(event)
        elif b'"usageMetadata"' in whole:
            self._take(_newest(whole))
        return whole

    def _take(self, event: bytes) -> None:
        # A body that is no stream at all but a JSON object has no frames.
        _, data = frame_of(event) or (b"", event)
        try:
            told = RESPONSE.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return
        if told.error is not None:
            self.error = of_value(200, {"error": told.error})
            return
        if _is_last(told):
            self.ended = True
        if told.usage_metadata is not None:
            self.usage = to_usage(told.usage_metadata) or self.usage


def _newest(whole: bytes) -> bytes:
    """The last event of `whole` that reports usage."""
    return next((event for event in reversed(raw_events(whole)) if b'"usageMetadata"' in event), whole)


def _is_last(told: Response) -> bool:
    """Whether a chunk says why the answer stopped."""
    stopped = any(candidate.finish_reason for candidate in told.candidates or () if not candidate.index)
    return stopped or bool(told.prompt_feedback and told.prompt_feedback.block_reason)
