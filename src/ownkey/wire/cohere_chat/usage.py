"""Cohere's token counts (cohere.types.Usage) to domain usage.

`billed_units` leave out what Cohere itself adds to a prompt, which `tokens` include. What is billed
counts: prices multiply it. Counts are floats.
"""

from msgspec import Struct

from ownkey.domain.usage import Usage
from ownkey.wire.fields import Count


class Tokens(Struct):
    input_tokens: Count | None = None
    output_tokens: Count | None = None


class UsageShape(Struct):
    billed_units: Tokens | None = None
    tokens: Tokens | None = None
    cached_tokens: Count | None = None


def to_usage(shape: UsageShape) -> Usage | None:
    """None when no count is given. Cached tokens never exceed the input."""
    for counts in (shape.billed_units, shape.tokens):
        if counts is not None and not (counts.input_tokens is None and counts.output_tokens is None):
            asked = int(counts.input_tokens or 0)
            return Usage(asked, int(counts.output_tokens or 0), min(int(shape.cached_tokens or 0), asked))
    return None
