"""Watching a message stream that passes as it is, decoding only the few events that count."""

import re
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.wire.anthropic_messages.usage import UsageShape, merge, to_usage
from ownkey.wire.errors import error_of_value
from ownkey.wire.observing import PassingObserver, frame_of, raw_events

_COUNTS = re.compile(rb'"type"\s*:\s*"(?:message_start|message_delta|message_stop|error)"').search
_HAS_CONTENT = re.compile(rb'"(?:text|thinking|partial_json|signature)"\s*:\s*"[^"]|"type"\s*:\s*"tool_use"').search


class _Message(Struct):
    usage: UsageShape | None = None


class _Event(Struct):
    type: str = ""
    message: _Message | None = None
    usage: UsageShape | None = None
    error: Any = None


_EVENT = msgspec.json.Decoder(_Event)


class MessageObserver(PassingObserver):
    """Takes nothing out: the format always reports usage."""

    __slots__ = ("_totals",)

    def __init__(self, request_wants_usage: bool) -> None:
        del request_wants_usage
        super().__init__()
        self._totals: UsageShape | None = None

    def inspect(self, whole: bytes) -> bytes:
        if not self.first_content and _HAS_CONTENT(whole):
            self.first_content = True
        if _COUNTS(whole):
            for event in raw_events(whole):
                if _COUNTS(event):
                    self._take(event)
        return whole

    def _take(self, event: bytes) -> None:
        # A body that is no stream at all but a JSON object has no frames.
        _, data = frame_of(event) or (b"", event)
        try:
            told = _EVENT.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return
        if told.type == "message_stop":
            self.ended = True
        elif told.type == "error":
            self.error = error_of_value(200, {"error": told.error})
        else:
            usage = told.message.usage if told.message is not None else told.usage
            if usage is not None:
                self._totals = merge(self._totals, usage)
                self.usage = to_usage(self._totals)
