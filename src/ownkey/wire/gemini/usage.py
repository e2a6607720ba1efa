"""Gemini's token counts to and from domain usage.

`promptTokenCount` includes cached tokens; `candidatesTokenCount` leaves out `thoughtsTokenCount`, which is
billed as output. The results of Google's own tools count as input. Streams repeat the totals in each chunk.
"""

from typing import Any

import msgspec
from msgspec import Struct

from ownkey.domain.usage import Usage
from ownkey.wire.fields import Count, decode_or_none


class UsageShape(Struct, rename="camel"):
    prompt_token_count: Count | None = None
    candidates_token_count: Count | None = None
    thoughts_token_count: Count | None = None
    cached_content_token_count: Count | None = None
    tool_use_prompt_token_count: Count | None = None
    total_token_count: Count | None = None


class _Body(Struct, rename="camel"):
    usage_metadata: UsageShape | None = None


_BODY = msgspec.json.Decoder(_Body)


def usage_of(body: bytes) -> Usage | None:
    """The usage in a whole answer; None where there is none that can be read."""
    read = decode_or_none(_BODY, body)
    return to_usage(read.usage_metadata) if read is not None and read.usage_metadata is not None else None


def to_usage(shape: UsageShape) -> Usage | None:
    """None when no count is given. Parts never exceed their whole."""
    if shape.prompt_token_count is None and shape.candidates_token_count is None and shape.total_token_count is None:
        return None
    prompt = int(shape.prompt_token_count or 0) + int(shape.tool_use_prompt_token_count or 0)
    thoughts = int(shape.thoughts_token_count or 0)
    output = max(int(shape.candidates_token_count or 0) + thoughts, int(shape.total_token_count or 0) - prompt)
    return Usage(prompt, output, min(int(shape.cached_content_token_count or 0), prompt), 0, thoughts)


def from_usage(usage: Usage) -> dict[str, Any]:
    """The `usageMetadata` object of an answer."""
    counts = {
        "promptTokenCount": usage.input_tokens,
        "candidatesTokenCount": usage.output_tokens - usage.reasoning_tokens,
        "totalTokenCount": usage.input_tokens + usage.output_tokens,
    }
    if usage.reasoning_tokens:
        counts["thoughtsTokenCount"] = usage.reasoning_tokens
    if usage.cached_tokens:
        counts["cachedContentTokenCount"] = usage.cached_tokens
    return counts
