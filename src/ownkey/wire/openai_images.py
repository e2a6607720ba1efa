"""OpenAI's images: made from words, edited, varied. Answers are JSON or, with `stream`, events with whole images."""

from typing import Any

from msgspec import Struct

from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import read_request
from ownkey.wire.format import Format, Outline
from ownkey.wire.openai_chat import errors
from ownkey.wire.openai_chat.stream_writing import failure
from ownkey.wire.passing_only import flag, no_defaults, no_usage_asked, typed_events, usage_of

_LARGEST_EVENT = 32 * 1024 * 1024
"""A large image without compression, in base64."""


class _Generation(Struct):
    model: str
    prompt: str


class _Form(Struct):
    model: str


def _outline_generation(parsed: dict[str, Any]) -> Outline:
    return Outline(read_request(parsed, _Generation).model, flag(parsed, "stream"))


def _outline_form(parsed: dict[str, Any]) -> Outline:
    return Outline(read_request(parsed, _Form).model, flag(parsed, "stream"))


OPENAI_IMAGES = Format(
    name=WireFormat.OPENAI_IMAGES,
    outline=_outline_generation,
    defaults=no_defaults,
    ask_usage=no_usage_asked,
    usage_of=usage_of,
    observer=typed_events("image_generation.completed", limit=_LARGEST_EVENT),
    errors=errors,
    failure=failure,
    largest_event=_LARGEST_EVENT,
)

OPENAI_IMAGE_EDITS = Format(
    name=WireFormat.OPENAI_IMAGE_EDITS,
    outline=_outline_form,
    defaults=no_defaults,
    ask_usage=no_usage_asked,
    usage_of=usage_of,
    observer=typed_events("image_edit.completed", limit=_LARGEST_EVENT),
    errors=errors,
    multipart=True,
    failure=failure,
    largest_event=_LARGEST_EVENT,
)

OPENAI_IMAGE_VARIATIONS = Format(
    name=WireFormat.OPENAI_IMAGE_VARIATIONS,
    outline=_outline_form,
    defaults=no_defaults,
    ask_usage=no_usage_asked,
    usage_of=usage_of,
    observer=typed_events("image_edit.completed", limit=_LARGEST_EVENT),
    errors=errors,
    multipart=True,
    failure=failure,
    largest_event=_LARGEST_EVENT,
)
