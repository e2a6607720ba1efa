"""Watching a responses stream that passes as it is, decoding only the event that ends it."""

import re
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.wire.errors import WireError, error_of_value
from ownkey.wire.observing import PassingObserver, frame_of, raw_events
from ownkey.wire.openai_responses.usage import UsageShape, to_usage

ENDS = re.compile(rb'"type"\s*:\s*"(?:response\.(?:completed|incomplete|failed)|error)"|"error"\s*:\s*\{').search
_HAS_CONTENT = re.compile(rb'"delta"\s*:\s*"[^"]|"type"\s*:\s*"function_call"').search


class FinalResponse(Struct):
    """What a last event says of the whole answer."""

    status: str | None = None
    usage: UsageShape | None = None
    error: Any = None


class _Event(Struct):
    type: str = ""
    response: FinalResponse | None = None
    error: Any = None
    code: Any = None
    message: Any = None
    param: Any = None


_EVENT = msgspec.json.Decoder(_Event)


class ResponseObserver(PassingObserver):
    """Takes nothing out: the format always reports usage."""

    __slots__ = ()

    def __init__(self, request_wants_usage: bool) -> None:
        del request_wants_usage
        super().__init__()

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
        try:
            told = _EVENT.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return
        response = told.response or FinalResponse()
        if told.type in ("response.completed", "response.incomplete"):
            self.ended = True
            self.usage = to_usage(response.usage) if response.usage is not None else None
        elif told.type == "response.failed":
            self.error = failure_of(response.error if response.error is not None else told.error)
            self.usage = to_usage(response.usage) if response.usage is not None else None
        elif told.type == "error":
            own = {"code": told.code, "message": told.message, "param": told.param}
            self.error = failure_of(told.error if told.error is not None else own)
        elif not told.type and told.error is not None:
            self.error = failure_of(told.error)


def failure_of(error: object) -> WireError:
    """The error of an event, whose status is guessed from its code."""
    return error_of_value(200, {"error": error})
