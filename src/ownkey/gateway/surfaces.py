"""Which paths the data plane answers, and in which format it answers them."""

from enum import StrEnum

from msgspec import Struct

from ownkey.domain.formats import WireFormat


class Action(StrEnum):
    """What a path is for."""

    RELAY = "relay"
    LIST_MODELS = "list_models"
    STORED_RESPONSE = "stored_response"
    COMPACT = "compact"
    """OpenAI's compaction of a conversation, which is not offered: the path would else be that of a response."""


class Surface(Struct, frozen=True):
    """One path: its method, what it does, and the format a client speaks there.

    A path that takes several methods has none here, and tells itself which.
    `model` and `stream` are what the path itself says of the request; None leaves it to the body.
    """

    method: str | None
    action: Action
    format: WireFormat
    model: str | None = None
    stream: bool | None = None


_LISTS_GOOGLES = Surface("GET", Action.LIST_MODELS, WireFormat.GEMINI)
_EXACT = {
    "/v1/chat/completions": Surface("POST", Action.RELAY, WireFormat.OPENAI_CHAT),
    "/v1/responses": Surface("POST", Action.RELAY, WireFormat.OPENAI_RESPONSES),
    "/v1/responses/input_tokens": Surface("POST", Action.RELAY, WireFormat.OPENAI_INPUT_TOKENS),
    "/v1/responses/compact": Surface("POST", Action.COMPACT, WireFormat.OPENAI_RESPONSES),
    "/v1/completions": Surface("POST", Action.RELAY, WireFormat.OPENAI_COMPLETIONS),
    "/v1/embeddings": Surface("POST", Action.RELAY, WireFormat.OPENAI_EMBEDDINGS),
    "/v1/images/generations": Surface("POST", Action.RELAY, WireFormat.OPENAI_IMAGES),
    "/v1/images/edits": Surface("POST", Action.RELAY, WireFormat.OPENAI_IMAGE_EDITS),
    "/v1/images/variations": Surface("POST", Action.RELAY, WireFormat.OPENAI_IMAGE_VARIATIONS),
    "/v1/audio/speech": Surface("POST", Action.RELAY, WireFormat.OPENAI_SPEECH),
    "/v1/audio/transcriptions": Surface("POST", Action.RELAY, WireFormat.OPENAI_TRANSCRIPTIONS),
    "/v1/audio/translations": Surface("POST", Action.RELAY, WireFormat.OPENAI_TRANSLATIONS),
    "/v1/moderations": Surface("POST", Action.RELAY, WireFormat.OPENAI_MODERATIONS),
    "/v1/rerank": Surface("POST", Action.RELAY, WireFormat.RERANK),
    "/v1/messages": Surface("POST", Action.RELAY, WireFormat.ANTHROPIC_MESSAGES),
    "/v1/messages/count_tokens": Surface("POST", Action.RELAY, WireFormat.ANTHROPIC_COUNT_TOKENS),
    "/v1/models": Surface("GET", Action.LIST_MODELS, WireFormat.OPENAI_CHAT),
    "/v1beta/models": _LISTS_GOOGLES,
}
_MODEL_PREFIXES = {"/v1/models/": _EXACT["/v1/models"], "/v1beta/models/": _LISTS_GOOGLES}
_VERBS = {
    "generateContent": (WireFormat.GEMINI, False),
    "streamGenerateContent": (WireFormat.GEMINI, True),
    "countTokens": (WireFormat.GEMINI_COUNT_TOKENS, False),
    "embedContent": (WireFormat.GEMINI_EMBED, False),
    "batchEmbedContents": (WireFormat.GEMINI_BATCH_EMBED, False),
}
"""What Google's paths end in: `/v1beta/models/{model}:{verb}`, where the model may hold slashes and colons. Clients
that take a name with a slash for a whole path (Vercel's) leave `models/` out."""
_GOOGLES_ROOTS = ("/v1beta/", "/v1/")
_OTHER_RESOURCES = ("tunedModels/", "dynamic/")
"""Google's resources that have these verbs and are no models of ours."""
_RESPONSE_PREFIX = "/v1/responses/"
_STORED_RESPONSE = Surface(None, Action.STORED_RESPONSE, WireFormat.OPENAI_RESPONSES)


def surface_of(path: str) -> Surface | None:
    """The surface at `path`, or None."""
    found = _EXACT.get(path)
    if found is None:
        for prefix, lists in _MODEL_PREFIXES.items():
            if path.startswith(prefix) and len(path) > len(prefix):
                return _googles(path.removeprefix(prefix)) or lists
        for root in _GOOGLES_ROOTS:
            if path.startswith(root) and not path.startswith(_OTHER_RESOURCES, len(root)):
                found = _googles(path.removeprefix(root))
    if found is None and path.startswith(_RESPONSE_PREFIX) and len(path) > len(_RESPONSE_PREFIX):
        return _STORED_RESPONSE
    return found


def _googles(rest: str) -> Surface | None:
    model, _, verb = rest.rpartition(":")
    if not model or verb not in _VERBS:
        return None
    format_, stream = _VERBS[verb]
    return Surface("POST", Action.RELAY, format_, model, stream)


_GOOGLES = frozenset(format_ for format_, _ in _VERBS.values())


def speaks_googles(surface: Surface) -> bool:
    """Whether the surface is one of Google's, whose old samples put the key into the query."""
    return surface.format in _GOOGLES


def error_format(path: str, anthropic_version: bool = False, google_key: bool = False) -> WireFormat:
    """The format in which an error at `path` is told, for unknown paths too; also that of a list of models there.

    `/v1/models` is everybody's: a header tells who asks.
    """
    if path.startswith("/v1/messages") or (anthropic_version and path.startswith("/v1/models")):
        return WireFormat.ANTHROPIC_MESSAGES
    of_google = google_key and path.startswith("/v1/models")
    if path.startswith("/v1beta/") or of_google or (path.startswith("/v1/") and _ends_in_verb(path)):
        return WireFormat.GEMINI
    return WireFormat.OPENAI_CHAT


def _ends_in_verb(path: str) -> bool:
    return path.rpartition(":")[2] in _VERBS
