"""What a plan needs of a generateContent request, the top-level changes a gateway may make, and its address."""

from collections.abc import Collection
from typing import Any, cast

from msgspec import Struct

from ownkey.wire.fields import TokenLimit, read_request
from ownkey.wire.format import Outline, plain_address


class _Config(Struct):
    maxOutputTokens: TokenLimit | None = None  # noqa: N815
    max_output_tokens: TokenLimit | None = None


class _Shape(Struct):
    """Both spellings, as Google reads both."""

    contents: list[Any] | dict[str, Any]
    generationConfig: _Config | None = None  # noqa: N815
    generation_config: _Config | None = None


def outline(parsed: dict[str, Any]) -> Outline:
    """The address names the model and says whether to stream, so the body tells neither."""
    shape = read_request(parsed, _Shape)
    config = shape.generationConfig or shape.generation_config or _Config()
    return Outline("", max_tokens=config.maxOutputTokens or config.max_output_tokens)


def defaults(
    parsed: dict[str, Any], temperature: float | None, max_tokens: int | None, quirks: Collection[str] = ()
) -> dict[str, Any]:
    del quirks
    name = "generation_config" if "generation_config" in parsed else "generationConfig"
    given = parsed.get(name)
    config = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    changes: dict[str, Any] = {}
    if temperature is not None and config.get("temperature") is None:
        changes["temperature"] = temperature
    if max_tokens is not None and config.get("maxOutputTokens") is None and config.get("max_output_tokens") is None:
        changes["maxOutputTokens"] = max_tokens
    return {name: config | changes} if changes else {}


def ask_usage(parsed: dict[str, Any]) -> dict[str, Any]:
    """Nothing: usage is always reported."""
    del parsed
    return {}


def address(path: str, model: str, stream: bool) -> str:
    """`path` is `/models/{model}`; a model may be named as Google's lists name it, `models/gemini-…`."""
    verb = ":streamGenerateContent?alt=sse" if stream else ":generateContent"
    return model_address(path, model, stream) + verb


def model_address(path: str, model: str, stream: bool) -> str:
    """As `address`, for rows whose path holds the verb."""
    return plain_address(path, model.removeprefix("models/"), stream)
