"""The token counts of responses, to and from domain usage."""

from typing import Any

import msgspec
from msgspec import Struct

from ownkey.domain.usage import Usage
from ownkey.wire.costs import Costs, nano_cost
from ownkey.wire.fields import Count, decode_or_none


class InputDetails(Struct):
    """The last two are Perplexity's words for the first two."""

    cached_tokens: Count | None = None
    cache_write_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None


class OutputDetails(Struct):
    reasoning_tokens: Count | None = None


class UsageShape(Costs):
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    total_tokens: Count | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None


class _Body(Struct):
    usage: UsageShape | None = None


_BODY = msgspec.json.Decoder(_Body)


def usage_of(body: bytes) -> Usage | None:
    """The usage in a whole answer; None where there is none that can be read."""
    read = decode_or_none(_BODY, body)
    return to_usage(read.usage) if read is not None and read.usage is not None else None


def to_usage(shape: UsageShape) -> Usage | None:
    """None when neither a count nor a cost is given. Parts never exceed their whole.

    What the total has beyond the input is output.
    """
    cost = nano_cost(shape)
    if shape.input_tokens is None and shape.output_tokens is None and shape.total_tokens is None:
        return None if cost is None else Usage(cost=cost)
    asked = int(shape.input_tokens or 0)
    output = max(int(shape.output_tokens or 0), int(shape.total_tokens or 0) - asked)
    details = shape.input_tokens_details or InputDetails()
    cached = min(int(details.cached_tokens or details.cache_read_input_tokens or 0), asked)
    written = int(details.cache_write_tokens or details.cache_creation_input_tokens or 0)
    reasoning = int((shape.output_tokens_details and shape.output_tokens_details.reasoning_tokens) or 0)
    return Usage(asked, output, cached, min(written, asked - cached), min(reasoning, output), cost=cost)


def from_usage(usage: Usage) -> dict[str, Any]:
    """The `usage` object of an answer."""
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
