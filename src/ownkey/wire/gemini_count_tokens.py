"""Gemini's countTokens: how many tokens a request would have. It is free of charge."""

from typing import Any, cast

import msgspec
from msgspec import Struct

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.counting import estimated_tokens
from ownkey.wire.fields import read_request
from ownkey.wire.format import Format, Outline
from ownkey.wire.gemini import errors, request_reading
from ownkey.wire.gemini.embedding import defaults
from ownkey.wire.gemini.observe import ContentObserver
from ownkey.wire.gemini.outline import ask_usage, model_address

_WRAPPED = ("generateContentRequest", "generate_content_request")


class _Shape(Struct):
    """`contents` alone, or a whole request."""

    contents: list[Any] | dict[str, Any] | None = None
    generateContentRequest: dict[str, Any] | None = None  # noqa: N815
    generate_content_request: dict[str, Any] | None = None


class _Counted(Struct, rename="camel"):
    total_tokens: int | None = None


_COUNTED = msgspec.json.Decoder(_Counted)


def outline(parsed: dict[str, Any]) -> Outline:
    shape = read_request(parsed, _Shape)
    if shape.contents is None and shape.generateContentRequest is None and shape.generate_content_request is None:
        raise InvalidRequest("contents is missing.", param="contents")
    return Outline("", max_tokens=0)


def rename(parsed: dict[str, Any], model: str) -> dict[str, Any]:
    """A whole request inside names the model again."""
    name = f"models/{model.removeprefix('models/')}"
    wrapped = {key: cast("object", parsed.get(key)) for key in _WRAPPED}
    return {key: value | {"model": name} for key, value in wrapped.items() if isinstance(value, dict)}


def usage_of(body: bytes) -> Usage | None:
    """Nothing was used, where the answer is a count."""
    try:
        counted = _COUNTED.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return Usage() if counted.total_tokens is not None else None


def estimate(parsed: dict[str, Any]) -> bytes:
    """The answer with our estimate. Raises InvalidRequest and UnsupportedField, as the request itself would."""
    whole: object = parsed.get(_WRAPPED[0]) or parsed.get(_WRAPPED[1]) or parsed
    conversation = request_reading.read(cast("dict[str, Any]", whole))
    return msgspec.json.encode({"totalTokens": estimated_tokens(conversation)})


GEMINI_COUNT_TOKENS = Format(
    name=WireFormat.GEMINI_COUNT_TOKENS,
    outline=outline,
    defaults=defaults,
    ask_usage=ask_usage,
    usage_of=usage_of,
    observer=ContentObserver,
    errors=errors,
    address=model_address,
    rename=rename,
    estimate=estimate,
)
