"""Which paths the data plane answers, and in which format it answers them."""

from enum import StrEnum

from msgspec import Struct

from ownkey.domain.formats import WireFormat


class Deed(StrEnum):
    """What a path is for."""

    RELAY = "relay"
    LIST_MODELS = "list_models"
    STORED_RESPONSE = "stored_response"


class Surface(Struct, frozen=True):
    """One path: its method, what it does, and the format a client speaks there.

    A path that takes several methods has none here, and tells itself which.
    `model` and `stream` are what the path itself says of the request; None leaves it to the body.
    """

    method: str | None
    deed: Deed
    format: WireFormat
    model: str | None = None
    stream: bool | None = None


_EXACT = {
    "/v1/chat/completions": Surface("POST", Deed.RELAY, WireFormat.OPENAI_CHAT),
    "/v1/responses": Surface("POST", Deed.RELAY, WireFormat.OPENAI_RESPONSES),
    "/v1/embeddings": Surface("POST", Deed.RELAY, WireFormat.OPENAI_EMBEDDINGS),
    "/v1/messages": Surface("POST", Deed.RELAY, WireFormat.ANTHROPIC_MESSAGES),
    "/v1/models": Surface("GET", Deed.LIST_MODELS, WireFormat.OPENAI_CHAT),
}
_MODEL_PREFIX = "/v1/models/"
_RESPONSE_PREFIX = "/v1/responses/"
_STORED_RESPONSE = Surface(None, Deed.STORED_RESPONSE, WireFormat.OPENAI_RESPONSES)


def surface_of(path: str) -> Surface | None:
    """The surface at `path`, or None."""
    found = _EXACT.get(path)
    if found is None and path.startswith(_MODEL_PREFIX) and len(path) > len(_MODEL_PREFIX):
        return _EXACT["/v1/models"]
    if found is None and path.startswith(_RESPONSE_PREFIX) and len(path) > len(_RESPONSE_PREFIX):
        return _STORED_RESPONSE
    return found


def error_format(path: str, anthropic_version: bool = False) -> WireFormat:
    """The format in which an error at `path` is told, for unknown paths too."""
    if path.startswith("/v1/messages") or (anthropic_version and path.startswith("/v1/models")):
        return WireFormat.ANTHROPIC_MESSAGES
    return WireFormat.OPENAI_CHAT
