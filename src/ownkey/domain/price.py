"""List prices and what a request costs at them."""

from msgspec import Struct

from ownkey.domain.money import ZERO, Nano
from ownkey.domain.usage import Usage


class Rates(Struct, frozen=True, omit_defaults=True):
    """Prices in nano-dollars per million tokens; `per_request` in nano-dollars.

    `tiers` replace these rates when the input exceeds their threshold (in tokens); the highest
    threshold that is exceeded wins. `None` for a cached rate means cached tokens cost as input does,
    and for `reasoning` that reasoning costs as output does. Where cache writes have a rate, those cached for an hour
    cost `HOUR_WRITE` times the input.
    """

    input: int = 0
    output: int = 0
    cached_input: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    per_request: int = 0
    tiers: tuple[tuple[int, "Rates"], ...] = ()


FREE = Rates()
HOUR_WRITE = 2
"""A cache write of an hour costs so many times the input (Anthropic, "Prompt caching", November 2026)."""


def list_cost(rates: Rates, usage: Usage) -> Nano:
    """What the provider says `usage` cost, else its asking price, rounded up to a whole nano-dollar."""
    if usage.cost is not None:
        return Nano(usage.cost)
    if rates is FREE:
        return ZERO
    for threshold, tier in rates.tiers:
        if usage.input_tokens > threshold:
            rates = tier
    cached = rates.input if rates.cached_input is None else rates.cached_input
    written, hour = rates.input, rates.input
    if rates.cache_write is not None:
        written, hour = rates.cache_write, rates.input * HOUR_WRITE
    hours = min(usage.cache_write_hour_tokens, usage.cache_write_tokens)
    plain = max(usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens, 0)
    spoken = usage.output_tokens
    thought = 0
    if rates.reasoning is not None:
        thought = min(usage.reasoning_tokens, spoken) * rates.reasoning
        spoken -= min(usage.reasoning_tokens, spoken)
    micro = (
        plain * rates.input
        + usage.cached_tokens * cached
        + (usage.cache_write_tokens - hours) * written
        + hours * hour
        + spoken * rates.output
        + thought
    )
    return Nano(rates.per_request * usage.units + -(-micro // 1_000_000))


def surcharged(rates: Rates, percent: int) -> Rates:
    """The rates with `percent` on every token, each rounded up to a whole nano-dollar per million tokens."""

    def more(rate: int) -> int:
        return -(-rate * (100 + percent) // 100)

    def more_or_none(rate: int | None) -> int | None:
        return None if rate is None else more(rate)

    return Rates(
        input=more(rates.input),
        output=more(rates.output),
        cached_input=more_or_none(rates.cached_input),
        cache_write=more_or_none(rates.cache_write),
        reasoning=more_or_none(rates.reasoning),
        per_request=rates.per_request,
        tiers=tuple((threshold, surcharged(tier, percent)) for threshold, tier in rates.tiers),
    )
