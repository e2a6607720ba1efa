"""OpenAI's audio: speech from text, text from speech. Answers are sound, JSON, plain text, subtitles or events."""

from typing import Any

from msgspec import Struct

from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import read_request
from ownkey.wire.format import Format, Outline
from ownkey.wire.openai_chat import errors
from ownkey.wire.openai_chat.stream_writing import failure
from ownkey.wire.passing_only import flag, no_defaults, no_usage_asked, typed_events, usage_of
from ownkey.wire.sse import MAX_EVENT

_TRANSCRIBED = ("transcript.text.done", "transcription.done")
"""OpenAI's last event, and Mistral's."""


class _Speech(Struct):
    model: str
    input: str
    stream_format: str | None = None


class _Form(Struct):
    model: str


def _outline_speech(parsed: dict[str, Any]) -> Outline:
    """The sound itself is streamed as well, but in a body of its own kind: events are asked for by name."""
    shape = read_request(parsed, _Speech)
    return Outline(shape.model, shape.stream_format == "sse")


def _outline_form(parsed: dict[str, Any]) -> Outline:
    return Outline(read_request(parsed, _Form).model, flag(parsed, "stream"))


OPENAI_SPEECH = Format(
    name=WireFormat.OPENAI_SPEECH,
    outline=_outline_speech,
    defaults=no_defaults,
    ask_usage=no_usage_asked,
    usage_of=usage_of,
    observer=typed_events("speech.audio.done", limit=MAX_EVENT),
    errors=errors,
    media=True,
    failure=failure,
)

OPENAI_TRANSCRIPTIONS = Format(
    name=WireFormat.OPENAI_TRANSCRIPTIONS,
    outline=_outline_form,
    defaults=no_defaults,
    ask_usage=no_usage_asked,
    usage_of=usage_of,
    observer=typed_events(*_TRANSCRIBED, limit=MAX_EVENT),
    errors=errors,
    multipart=True,
    media=True,
    failure=failure,
)

OPENAI_TRANSLATIONS = Format(
    name=WireFormat.OPENAI_TRANSLATIONS,
    outline=_outline_form,
    defaults=no_defaults,
    ask_usage=no_usage_asked,
    usage_of=usage_of,
    observer=typed_events(*_TRANSCRIBED, limit=MAX_EVENT),
    errors=errors,
    multipart=True,
    media=True,
    failure=failure,
)
