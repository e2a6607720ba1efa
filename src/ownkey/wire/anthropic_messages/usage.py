"""Anthropic's token counts to and from domain usage.

`input_tokens` leaves out cached reads and cache writes at Anthropic; domain usage includes both.
"""

from typing import Any

import msgspec
from msgspec import Struct

from ownkey.domain.usage import Usage
from ownkey.wire.costs import Costs, nano_cost
from ownkey.wire.fields import Count, decode_or_none


class OutputDetails(Struct):
    thinking_tokens: Count | None = None


class CacheCreation(Struct):
    """How the cache writes divide by the time for which they are kept."""

    ephemeral_1h_input_tokens: Count | None = None


class UsageShape(Costs):
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    output_tokens_details: OutputDetails | None = None
    cache_creation: CacheCreation | None = None


class _Body(Struct):
    usage: UsageShape | None = None


_BODY = msgspec.json.Decoder(_Body)


def usage_of(body: bytes) -> Usage | None:
    """The usage in a whole answer; None where there is none that can be read."""
    read = decode_or_none(_BODY, body)
    return to_usage(read.usage) if read is not None and read.usage is not None else None


def merge(old: UsageShape | None, new: UsageShape) -> UsageShape:
    """Totals after a further report: what it does not mention stands as it was."""
    if old is None:
        return new

    def last(name: str) -> Any:
        value = getattr(new, name)
        return getattr(old, name) if value is None else value

    return UsageShape(*(last(name) for name in UsageShape.__struct_fields__))


def to_usage(shape: UsageShape) -> Usage | None:
    """None when no count is given."""
    if shape.input_tokens is None and shape.output_tokens is None:
        return None
    cached = int(shape.cache_read_input_tokens or 0)
    written = int(shape.cache_creation_input_tokens or 0)
    output = int(shape.output_tokens or 0)
    details = shape.output_tokens_details
    reasoning = int((details and details.thinking_tokens) or 0)
    hours = int((shape.cache_creation and shape.cache_creation.ephemeral_1h_input_tokens) or 0)
    return Usage(
        int(shape.input_tokens or 0) + cached + written,
        output,
        cached,
        written,
        min(reasoning, output),
        cache_write_hour_tokens=min(hours, written),
        cost=nano_cost(shape),
    )


def from_usage(usage: Usage) -> dict[str, Any]:
    """The `usage` object of an answer."""
    counts: dict[str, Any] = {
        "input_tokens": max(usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens, 0),
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
    }
    if usage.cache_write_hour_tokens:
        counts["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.cache_write_tokens - usage.cache_write_hour_tokens,
            "ephemeral_1h_input_tokens": usage.cache_write_hour_tokens,
        }
    if usage.reasoning_tokens:
        counts["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return counts
