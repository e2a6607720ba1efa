"""What a plan needs of a responses request, and the top-level changes a gateway may make to it."""

from collections.abc import Collection
from typing import Any

from msgspec import Struct

from ownkey.domain.catalogue import Quirk
from ownkey.wire.fields import TokenLimit, read_request
from ownkey.wire.format import Outline


class _Shape(Struct):
    model: str
    input: str | list[Any] | None = None
    stream: bool | None = None
    max_output_tokens: TokenLimit | None = None
    store: bool | None = None
    previous_response_id: str | None = None


def outline(parsed: dict[str, Any]) -> Outline:
    """`input` may be absent: a prompt or a conversation of the provider's can stand for it."""
    shape = read_request(parsed, _Shape)
    return Outline(shape.model, bool(shape.stream), shape.max_output_tokens)


def defaults(
    parsed: dict[str, Any], temperature: float | None, max_tokens: int | None, quirks: Collection[str] = ()
) -> dict[str, Any]:
    del quirks
    changes: dict[str, Any] = {}
    if temperature is not None and parsed.get("temperature") is None:
        changes["temperature"] = temperature
    if max_tokens is not None and parsed.get("max_output_tokens") is None:
        changes["max_output_tokens"] = max_tokens
    return changes


def ask_usage(parsed: dict[str, Any]) -> dict[str, Any]:
    """Nothing: usage is always reported."""
    del parsed
    return {}


def adapt(parsed: dict[str, Any], quirks: Collection[str]) -> dict[str, Any]:
    """A provider that keeps no responses is not asked to."""
    return {"store": False} if Quirk.STATELESS_RESPONSES in quirks and parsed.get("store") is not False else {}
