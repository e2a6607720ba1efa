"""All formats by name. A further format is a further module and its line here."""

from collections.abc import Mapping
from types import MappingProxyType

from ownkey.domain.formats import WireFormat
from ownkey.wire.anthropic_messages.format import ANTHROPIC_MESSAGES
from ownkey.wire.cohere_chat.format import COHERE_CHAT
from ownkey.wire.format import (
    EVENT_STREAM,
    ChatFormat,
    EmbeddingFormat,
    ErrorReader,
    Format,
    OutgoingFormat,
    OutgoingRerank,
    ProviderChat,
)
from ownkey.wire.gemini.format import GEMINI
from ownkey.wire.gemini_batch_embed import GEMINI_BATCH_EMBED
from ownkey.wire.gemini_count_tokens import GEMINI_COUNT_TOKENS
from ownkey.wire.gemini_embed import GEMINI_EMBED
from ownkey.wire.ollama_chat.format import OLLAMA_CHAT
from ownkey.wire.openai_chat.format import OPENAI_CHAT
from ownkey.wire.openai_embeddings import OPENAI_EMBEDDINGS
from ownkey.wire.openai_responses.format import OPENAI_RESPONSES
from ownkey.wire.rerank.cohere import COHERE_RERANK
from ownkey.wire.rerank.format import RERANK

_CHATS: tuple[ChatFormat, ...] = (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI)
_OUTGOING: tuple[OutgoingFormat, ...] = (COHERE_CHAT, OLLAMA_CHAT)
_EMBEDDINGS: tuple[EmbeddingFormat, ...] = (OPENAI_EMBEDDINGS, GEMINI_EMBED, GEMINI_BATCH_EMBED)
_OTHERS: tuple[Format, ...] = (GEMINI_COUNT_TOKENS, RERANK)
_RERANKS: tuple[OutgoingRerank, ...] = (COHERE_RERANK,)

CHAT_FORMATS: Mapping[WireFormat, ChatFormat] = MappingProxyType({chat.name: chat for chat in _CHATS})
"""Chat as clients speak it."""

PROVIDER_CHATS: Mapping[WireFormat, ProviderChat] = MappingProxyType(
    {**CHAT_FORMATS, **{chat.name: chat for chat in _OUTGOING}}
)
"""Chat as providers speak it: the former, and what no client speaks."""

EMBEDDING_FORMATS: Mapping[WireFormat, EmbeddingFormat] = MappingProxyType({each.name: each for each in _EMBEDDINGS})
"""Embeddings, as clients and providers speak them."""

FORMATS: Mapping[WireFormat, Format] = MappingProxyType(
    {**CHAT_FORMATS, **EMBEDDING_FORMATS, **{each.name: each for each in _OTHERS}}
)
"""Everything clients speak."""


PROVIDER_RERANKS: Mapping[WireFormat, OutgoingRerank] = MappingProxyType({each.name: each for each in _RERANKS})
"""Rerank as only providers speak it."""


def address_of(format_: WireFormat, path: str, model: str, stream: bool) -> str:
    """Where a provider answers a request in this format; see `Address`."""
    return _spoken_by_providers(format_).address(path, model, stream)


def error_reader(format_: WireFormat) -> ErrorReader:
    """What reads a provider's errors in this format."""
    return _spoken_by_providers(format_).errors


def event_type(format_: WireFormat) -> bytes:
    """The media type in which a provider streams this format."""
    found = PROVIDER_CHATS.get(format_)
    return (found.event_type if isinstance(found, OutgoingFormat) else EVENT_STREAM).encode()


def _spoken_by_providers(format_: WireFormat) -> Format | ProviderChat | OutgoingRerank:
    return FORMATS.get(format_) or PROVIDER_RERANKS.get(format_) or PROVIDER_CHATS[format_]
