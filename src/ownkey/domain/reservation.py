"""The most that a request can cost, known before it is sent: a bound, not an estimate.

Byte-level tokenisers never make more than one token of a byte, so the bytes of the body bound its text. What is not in
the body as text (media, files and conversations by reference) counts as the model's whole context window.
"""

import re
from collections.abc import Iterable

from ownkey.domain.money import Nano
from ownkey.domain.price import HOUR_WRITE, Rates

_FRAMING = 1024
"""Tokens that a provider may put around what was sent: roles, separators, tool preambles."""
_MEDIA = re.compile(
    rb'"(?:image|input_image|image_url|file|file_id|input_file|file_url|fileData|file_data|document|audio|input_audio'
    rb"|video|video_url|media|inlineData|inline_data|blob|container|conversation|previous_response_id|cachedContent"
    rb'|cached_content)"'
)
_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")
"""A letter written as an escape could hide one of these names."""


def holds_media(body: bytes) -> bool:
    """Whether a JSON body may hold or refer to anything but text. Never False for one that does."""
    return _MEDIA.search(body) is not None or (b"\\u00" in body and _ESCAPED_ASCII.search(body) is not None)


def input_bound(text_bytes: int, media: bool, window: int | None) -> int | None:
    """Tokens of input at most; None when nothing bounds them. `window` is the model's context window, if known."""
    if media:
        return window
    bound = text_bytes + _FRAMING
    return bound if window is None or bound < window else window


def output_bound(limit: int | None, choices: int, window: int | None) -> int | None:
    """Tokens of output at most: the `limit` sent upstream, or the window without one, for each choice."""
    most = window if limit is None else limit
    return None if most is None else most * max(choices, 1)


def price_bound(rates: Iterable[Rates], input_tokens: int, output_tokens: int) -> Nano:
    """The most expensive of `rates` (one for each attempt) at the most expensive tier that the input reaches."""
    most = 0
    for base in rates:
        for tier in (base, *[tier for threshold, tier in base.tiers if input_tokens > threshold]):
            write = tier.cache_write
            most_in = max(tier.input, tier.cached_input or 0)
            if write is not None:
                most_in = max(most_in, write, tier.input * HOUR_WRITE)
            most_out = max(tier.output, tier.reasoning or 0)
            micro = input_tokens * most_in + output_tokens * most_out
            most = max(most, tier.per_request - (-micro // 1_000_000))
    return Nano(most)
