"""Wire formats: the languages clients and providers speak, and what each is for."""

from enum import StrEnum


class Operation(StrEnum):
    """What a request wants done, whatever the language it is said in."""

    CHAT = "chat"
    EMBEDDINGS = "embeddings"
    COUNT_TOKENS = "count_tokens"
    RERANK = "rerank"


class WireFormat(StrEnum):
    """A request and answer format; the value is also its module's name in `ownkey.wire`."""

    OPENAI_CHAT = "openai_chat"
    OPENAI_RESPONSES = "openai_responses"
    OPENAI_EMBEDDINGS = "openai_embeddings"
    ANTHROPIC_MESSAGES = "anthropic_messages"
    GEMINI = "gemini"
    GEMINI_COUNT_TOKENS = "gemini_count_tokens"
    GEMINI_EMBED = "gemini_embed"
    GEMINI_BATCH_EMBED = "gemini_batch_embed"
    COHERE_CHAT = "cohere_chat"
    OLLAMA_CHAT = "ollama_chat"
    RERANK = "rerank"
    COHERE_RERANK = "cohere_rerank"

    @property
    def operation(self) -> Operation:
        return _OPERATION[self]


_OPERATION = {
    WireFormat.OPENAI_CHAT: Operation.CHAT,
    WireFormat.OPENAI_RESPONSES: Operation.CHAT,
    WireFormat.OPENAI_EMBEDDINGS: Operation.EMBEDDINGS,
    WireFormat.ANTHROPIC_MESSAGES: Operation.CHAT,
    WireFormat.GEMINI: Operation.CHAT,
    WireFormat.GEMINI_COUNT_TOKENS: Operation.COUNT_TOKENS,
    WireFormat.GEMINI_EMBED: Operation.EMBEDDINGS,
    WireFormat.GEMINI_BATCH_EMBED: Operation.EMBEDDINGS,
    WireFormat.COHERE_CHAT: Operation.CHAT,
    WireFormat.OLLAMA_CHAT: Operation.CHAT,
    WireFormat.RERANK: Operation.RERANK,
    WireFormat.COHERE_RERANK: Operation.RERANK,
}
