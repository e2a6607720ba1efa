"""OpenAI's moderations. The model may be left out; usage is not reported, and nothing is charged for it."""

from typing import Any

from msgspec import Struct

from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import read_request
from ownkey.wire.format import Format, Outline
from ownkey.wire.openai_chat import errors, usage
from ownkey.wire.openai_chat.stream_writing import failure
from ownkey.wire.passing_only import no_defaults, no_usage_asked, typed_events
from ownkey.wire.sse import MAX_EVENT

DEFAULT_MODEL = "omni-moderation-latest"
"""What OpenAI takes when none is named."""


class _Shape(Struct):
    input: str | list[Any]
    model: str | None = None


def _outline(parsed: dict[str, Any]) -> Outline:
    """Moderations are never streamed and write no tokens."""
    model = read_request(parsed, _Shape).model
    return Outline(DEFAULT_MODEL if model is None else model, stream=False, max_tokens=0)


OPENAI_MODERATIONS = Format(
    name=WireFormat.OPENAI_MODERATIONS,
    outline=_outline,
    defaults=no_defaults,
    ask_usage=no_usage_asked,
    usage_of=usage.usage_of,
    observer=typed_events("error", limit=MAX_EVENT),
    errors=errors,
    failure=failure,
)
