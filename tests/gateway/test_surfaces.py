"""Which paths the data plane answers, and whose language an error speaks there."""

import pytest

from ownkey.domain.formats import WireFormat
from ownkey.gateway.surfaces import Action, error_format, surface_of

GEMINI = WireFormat.GEMINI
CHAT, MESSAGES = WireFormat.OPENAI_CHAT, WireFormat.ANTHROPIC_MESSAGES
RESPONSES = WireFormat.OPENAI_RESPONSES


@pytest.mark.parametrize(
    ("path", "method", "action", "format_"),
    [
        ("/v1/chat/completions", "POST", Action.RELAY, CHAT),
        ("/v1/messages", "POST", Action.RELAY, MESSAGES),
        ("/v1/embeddings", "POST", Action.RELAY, WireFormat.OPENAI_EMBEDDINGS),
        ("/v1/responses", "POST", Action.RELAY, RESPONSES),
        ("/v1/responses/resp_1", None, Action.STORED_RESPONSE, RESPONSES),
        ("/v1/responses/resp_1/input_items", None, Action.STORED_RESPONSE, RESPONSES),
        ("/v1/completions", "POST", Action.RELAY, WireFormat.OPENAI_COMPLETIONS),
        ("/v1/images/generations", "POST", Action.RELAY, WireFormat.OPENAI_IMAGES),
        ("/v1/images/edits", "POST", Action.RELAY, WireFormat.OPENAI_IMAGE_EDITS),
        ("/v1/images/variations", "POST", Action.RELAY, WireFormat.OPENAI_IMAGE_VARIATIONS),
        ("/v1/audio/speech", "POST", Action.RELAY, WireFormat.OPENAI_SPEECH),
        ("/v1/audio/transcriptions", "POST", Action.RELAY, WireFormat.OPENAI_TRANSCRIPTIONS),
        ("/v1/audio/translations", "POST", Action.RELAY, WireFormat.OPENAI_TRANSLATIONS),
        ("/v1/moderations", "POST", Action.RELAY, WireFormat.OPENAI_MODERATIONS),
        ("/v1/messages/count_tokens", "POST", Action.RELAY, WireFormat.ANTHROPIC_COUNT_TOKENS),
        ("/v1/models", "GET", Action.LIST_MODELS, CHAT),
        ("/v1/models/openai/gpt-5", "GET", Action.LIST_MODELS, CHAT),
        ("/v1beta/models", "GET", Action.LIST_MODELS, GEMINI),
        ("/v1beta/models/openai/gpt-5", "GET", Action.LIST_MODELS, GEMINI),
        ("/v1beta/models/m:generateContent", "POST", Action.RELAY, GEMINI),
        ("/v1/models/m:countTokens", "POST", Action.RELAY, WireFormat.GEMINI_COUNT_TOKENS),
        ("/v1beta/models/m:embedContent", "POST", Action.RELAY, WireFormat.GEMINI_EMBED),
        ("/v1beta/models/m:batchEmbedContents", "POST", Action.RELAY, WireFormat.GEMINI_BATCH_EMBED),
    ],
)
def test_a_path_is_a_surface(path: str, method: str | None, action: Action, format_: WireFormat) -> None:
    surface = surface_of(path)
    assert surface is not None
    assert (surface.method, surface.action, surface.format) == (method, action, format_)


def test_googles_paths_name_the_model_and_whether_to_stream() -> None:
    for model in ("gemini-2.5-flash", "openai/gpt-5-mini", "ollama/llama3.2:3b", "groq/a/b:c"):
        for verb, stream in (("generateContent", False), ("streamGenerateContent", True)):
            for path in (f"/v1beta/models/{model}:{verb}", f"/v1beta/{model}:{verb}", f"/v1/{model}:{verb}"):
                surface = surface_of(path)
                assert surface is not None
                assert (surface.model, surface.stream) == (model, stream)
                assert error_format(path) is GEMINI


@pytest.mark.parametrize(
    "path", ["/v1beta", "/v1beta/", "/v1beta/models/", "/v1beta/files", "/v1beta/tunedModels/m:generateContent"]
)
def test_other_paths_of_google_are_none(path: str) -> None:
    assert surface_of(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "/v1/models/",
        "/v1/responses/",
        "/v1/chat/completions/",
        "/V1/messages",
        "/v1/messages/x",
        "/v2/models",
    ],
)
def test_anything_else_is_none(path: str) -> None:
    assert surface_of(path) is None


@pytest.mark.parametrize(
    ("path", "versioned", "format_"),
    [
        ("/v1/messages", False, MESSAGES),
        ("/v1/messages/unknown", False, MESSAGES),
        ("/v1/models", True, MESSAGES),
        ("/v1/models/x", True, MESSAGES),
        ("/v1/models", False, CHAT),
        ("/v1/chat/completions", True, CHAT),
        ("/v1/unknown", True, CHAT),
        ("/", False, CHAT),
    ],
)
def test_errors_speak_the_language_of_the_path(path: str, versioned: bool, format_: WireFormat) -> None:
    assert error_format(path, versioned) is format_


@pytest.mark.parametrize(
    ("path", "google_key", "format_"),
    [
        ("/v1beta/models", False, GEMINI),
        ("/v1beta/unknown", False, GEMINI),
        ("/v1/models/m:streamGenerateContent", False, GEMINI),
        ("/v1/models", True, GEMINI),
        ("/v1/models/m", True, GEMINI),
        ("/v1/models/m", False, CHAT),
        ("/v1/chat/completions", True, CHAT),
    ],
)
def test_errors_of_googles_paths_speak_googles_language(path: str, google_key: bool, format_: WireFormat) -> None:
    assert error_format(path, google_key=google_key) is format_
