"""OpenAI's token counts, with the dialects of compatible providers, to and from domain usage."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from ownkey.domain.usage import Usage
from ownkey.wire.costs import Costs, nano_cost
from ownkey.wire.fields import Count, decode_or_none


class PromptDetails(Struct):
    cached_tokens: Count | None = None
    cache_write_tokens: Count | None = None


class CompletionDetails(Struct):
    reasoning_tokens: Count | None = None


class UsageShape(Costs):
    """`prompt_cache_hit_tokens` is DeepSeek's word and `cached_tokens` Moonshot's for cached input."""

    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    total_tokens: Count | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None
    prompt_cache_hit_tokens: Count | None = None
    cached_tokens: Count | None = None


class Place(Struct):
    """Where usage may be."""

    usage: UsageShape | None = None


class Reporting(Place):
    """An answer or a chunk. Groq reports a stream's usage under `x_groq`, Moonshot within the choice that stopped."""

    choices: list[Place] | None = None
    x_groq: Place | None = None


_BODY = msgspec.json.Decoder(Reporting)


def usage_of(body: bytes) -> Usage | None:
    """The usage in a whole answer; None where there is none that can be read."""
    read = decode_or_none(_BODY, body)
    return reported(read, read.x_groq, read.choices) if read is not None else None


def reported(body: Place, x_groq: Place | None, choices: Sequence[Place] | None) -> Usage | None:
    """The usage that an answer or a chunk reports; the usual place comes first."""
    for place in (body, x_groq, *(choices or ())):
        if place is not None and place.usage is not None and (usage := to_usage(place.usage)) is not None:
            return usage
    return None


def to_usage(shape: UsageShape) -> Usage | None:
    """None when neither a count nor a cost is given. Parts never exceed their whole.

    Some providers (xAI, Gemini's compatible surface) leave reasoning out of `completion_tokens` and
    count it in the total alone; what the total has beyond the prompt is output.
    """
    cost = nano_cost(shape)
    if shape.prompt_tokens is None and shape.completion_tokens is None and shape.total_tokens is None:
        return None if cost is None else Usage(cost=cost)
    prompt = int(shape.prompt_tokens or 0)
    output = max(int(shape.completion_tokens or 0), int(shape.total_tokens or 0) - prompt)
    details = shape.prompt_tokens_details
    cached = int((details and details.cached_tokens) or shape.prompt_cache_hit_tokens or shape.cached_tokens or 0)
    written = int((details and details.cache_write_tokens) or 0)
    completion = shape.completion_tokens_details
    reasoning = int((completion and completion.reasoning_tokens) or 0)
    cached = min(cached, prompt)
    return Usage(prompt, output, cached, min(written, prompt - cached), min(reasoning, output), cost=cost)


def from_usage(usage: Usage) -> dict[str, Any]:
    """The `usage` object of an answer."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }
