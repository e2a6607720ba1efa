"""Every path the sandbox answers. A further format is a further module and its rows here.

The first matching row of a method wins, so longer suffixes stand before shorter ones.
"""

from ownkey.sandbox.context import Endpoint
from ownkey.sandbox.formats import (
    anthropic_messages,
    bedrock_converse,
    cohere_chat,
    entra,
    gemini,
    gemini_embeddings,
    key_checks,
    model_lists,
    ollama_chat,
    openai_audio,
    openai_chat,
    openai_completions,
    openai_images,
    openai_moderations,
    openai_responses,
    rerank,
    stored_responses,
)
from ownkey.sandbox.formats.chat import chat_handler
from ownkey.sandbox.formats.openai_embeddings import embeddings
from ownkey.sandbox.vendors import (
    anthropic_face,
    bedrock_face,
    entra_face,
    gemini_face,
    ollama_face,
    openai_face,
)

ENDPOINTS = (
    Endpoint(b"POST", "chat/completions", chat_handler(openai_chat), face=openai_face),
    Endpoint(b"POST", "responses", chat_handler(openai_responses), face=openai_face),
    Endpoint(b"GET", "responses/*", stored_responses.get, face=openai_face),
    Endpoint(b"DELETE", "responses/*", stored_responses.delete, face=openai_face),
    Endpoint(b"POST", "responses/*", stored_responses.cancel, face=openai_face),
    Endpoint(b"POST", "completions", chat_handler(openai_completions), face=openai_face),
    Endpoint(b"POST", "embeddings", embeddings, face=openai_face),
    Endpoint(b"POST", "images/generations", openai_images.generate, face=openai_face),
    Endpoint(b"POST", "images/edits", openai_images.edit, face=openai_face),
    Endpoint(b"POST", "images/variations", openai_images.vary, face=openai_face),
    Endpoint(b"POST", "audio/speech", openai_audio.speak, face=openai_face),
    Endpoint(b"POST", "audio/transcriptions", openai_audio.transcribe, face=openai_face),
    Endpoint(b"POST", "audio/translations", openai_audio.translate, face=openai_face),
    Endpoint(b"POST", "moderations", openai_moderations.moderate, face=openai_face),
    Endpoint(b"POST", "v2/chat", chat_handler(cohere_chat)),
    Endpoint(b"POST", "v2/rerank", rerank.cohere_rerank),
    Endpoint(b"POST", "rerank", rerank.rerank, face=openai_face),
    Endpoint(b"POST", "api/chat", chat_handler(ollama_chat, ollama_chat.LINES), face=ollama_face),
    Endpoint(b"POST", "messages/count_tokens", anthropic_messages.count_tokens, face=anthropic_face),
    Endpoint(b"POST", "messages", chat_handler(anthropic_messages), face=anthropic_face),
    Endpoint(b"POST", "models/*:generateContent", chat_handler(gemini), face=gemini_face),
    Endpoint(b"POST", "models/*:streamGenerateContent", chat_handler(gemini), face=gemini_face),
    Endpoint(b"POST", "models/*:countTokens", gemini.count_tokens, face=gemini_face),
    Endpoint(b"POST", "models/*:embedContent", gemini_embeddings.embed, face=gemini_face),
    Endpoint(b"POST", "models/*:batchEmbedContents", gemini_embeddings.batch_embed, face=gemini_face),
    Endpoint(b"GET", "v1beta/openai/models", model_lists.list_models, face=openai_face, lists_models=True),
    Endpoint(b"GET", "v1beta/openai/models/*", model_lists.get_model, face=openai_face, lists_models=True),
    Endpoint(b"POST", "converse", chat_handler(bedrock_converse), face=bedrock_face),
    Endpoint(b"POST", "converse-stream", chat_handler(bedrock_converse), face=bedrock_face),
    Endpoint(b"GET", "async-invoke", bedrock_converse.async_invokes, face=bedrock_face),
    Endpoint(b"POST", "oauth2/v2.0/token", entra.token, face=entra_face),
    Endpoint(b"GET", "models", model_lists.list_models, lists_models=True),
    Endpoint(b"GET", "models/*", model_lists.get_model, lists_models=True),
    Endpoint(b"GET", "key", key_checks.openrouter_key),
    Endpoint(b"GET", "api-key", key_checks.xai_key),
    Endpoint(b"GET", "user/balance", key_checks.deepseek_balance),
    Endpoint(b"GET", "whoami-v2", key_checks.huggingface_whoami),
    Endpoint(b"POST", "check-api-key", key_checks.cohere_check),
    Endpoint(b"GET", "api/tags", key_checks.ollama_tags, face=ollama_face),
    Endpoint(b"GET", "api/version", ollama_chat.version, face=ollama_face),
)
