"""All formats by name. A further format is a further module and its line here."""

from collections.abc import Mapping
from types import MappingProxyType

from ownkey.domain.formats import WireFormat
from ownkey.wire.anthropic_messages import ANTHROPIC_MESSAGES
from ownkey.wire.bedrock_converse import BEDROCK_CONVERSE
from ownkey.wire.cohere_chat import COHERE_CHAT
from ownkey.wire.count_tokens import ANTHROPIC_COUNT_TOKENS, GEMINI_COUNT_TOKENS, OPENAI_INPUT_TOKENS
from ownkey.wire.errors import ErrorReader
from ownkey.wire.format import (
    EVENT_STREAM,
    ChatFormat,
    ClientChat,
    EmbeddingFormat,
    Format,
    ProviderChat,
    ProviderRerank,
)
from ownkey.wire.gemini import GEMINI
from ownkey.wire.gemini.embeddings import GEMINI_BATCH_EMBED, GEMINI_EMBED
from ownkey.wire.ollama_chat import OLLAMA_CHAT
from ownkey.wire.openai_chat import OPENAI_CHAT
from ownkey.wire.openai_completions import OPENAI_COMPLETIONS
from ownkey.wire.openai_embeddings import OPENAI_EMBEDDINGS
from ownkey.wire.openai_media import (
    OPENAI_IMAGE_EDITS,
    OPENAI_IMAGE_VARIATIONS,
    OPENAI_IMAGES,
    OPENAI_MODERATIONS,
    OPENAI_SPEECH,
    OPENAI_TRANSCRIPTIONS,
    OPENAI_TRANSLATIONS,
)
from ownkey.wire.openai_responses import OPENAI_RESPONSES
from ownkey.wire.rerank import COHERE_RERANK, RERANK

_CHATS: tuple[ChatFormat, ...] = (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI)
_OUTGOING: tuple[ProviderChat, ...] = (BEDROCK_CONVERSE, COHERE_CHAT, OLLAMA_CHAT)
_EMBEDDINGS: tuple[EmbeddingFormat, ...] = (OPENAI_EMBEDDINGS, GEMINI_EMBED, GEMINI_BATCH_EMBED)
_INCOMING: tuple[ClientChat, ...] = (OPENAI_COMPLETIONS,)
_OTHERS: tuple[Format, ...] = (
    OPENAI_IMAGES,
    OPENAI_IMAGE_EDITS,
    OPENAI_IMAGE_VARIATIONS,
    OPENAI_SPEECH,
    OPENAI_TRANSCRIPTIONS,
    OPENAI_TRANSLATIONS,
    OPENAI_MODERATIONS,
    ANTHROPIC_COUNT_TOKENS,
    GEMINI_COUNT_TOKENS,
    OPENAI_INPUT_TOKENS,
    RERANK,
)

_RERANKS: tuple[ProviderRerank, ...] = (COHERE_RERANK,)

CHAT_FORMATS: Mapping[WireFormat, ChatFormat] = MappingProxyType({chat.name: chat for chat in _CHATS})
"""Chat in both directions."""

CLIENT_CHATS: Mapping[WireFormat, ClientChat] = MappingProxyType(
    {**CHAT_FORMATS, **{chat.name: chat for chat in _INCOMING}}
)
"""What clients speak and chat can answer: the former, and what is only read."""

PROVIDER_CHATS: Mapping[WireFormat, ProviderChat] = MappingProxyType(
    {**CHAT_FORMATS, **{chat.name: chat for chat in _OUTGOING}}
)
"""Chat as providers speak it: the former, and what no client speaks."""

EMBEDDING_FORMATS: Mapping[WireFormat, EmbeddingFormat] = MappingProxyType({each.name: each for each in _EMBEDDINGS})
"""Embeddings, as clients and providers speak them."""

FORMATS: Mapping[WireFormat, Format] = MappingProxyType(
    {**CHAT_FORMATS, **EMBEDDING_FORMATS, **{each.name: each for each in (*_INCOMING, *_OTHERS)}}
)
"""Everything clients speak."""

PROVIDER_RERANKS: Mapping[WireFormat, ProviderRerank] = MappingProxyType({each.name: each for each in _RERANKS})
"""Rerank as only providers speak it."""


def address_of(format_: WireFormat, path: str, model: str, stream: bool) -> str:
    """Where a provider answers a request in this format; see `Format.address`."""
    return _spoken_by_providers(format_).address(path, model, stream)


def ping_of(format_: WireFormat) -> bytes:
    """What a client of this format may be sent to keep a silent stream alive."""
    return FORMATS[format_].ping


def error_reader(format_: WireFormat) -> ErrorReader:
    """What reads a provider's errors in this format."""
    return _spoken_by_providers(format_).errors


def event_type(format_: WireFormat) -> bytes:
    """The media type in which a provider streams this format."""
    chat = PROVIDER_CHATS.get(format_)
    return (EVENT_STREAM if chat is None else chat.event_type).encode()


def _spoken_by_providers(format_: WireFormat) -> Format | ProviderChat | ProviderRerank:
    return FORMATS.get(format_) or PROVIDER_RERANKS.get(format_) or PROVIDER_CHATS[format_]
