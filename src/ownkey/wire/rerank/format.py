"""The shape of `POST /v1/rerank` that Cohere began and Jina, Together and vLLM share; it passes as it is."""

from collections.abc import Collection
from typing import Any

from msgspec import Struct

from ownkey.domain.formats import WireFormat
from ownkey.wire.fields import TokenLimit, read_request
from ownkey.wire.format import Format, Outline
from ownkey.wire.openai_chat import errors
from ownkey.wire.openai_chat.observe import ChunkObserver
from ownkey.wire.rerank.usage import usage_of


class Shape(Struct):
    """`documents` are texts, or objects with a `text`; a provider may know other kinds."""

    model: str
    query: Any
    documents: list[Any]
    top_n: TokenLimit | None = None
    return_documents: bool | None = None


def outline(parsed: dict[str, Any]) -> Outline:
    """A rerank is never streamed and writes no tokens."""
    return Outline(read_request(parsed, Shape).model, stream=False, max_tokens=0)


def defaults(
    parsed: dict[str, Any], temperature: float | None, max_tokens: int | None, quirks: Collection[str] = ()
) -> dict[str, Any]:
    """Nothing: the preferences speak of sampling and answers, which a rerank has not."""
    del parsed, temperature, max_tokens, quirks
    return {}


def ask_usage(parsed: dict[str, Any]) -> dict[str, Any]:
    """Nothing: usage is always reported."""
    del parsed
    return {}


RERANK = Format(
    name=WireFormat.RERANK,
    outline=outline,
    defaults=defaults,
    ask_usage=ask_usage,
    usage_of=usage_of,
    observer=ChunkObserver,
    errors=errors,
)
