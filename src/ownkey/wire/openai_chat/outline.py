"""What a plan needs of a chat request, and the top-level changes a gateway may make to it."""

from collections.abc import Collection
from typing import Any, cast

from msgspec import Struct

from ownkey.domain.catalogue import Quirk
from ownkey.wire.fields import TokenLimit, read_request
from ownkey.wire.format import Outline


class _Shape(Struct):
    model: str
    messages: list[Any]
    stream: bool | None = None
    max_tokens: TokenLimit | None = None
    max_completion_tokens: TokenLimit | None = None


def outline(parsed: dict[str, Any]) -> Outline:
    shape = read_request(parsed, _Shape)
    limit = shape.max_completion_tokens if shape.max_completion_tokens is not None else shape.max_tokens
    return Outline(shape.model, bool(shape.stream), limit)


def defaults(
    parsed: dict[str, Any], temperature: float | None, max_tokens: int | None, quirks: Collection[str] = ()
) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if temperature is not None and parsed.get("temperature") is None:
        changes["temperature"] = temperature
    if max_tokens is not None and parsed.get("max_tokens") is None and parsed.get("max_completion_tokens") is None:
        changes["max_completion_tokens" if Quirk.MAX_COMPLETION_TOKENS in quirks else "max_tokens"] = max_tokens
    return changes


def ask_usage(parsed: dict[str, Any]) -> dict[str, Any]:
    if parsed.get("stream") is not True:
        return {}
    asked: object = parsed.get("stream_options")
    options = cast("dict[str, object]", asked) if isinstance(asked, dict) else {}
    if options.get("include_usage") is True:
        return {}
    return {"stream_options": {**options, "include_usage": True}}
