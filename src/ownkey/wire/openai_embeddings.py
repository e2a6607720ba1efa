"""OpenAI's embeddings. There is one format for them, so requests and answers only pass through."""

from collections.abc import Collection
from typing import Any

from msgspec import Struct

from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import read_request
from ownkey.wire.format import Format, Outline
from ownkey.wire.openai_chat import errors, usage
from ownkey.wire.openai_chat.observe import ChunkObserver


class _Shape(Struct):
    model: str
    input: str | list[Any]


def outline(parsed: dict[str, Any]) -> Outline:
    """Embeddings are never streamed and write no tokens."""
    return Outline(read_request(parsed, _Shape).model, stream=False, max_tokens=0)


def defaults(
    parsed: dict[str, Any], temperature: float | None, max_tokens: int | None, quirks: Collection[str] = ()
) -> dict[str, Any]:
    """Nothing: the preferences speak of sampling and answers, which embeddings have not."""
    del parsed, temperature, max_tokens, quirks
    return {}


def ask_usage(parsed: dict[str, Any]) -> dict[str, Any]:
    """Nothing: usage is always reported."""
    del parsed
    return {}


OPENAI_EMBEDDINGS = Format(
    name=WireFormat.OPENAI_EMBEDDINGS,
    outline=outline,
    defaults=defaults,
    ask_usage=ask_usage,
    usage_of=usage.usage_of,
    observer=ChunkObserver,
    errors=errors,
)
