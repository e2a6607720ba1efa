"""Watching a chat completion stream that passes as it is, almost without decoding JSON."""

import re
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.wire.errors import error_of_value
from ownkey.wire.observing import PassingObserver, frame_of, raw_events
from ownkey.wire.openai_chat.usage import UsageShape, to_usage

_OBJECT_FOLLOWS = re.compile(rb"\s*:\s*\{").match
_HAS_ERROR = re.compile(rb'"error"\s*:\s*[^\sn]|(?:^|[\r\n])event: ?error').search
_IS_DONE = re.compile(rb"(?:^|[\r\n])data: ?\[DONE\]").search
_HAS_CONTENT = re.compile(
    rb'"(?:content|reasoning_content|reasoning|refusal|text|arguments|name)"\s*:\s*"[^"]|"thinking"\s*:\s*\['
).search
"""A string that is not empty. Inside a JSON string these names would be followed by a backslash."""


class _Chunk(Struct):
    choices: list[msgspec.Raw] | None = None
    usage: UsageShape | None = None


class _Failure(Struct):
    error: Any = None


_CHUNK = msgspec.json.Decoder(_Chunk)
_FAILURE = msgspec.json.Decoder(_Failure)
_ANY = msgspec.json.Decoder()


def _has_usage(data: bytes) -> bool:
    """Whether a usage object is there; `"usage":null` stands in every chunk of some providers."""
    at = data.find(b'"usage"')
    while at >= 0:
        if not data.startswith(b":null", at + 7) and _OBJECT_FOLLOWS(data, at + 7):
            return True
        at = data.find(b'"usage"', at + 7)
    return False


class ChunkObserver(PassingObserver):
    """Takes out the usage chunk (the one without choices) when the client did not ask for it."""

    __slots__ = ()

    def __init__(self, request_wants_usage: bool) -> None:
        super().__init__(strip=not request_wants_usage)

    def inspect(self, whole: bytes) -> bytes:
        if not self.first_content and _HAS_CONTENT(whole):
            self.first_content = True
        if _has_usage(whole):
            whole = self._usage(whole)
        # One event of one line that begins an object: searching for single bytes costs next to nothing.
        plain = whole.startswith(b"data: {") and whole.count(b"\n") == 2 and b"\r" not in whole
        if not plain and b"[DONE]" in whole and _IS_DONE(whole):
            self.ended = True
        if b"error" in whole and _HAS_ERROR(whole):
            self._error(whole)
        return whole

    def _usage(self, whole: bytes) -> bytes:
        kept: list[bytes] = []
        events = raw_events(whole)
        for event in events:
            if not (_has_usage(event) and self._reports_usage_alone(event) and self._strip):
                kept.append(event)
        return whole if len(kept) == len(events) else b"".join(kept)

    def _reports_usage_alone(self, event: bytes) -> bool:
        frame = frame_of(event)
        if frame is None:
            return False
        try:
            chunk = _CHUNK.decode(frame[1])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return False
        if chunk.usage is not None:
            self.usage = to_usage(chunk.usage) or self.usage
        return chunk.usage is not None and chunk.choices == []

    def _error(self, whole: bytes) -> None:
        for event in raw_events(whole):
            if self.error is not None:
                return
            # A body that is no stream at all but a JSON object has no frames.
            name, data = frame_of(event) or (b"", event)
            try:
                failure = _FAILURE.decode(data).error
                if failure is not None:
                    self.error = error_of_value(200, {"error": failure})
                elif name == b"error":
                    self.error = error_of_value(200, _ANY.decode(data))
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                continue
