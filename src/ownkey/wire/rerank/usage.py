"""What a rerank consumed: tokens, or search units, which are billed by the piece."""

import msgspec
from msgspec import Struct

from ownkey.domain.usage import Usage
from ownkey.wire.fields import Count


class _Tokens(Struct):
    """`usage` of the shape that Jina, Together and vLLM share; OpenRouter adds search units."""

    prompt_tokens: Count | None = None
    total_tokens: Count | None = None
    search_units: Count | None = None


class _Units(Struct):
    input_tokens: Count | None = None
    search_units: Count | None = None


class Meta(Struct):
    """Cohere's `meta` (cohere.types.ApiMeta)."""

    billed_units: _Units | None = None
    tokens: _Units | None = None


class _Body(Struct):
    usage: _Tokens | None = None
    meta: Meta | None = None


_BODY = msgspec.json.Decoder(_Body)


def usage_of(body: bytes) -> Usage | None:
    """The usage in a whole answer; None where there is none that can be read."""
    try:
        told = _BODY.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if told.usage is not None:
        counts = told.usage
        tokens = counts.total_tokens if counts.prompt_tokens is None else counts.prompt_tokens
        if (usage := _usage(tokens, counts.search_units)) is not None:
            return usage
    return of_meta(told.meta) if told.meta is not None else None


def of_meta(meta: Meta) -> Usage | None:
    """None when no count is given."""
    units = meta.billed_units.search_units if meta.billed_units is not None else None
    counts = [each.input_tokens for each in (meta.billed_units, meta.tokens) if each is not None]
    tokens = next((count for count in counts if count is not None), None)
    return _usage(tokens, units)


def _usage(tokens: float | None, units: float | None) -> Usage | None:
    if units is None and tokens is None:
        return None
    return Usage(int(tokens or 0), units=1 if units is None else int(units))
