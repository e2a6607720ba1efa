"""OpenAI's images, audio and moderations. Requests and answers pass; only their usage is read.

Images are generated, edited and varied; audio is speech from text and text from speech. Answers are JSON, sound,
plain text, subtitles or, with `stream`, events that name themselves in `type`.
"""

import re
from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.costs import Costs, nano_cost
from ownkey.wire.errors import error_of_value
from ownkey.wire.fields import Count, decode_or_none, read_request
from ownkey.wire.format import Format, Outline
from ownkey.wire.observing import PassingObserver, frame_of, raw_events
from ownkey.wire.openai_chat import usage as chat_usage
from ownkey.wire.openai_chat.errors import ERRORS

DEFAULT_MODERATION = "omni-moderation-latest"
"""The model that OpenAI takes for a moderation when none is named."""
_LARGEST_IMAGE = 32 * 1024 * 1024
"""A large image without compression, in base64."""
_ERROR = re.compile(rb'"(?:type|object)"\s*:\s*"error"|"error"\s*:\s*[^\sn]|(?:^|[\r\n])event: ?error').search


class _Details(Struct):
    cached_tokens: Count | None = None


class _TokenUsage(Costs):
    """OpenAI's words for media, and those for chats, which others use here too. Seconds of audio are not counted."""

    input_tokens: Count | None = None
    output_tokens: Count | None = None
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    input_tokens_details: _Details | None = None


class _Body(Struct):
    type: str = ""
    usage: _TokenUsage | None = None
    error: Any = None


_BODY = msgspec.json.Decoder(_Body)
_ANY = msgspec.json.Decoder()


def _to_usage(shape: _TokenUsage | None) -> Usage | None:
    if shape is None:
        return None
    read = shape.prompt_tokens if shape.input_tokens is None else shape.input_tokens
    written = shape.completion_tokens if shape.output_tokens is None else shape.output_tokens
    cost = nano_cost(shape)
    if read is None and written is None:
        return None if cost is None else Usage(cost=cost)
    asked = int(read or 0)
    details = shape.input_tokens_details
    cached = int((details and details.cached_tokens) or 0)
    return Usage(asked, int(written or 0), min(cached, asked), cost=cost)


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
        body = decode_or_none(_BODY, data)
        if body is None:
            return
        if body.type in self._last:
            self.ended = True
            self.usage = _to_usage(body.usage) or self.usage
        elif body.error is not None:
            self.error = error_of_value(200, {"error": body.error})
        elif body.type == "error" or name == b"error":
            self.error = error_of_value(200, _ANY.decode(data))


class _Form(Struct):
    model: str


class _Generation(Struct):
    model: str
    prompt: str


class _Speech(Struct):
    model: str
    input: str
    stream_format: str | None = None


class _Moderation(Struct):
    input: str | list[Any]
    model: str | None = None


class OpenAIMedia(Format):
    """One endpoint; the default is one that takes a form. `last` are the types of the event that ends its streams."""

    errors = ERRORS
    multipart = True

    def __init__(self, name: WireFormat, last: Collection[str]) -> None:
        self.name = name
        self._last = last

    def outline(self, parsed: dict[str, Any]) -> Outline:
        return Outline(read_request(parsed, _Form).model, _flag(parsed, "stream"))

    def usage_of(self, body: bytes) -> Usage | None:
        read = decode_or_none(_BODY, body)
        return _to_usage(read.usage) if read is not None else None

    def observer(self, request_wants_usage: bool) -> TypedEventObserver:
        return TypedEventObserver(self._last, self.largest_event)


class OpenAIImages(OpenAIMedia):
    """Edits and variations."""

    largest_event = _LARGEST_IMAGE


class OpenAIGenerations(OpenAIImages):
    multipart = False

    def outline(self, parsed: dict[str, Any]) -> Outline:
        return Outline(read_request(parsed, _Generation).model, _flag(parsed, "stream"))


class OpenAITexts(OpenAIMedia):
    """Transcriptions and translations."""

    media = True


class OpenAISpeech(OpenAIMedia):
    multipart = False
    media = True

    def outline(self, parsed: dict[str, Any]) -> Outline:
        """The sound itself is streamed as well, but in a body of its own kind: events are asked for by name."""
        shape = read_request(parsed, _Speech)
        return Outline(shape.model, shape.stream_format == "sse")


class OpenAIModerations(OpenAIMedia):
    """Never streamed. Usage is not reported, and nothing is charged."""

    multipart = False

    def outline(self, parsed: dict[str, Any]) -> Outline:
        model = read_request(parsed, _Moderation).model
        return Outline(DEFAULT_MODERATION if model is None else model, stream=False, max_tokens=0)

    def rename(self, parsed: dict[str, Any], model: str) -> dict[str, Any]:
        """The model may stay out where it is the default."""
        return {} if (parsed.get("model") or DEFAULT_MODERATION) == model else {"model": model}

    def usage_of(self, body: bytes) -> Usage | None:
        return chat_usage.usage_of(body)


def _flag(parsed: dict[str, Any], name: str) -> bool:
    """A yes or no that may be the text of a form's field. Raises InvalidRequest."""
    value = parsed.get(name)
    if value is None or value in (False, "false"):
        return False
    if value in (True, "true"):
        return True
    raise InvalidRequest(f"`{name}` must be true or false.", param=name)


_TRANSCRIBED = ("transcript.text.done", "transcription.done")
"""OpenAI's last event, and Mistral's."""

OPENAI_IMAGES = OpenAIGenerations(WireFormat.OPENAI_IMAGES, ("image_generation.completed",))
OPENAI_IMAGE_EDITS = OpenAIImages(WireFormat.OPENAI_IMAGE_EDITS, ("image_edit.completed",))
OPENAI_IMAGE_VARIATIONS = OpenAIImages(WireFormat.OPENAI_IMAGE_VARIATIONS, ("image_edit.completed",))
OPENAI_SPEECH = OpenAISpeech(WireFormat.OPENAI_SPEECH, ("speech.audio.done",))
OPENAI_TRANSCRIPTIONS = OpenAITexts(WireFormat.OPENAI_TRANSCRIPTIONS, _TRANSCRIBED)
OPENAI_TRANSLATIONS = OpenAITexts(WireFormat.OPENAI_TRANSLATIONS, _TRANSCRIBED)
OPENAI_MODERATIONS = OpenAIModerations(WireFormat.OPENAI_MODERATIONS, ("error",))
