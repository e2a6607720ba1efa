"""Every path the sandbox answers, and how any chat format becomes a handler.

A further format is a further module and its rows in `ENDPOINTS`, where the first matching row of a method wins, so
longer suffixes stand before shorter ones.
"""

from collections.abc import Generator
from typing import Protocol

from ownkey.domain.formats import WireFormat
from ownkey.sandbox import rules
from ownkey.sandbox.behaviours import reply_to
from ownkey.sandbox.chat import ChatRequest, Fault, Reply
from ownkey.sandbox.errors import Problem
from ownkey.sandbox.exchange import Answer, Context, Endpoint, EventStream, Handler, Response, StreamEvent
from ownkey.sandbox.faults import finish_answer, finish_stream
from ownkey.sandbox.formats import (
    anthropic_messages,
    bedrock_converse,
    cohere_chat,
    embeddings,
    gemini,
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
)
from ownkey.sandbox.vendors import (
    anthropic_vendor,
    bedrock_vendor,
    entra_vendor,
    gemini_vendor,
    ollama_vendor,
    openai_vendor,
)


class ChatFormat(Protocol):
    """One wire format. `read` raises Refused; the others write what a vendor would."""

    def read(self, context: Context) -> ChatRequest: ...

    def answer(self, context: Context, chat: ChatRequest, reply: Reply) -> bytes: ...

    def events(self, context: Context, chat: ChatRequest, reply: Reply) -> Generator[StreamEvent, None, None]: ...

    def error_event(self, context: Context, problem: Problem) -> bytes: ...


def chat_handler(wire: ChatFormat, format_: WireFormat, stream_type: str | None = None) -> Handler:
    """The handler that answers chat requests in `wire`, held to the rules of `format_`.

    `stream_type` is the media type of streams that are no server-sent events.
    """

    def handle(context: Context) -> Response:
        chat = wire.read(context)
        if not context.options.lenient:
            rules.check(context, format_, chat.model, chat.input_tokens)
        reply = reply_to(chat, context.plan.key, context.state)
        if reply.usage_factor is None:
            chat.include_usage = False
        tokens = reply.output_tokens() * chat.count
        if chat.stream and not reply.whole:
            return _stream(wire, context, chat, reply, tokens, stream_type)
        body = wire.answer(context, chat, reply)
        return finish_answer(Answer(200, context.head(), body, context.delay(reply, tokens)), reply)

    return handle


def _stream(
    wire: ChatFormat, context: Context, chat: ChatRequest, reply: Reply, tokens: int, stream_type: str | None
) -> EventStream:
    error_event = wire.error_event(context, reply.error_event) if reply.error_event else b""
    events = finish_stream(wire.events(context, chat, reply), reply, tokens, error_event)
    pace = context.stream_pace(reply, tokens)
    return EventStream(context.stream_head(stream_type), events, pace, breaks_off=reply.fault is Fault.CUT)


ENDPOINTS = (
    Endpoint(b"POST", "chat/completions", chat_handler(openai_chat, WireFormat.OPENAI_CHAT), vendor=openai_vendor),
    Endpoint(b"POST", "responses", chat_handler(openai_responses, WireFormat.OPENAI_RESPONSES), vendor=openai_vendor),
    Endpoint(b"GET", "responses/*", openai_responses.get, vendor=openai_vendor),
    Endpoint(b"DELETE", "responses/*", openai_responses.delete, vendor=openai_vendor),
    Endpoint(b"POST", "responses/*", openai_responses.cancel, vendor=openai_vendor),
    Endpoint(
        b"POST", "completions", chat_handler(openai_completions, WireFormat.OPENAI_COMPLETIONS), vendor=openai_vendor
    ),
    Endpoint(b"POST", "embeddings", embeddings.openai_embed, vendor=openai_vendor),
    Endpoint(b"POST", "images/generations", openai_images.generate, vendor=openai_vendor),
    Endpoint(b"POST", "images/edits", openai_images.edit, vendor=openai_vendor),
    Endpoint(b"POST", "images/variations", openai_images.vary, vendor=openai_vendor),
    Endpoint(b"POST", "audio/speech", openai_audio.speak, vendor=openai_vendor),
    Endpoint(b"POST", "audio/transcriptions", openai_audio.transcribe, vendor=openai_vendor),
    Endpoint(b"POST", "audio/translations", openai_audio.translate, vendor=openai_vendor),
    Endpoint(b"POST", "moderations", openai_moderations.moderate, vendor=openai_vendor),
    Endpoint(b"POST", "v2/chat", chat_handler(cohere_chat, WireFormat.COHERE_CHAT)),
    Endpoint(b"POST", "v2/rerank", rerank.cohere_rerank),
    Endpoint(b"POST", "rerank", rerank.rerank, vendor=openai_vendor),
    Endpoint(
        b"POST", "api/chat", chat_handler(ollama_chat, WireFormat.OLLAMA_CHAT, ollama_chat.LINES), vendor=ollama_vendor
    ),
    Endpoint(b"POST", "messages/count_tokens", anthropic_messages.count_tokens, vendor=anthropic_vendor),
    Endpoint(
        b"POST", "messages", chat_handler(anthropic_messages, WireFormat.ANTHROPIC_MESSAGES), vendor=anthropic_vendor
    ),
    Endpoint(b"POST", "models/*:generateContent", chat_handler(gemini, WireFormat.GEMINI), vendor=gemini_vendor),
    Endpoint(b"POST", "models/*:streamGenerateContent", chat_handler(gemini, WireFormat.GEMINI), vendor=gemini_vendor),
    Endpoint(b"POST", "models/*:countTokens", gemini.count_tokens, vendor=gemini_vendor),
    Endpoint(b"POST", "models/*:embedContent", embeddings.gemini_embed, vendor=gemini_vendor),
    Endpoint(b"POST", "models/*:batchEmbedContents", embeddings.gemini_batch_embed, vendor=gemini_vendor),
    Endpoint(b"GET", "v1beta/openai/models", model_lists.list_models, vendor=openai_vendor, lists_models=True),
    Endpoint(b"GET", "v1beta/openai/models/*", model_lists.get_model, vendor=openai_vendor, lists_models=True),
    Endpoint(b"POST", "converse", chat_handler(bedrock_converse, WireFormat.BEDROCK_CONVERSE), vendor=bedrock_vendor),
    Endpoint(
        b"POST", "converse-stream", chat_handler(bedrock_converse, WireFormat.BEDROCK_CONVERSE), vendor=bedrock_vendor
    ),
    Endpoint(b"GET", "async-invoke", bedrock_converse.async_invokes, vendor=bedrock_vendor),
    Endpoint(b"POST", "oauth2/v2.0/token", key_checks.entra_token, vendor=entra_vendor),
    Endpoint(b"GET", "models", model_lists.list_models, lists_models=True),
    Endpoint(b"GET", "models/*", model_lists.get_model, lists_models=True),
    Endpoint(b"GET", "key", key_checks.openrouter_key),
    Endpoint(b"GET", "api-key", key_checks.xai_key),
    Endpoint(b"GET", "user/balance", key_checks.deepseek_balance),
    Endpoint(b"GET", "whoami-v2", key_checks.huggingface_whoami),
    Endpoint(b"POST", "check-api-key", key_checks.cohere_check),
    Endpoint(b"GET", "api/tags", key_checks.ollama_tags, vendor=ollama_vendor),
    Endpoint(b"GET", "api/version", ollama_chat.version, vendor=ollama_vendor),
)
