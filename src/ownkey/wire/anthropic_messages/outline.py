"""What a plan needs of a messages request, and the top-level changes a gateway may make to it."""

from collections.abc import Collection
from typing import Annotated, Any

from msgspec import Meta, Struct

from ownkey.wire.fields import MAX_TOKENS, read_request
from ownkey.wire.format import Outline

TokenLimit = Annotated[int, Meta(ge=0, le=MAX_TOKENS)]
"""0 is legal: it fills the prompt cache and answers nothing."""


class _Shape(Struct):
    model: str
    messages: list[Any]
    max_tokens: TokenLimit | None = None
    stream: bool | None = None


def outline(parsed: dict[str, Any]) -> Outline:
    """`max_tokens` may be absent here: a default may still fill it in."""
    shape = read_request(parsed, _Shape)
    return Outline(shape.model, bool(shape.stream), shape.max_tokens)


def defaults(
    parsed: dict[str, Any], temperature: float | None, max_tokens: int | None, quirks: Collection[str] = ()
) -> dict[str, Any]:
    """A preferred temperature above 1 lies outside Anthropic's scale and becomes 1."""
    del quirks
    changes: dict[str, Any] = {}
    if temperature is not None and parsed.get("temperature") is None:
        changes["temperature"] = min(temperature, 1.0)
    if max_tokens is not None and parsed.get("max_tokens") is None:
        changes["max_tokens"] = max_tokens
    return changes


def ask_usage(parsed: dict[str, Any]) -> dict[str, Any]:
    """Nothing: usage is always reported."""
    del parsed
    return {}
