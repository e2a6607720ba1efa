"""What a plan needs of a completion request, and the top-level changes a gateway may make to it."""

from collections.abc import Collection
from typing import Any

from msgspec import Struct

from ownkey.wire.fields import MAX_TOKENS, read_request
from ownkey.wire.format import Outline


class _Shape(Struct):
    model: str
    stream: bool | None = None
    max_tokens: int | None = None


def outline(parsed: dict[str, Any]) -> Outline:
    """`max_tokens` may be 0 where a provider only echoes the prompt."""
    shape = read_request(parsed, _Shape)
    limit = shape.max_tokens
    return Outline(shape.model, bool(shape.stream), None if limit is None else min(max(limit, 0), MAX_TOKENS))


def defaults(
    parsed: dict[str, Any], temperature: float | None, max_tokens: int | None, quirks: Collection[str] = ()
) -> dict[str, Any]:
    del quirks
    changes: dict[str, Any] = {}
    if temperature is not None and parsed.get("temperature") is None:
        changes["temperature"] = temperature
    if max_tokens is not None and parsed.get("max_tokens") is None:
        changes["max_tokens"] = max_tokens
    return changes
