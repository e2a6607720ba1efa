"""All formats by name. A further format is a further module and its line here."""

from collections.abc import Mapping
from types import MappingProxyType

from ownkey.domain.formats import WireFormat
from ownkey.wire.anthropic_count_tokens import ANTHROPIC_COUNT_TOKENS
from ownkey.wire.anthropic_messages.format import ANTHROPIC_MESSAGES
from ownkey.wire.bedrock_converse.format import BEDROCK_CONVERSE
from ownkey.wire.cohere_chat.format import COHERE_CHAT
from ownkey.wire.format import (
    EVENT_STREAM,
    ChatFormat,
    EmbeddingFormat,
    ErrorReader,
    Format,
    IncomingFormat,
    OutgoingFormat,
    OutgoingRerank,
    ProviderChat,
)
from ownkey.wire.gemini.format import GEMINI
from ownkey.wire.gemini_batch_embed import GEMINI_BATCH_EMBED
from ownkey.wire.gemini_count_tokens import GEMINI_COUNT_TOKENS
from ownkey.wire.gemini_embed import GEMINI_EMBED
from ownkey.wire.ollama_chat.format import OLLAMA_CHAT
from ownkey.wire.openai_audio import OPENAI_SPEECH, OPENAI_TRANSCRIPTIONS, OPENAI_TRANSLATIONS
from ownkey.wire.openai_chat.format import OPENAI_CHAT
from ownkey.wire.openai_completions.format import OPENAI_COMPLETIONS
from ownkey.wire.openai_embeddings import OPENAI_EMBEDDINGS
from ownkey.wire.openai_images import OPENAI_IMAGE_EDITS, OPENAI_IMAGE_VARIATIONS, OPENAI_IMAGES
from ownkey.wire.openai_moderations import OPENAI_MODERATIONS
from ownkey.wire.openai_responses.format import OPENAI_RESPONSES
from ownkey.wire.rerank.cohere import COHERE_RERANK
from ownkey.wire.rerank.format import RERANK

_CHATS: tuple[ChatFormat, ...] = (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI)
_OUTGOING: tuple[OutgoingFormat, ...] = (BEDROCK_CONVERSE, COHERE_CHAT, OLLAMA_CHAT)
_EMBEDDINGS: tuple[EmbeddingFormat, ...] = (OPENAI_EMBEDDINGS, GEMINI_EMBED, GEMINI_BATCH_EMBED)
_INCOMING: tuple[IncomingFormat, ...] = (OPENAI_COMPLETIONS,)
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
    RERANK,
)

_COMMENT = b": ping\n\n"
"""Every reader of server-sent events skips it."""
_RERANKS: tuple[OutgoingRerank, ...] = (COHERE_RERANK,)

CHAT_FORMATS: Mapping[WireFormat, ChatFormat] = MappingProxyType({chat.name: chat for chat in _CHATS})
"""Chat in both directions."""

CLIENT_CHATS: Mapping[WireFormat, IncomingFormat] = MappingProxyType(
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

PROVIDER_RERANKS: Mapping[WireFormat, OutgoingRerank] = MappingProxyType({each.name: each for each in _RERANKS})
"""Rerank as only providers speak it."""


def address_of(format_: WireFormat, path: str, model: str, stream: bool) -> str:
    """Where a provider answers a request in this format; see `Address`."""
    return _spoken_by_providers(format_).address(path, model, stream)


def ping_of(format_: WireFormat) -> bytes:
    """What a client of this format may be sent to keep a silent stream alive."""
    chat = CLIENT_CHATS.get(format_)
    return _COMMENT if chat is None else chat.streams.ping


def error_reader(format_: WireFormat) -> ErrorReader:
    """What reads a provider's errors in this format."""
    return _spoken_by_providers(format_).errors


def event_type(format_: WireFormat) -> bytes:
    """The media type in which a provider streams this format."""
    found = PROVIDER_CHATS.get(format_)
    return (found.event_type if isinstance(found, OutgoingFormat) else EVENT_STREAM).encode()


def _spoken_by_providers(format_: WireFormat) -> Format | ProviderChat | OutgoingRerank:
    return FORMATS.get(format_) or PROVIDER_RERANKS.get(format_) or PROVIDER_CHATS[format_]
