"""What formats share that exist at one vendor alone: requests and answers pass, and only their usage is read."""

import re
from collections.abc import Callable, Collection
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.usage import Usage
from ownkey.wire.errors import error_of_value
from ownkey.wire.fields import Count
from ownkey.wire.observing import PassingObserver, frame_of, raw_events

_ERROR = re.compile(rb'"(?:type|object)"\s*:\s*"error"|"error"\s*:\s*[^\sn]|(?:^|[\r\n])event: ?error').search


def no_defaults(
    parsed: dict[str, Any], temperature: float | None, max_tokens: int | None, quirks: Collection[str] = ()
) -> dict[str, Any]:
    """Nothing: the preferences speak of chats."""
    del parsed, temperature, max_tokens, quirks
    return {}


def no_usage_asked(parsed: dict[str, Any]) -> dict[str, Any]:
    """Nothing: usage comes unasked, or not at all."""
    del parsed
    return {}


def flag(parsed: dict[str, Any], name: str) -> bool:
    """A yes or no that may be the text of a form's field. Raises InvalidRequest."""
    value = parsed.get(name)
    if value is None or value in (False, "false"):
        return False
    if value in (True, "true"):
        return True
    raise InvalidRequest(f"`{name}` must be true or false.", param=name)


class _Details(Struct):
    cached_tokens: Count | None = None


class TokenUsage(Struct):
    """OpenAI's words for media, and those for chats that others use here too.

    Other measures, such as the seconds of audio, are none of ours.
    """

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    input_tokens_details: _Details | None = None


class _Body(Struct):
    type: str = ""
    usage: TokenUsage | None = None
    error: Any = None


_BODY = msgspec.json.Decoder(_Body)
_ANY = msgspec.json.Decoder()


def usage_of(body: bytes) -> Usage | None:
    """The usage in a whole answer; None where there is none that can be read."""
    try:
        return to_usage(_BODY.decode(body).usage)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def to_usage(shape: TokenUsage | None) -> Usage | None:
    if shape is None:
        return None
    read = shape.prompt_tokens if shape.input_tokens is None else shape.input_tokens
    written = shape.completion_tokens if shape.output_tokens is None else shape.output_tokens
    if read is None and written is None:
        return None
    asked = int(read or 0)
    details = shape.input_tokens_details
    cached = int((details and details.cached_tokens) or 0)
    return Usage(asked, int(written or 0), min(cached, asked))


class TypedEventObserver(PassingObserver):
    """Watches events that name themselves in `type`. One of `last` ends the stream and carries its usage."""

    __slots__ = ("_counts", "_last")

    def __init__(self, last: Collection[str], limit: int) -> None:
        super().__init__(limit=limit)
        self._last = frozenset(last)
        names = "|".join(re.escape(name) for name in sorted(last))
        self._counts = re.compile(rb'"type"\s*:\s*"(?:' + names.encode() + rb')"').search

    def inspect(self, whole: bytes) -> bytes:
        if self._counts(whole) or _ERROR(whole):
            for event in raw_events(whole):
                self._take(event)
        if self.error is None and b"data:" in whole:
            self.first_content = True
        return whole

    def _take(self, event: bytes) -> None:
        # A body that is no stream at all but a JSON object has no frames.
        name, data = frame_of(event) or (b"", event)
        try:
            told = _BODY.decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return
        if told.type in self._last:
            self.ended = True
            self.usage = to_usage(told.usage) or self.usage
        elif told.error is not None:
            self.error = error_of_value(200, {"error": told.error})
        elif told.type == "error" or name == b"error":
            self.error = error_of_value(200, _ANY.decode(data))


def typed_events(*last: str, limit: int) -> Callable[[bool], TypedEventObserver]:
    """What makes an observer for streams that end with an event of one of these types."""

    def observer(request_wants_usage: bool) -> TypedEventObserver:
        del request_wants_usage
        return TypedEventObserver(last, limit)

    return observer
