"""Wire formats: what clients and providers speak, and what each is for."""

from enum import StrEnum


class Operation(StrEnum):
    """What a request wants done, whatever the language it is said in."""

    CHAT = "chat"
    COMPLETION = "completion"
    COUNT_TOKENS = "count_tokens"
    EMBEDDINGS = "embeddings"
    IMAGE = "image"
    IMAGE_EDIT = "image_edit"
    IMAGE_VARIATION = "image_variation"
    SPEECH = "speech"
    TRANSCRIPTION = "transcription"
    SPEECH_TRANSLATION = "speech_translation"
    MODERATION = "moderation"
    RERANK = "rerank"

    @property
    def stand_in(self) -> "Operation":
        """The operation whose providers can serve this one too: a chat finishes a text, and its tokens are estimated
        for a provider that only chats. Otherwise the operation itself."""
        return _STAND_IN.get(self, self)


_STAND_IN = {Operation.COMPLETION: Operation.CHAT, Operation.COUNT_TOKENS: Operation.CHAT}


class WireFormat(StrEnum):
    """A request and answer format; the value begins with the name of its vendor."""

    OPENAI_CHAT = "openai_chat"
    OPENAI_RESPONSES = "openai_responses"
    OPENAI_INPUT_TOKENS = "openai_input_tokens"
    OPENAI_COMPLETIONS = "openai_completions"
    OPENAI_EMBEDDINGS = "openai_embeddings"
    OPENAI_IMAGES = "openai_images"
    OPENAI_IMAGE_EDITS = "openai_image_edits"
    OPENAI_IMAGE_VARIATIONS = "openai_image_variations"
    OPENAI_SPEECH = "openai_speech"
    OPENAI_TRANSCRIPTIONS = "openai_transcriptions"
    OPENAI_TRANSLATIONS = "openai_translations"
    OPENAI_MODERATIONS = "openai_moderations"
    ANTHROPIC_MESSAGES = "anthropic_messages"
    GEMINI = "gemini"
    GEMINI_COUNT_TOKENS = "gemini_count_tokens"
    GEMINI_EMBED = "gemini_embed"
    GEMINI_BATCH_EMBED = "gemini_batch_embed"
    ANTHROPIC_COUNT_TOKENS = "anthropic_count_tokens"
    COHERE_CHAT = "cohere_chat"
    OLLAMA_CHAT = "ollama_chat"
    RERANK = "rerank"
    COHERE_RERANK = "cohere_rerank"
    BEDROCK_CONVERSE = "bedrock_converse"

    @property
    def operation(self) -> Operation:
        return _OPERATION[self]


_OPERATION = {
    WireFormat.OPENAI_CHAT: Operation.CHAT,
    WireFormat.OPENAI_RESPONSES: Operation.CHAT,
    WireFormat.OPENAI_INPUT_TOKENS: Operation.COUNT_TOKENS,
    WireFormat.OPENAI_COMPLETIONS: Operation.COMPLETION,
    WireFormat.OPENAI_EMBEDDINGS: Operation.EMBEDDINGS,
    WireFormat.OPENAI_IMAGES: Operation.IMAGE,
    WireFormat.OPENAI_IMAGE_EDITS: Operation.IMAGE_EDIT,
    WireFormat.OPENAI_IMAGE_VARIATIONS: Operation.IMAGE_VARIATION,
    WireFormat.OPENAI_SPEECH: Operation.SPEECH,
    WireFormat.OPENAI_TRANSCRIPTIONS: Operation.TRANSCRIPTION,
    WireFormat.OPENAI_TRANSLATIONS: Operation.SPEECH_TRANSLATION,
    WireFormat.OPENAI_MODERATIONS: Operation.MODERATION,
    WireFormat.ANTHROPIC_MESSAGES: Operation.CHAT,
    WireFormat.GEMINI: Operation.CHAT,
    WireFormat.GEMINI_COUNT_TOKENS: Operation.COUNT_TOKENS,
    WireFormat.GEMINI_EMBED: Operation.EMBEDDINGS,
    WireFormat.GEMINI_BATCH_EMBED: Operation.EMBEDDINGS,
    WireFormat.ANTHROPIC_COUNT_TOKENS: Operation.COUNT_TOKENS,
    WireFormat.COHERE_CHAT: Operation.CHAT,
    WireFormat.OLLAMA_CHAT: Operation.CHAT,
    WireFormat.RERANK: Operation.RERANK,
    WireFormat.COHERE_RERANK: Operation.RERANK,
    WireFormat.BEDROCK_CONVERSE: Operation.CHAT,
}
