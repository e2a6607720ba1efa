"""Bedrock's token counts to domain usage.

`inputTokens` leaves out what was read from a cache or written to one (Bedrock User Guide, "Prompt caching");
domain usage includes both. Reasoning is part of `outputTokens` and not counted apart.
"""

from msgspec import Struct

from ownkey.domain.usage import Usage
from ownkey.wire.fields import Count


class UsageShape(
    Struct,
    rename={
        "input": "inputTokens",
        "output": "outputTokens",
        "cache_read": "cacheReadInputTokens",
        "cache_write": "cacheWriteInputTokens",
    },
):
    """`TokenUsage` of the service model."""

    input: Count | None = None
    output: Count | None = None
    cache_read: Count | None = None
    cache_write: Count | None = None


def to_usage(shape: UsageShape) -> Usage | None:
    """None when no count is given."""
    if shape.input is None and shape.output is None:
        return None
    cached, written = int(shape.cache_read or 0), int(shape.cache_write or 0)
    return Usage(int(shape.input or 0) + cached + written, int(shape.output or 0), cached, written)
