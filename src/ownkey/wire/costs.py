"""What a provider says an answer cost, beside its token counts.

    OpenRouter   `cost` in USD; for a key of the account's own at the vendor (`is_byok`) this is OpenRouter's fee, and
                 `cost_details.upstream_inference_cost` what the vendor charges (openrouter.ai/docs, usage accounting)
    Perplexity   `cost.total_cost` in USD, beside its parts (docs.perplexity.ai, API reference)
    xAI          `cost_in_usd_ticks`, 10^10 to the dollar (docs.x.ai/developers/cost-tracking)
    DeepInfra    `estimated_cost` in USD

OpenRouter's and xAI's were read in November 2026; the others are unconfirmed.
"""

from decimal import ROUND_CEILING, Decimal
from typing import Any, cast

from msgspec import Struct

_MOST_USD = 1_000_000
"""No answer costs more; a larger number is an error and would spoil sums."""
_NANO = Decimal(1_000_000_000)
_TICKS_PER_NANO = 10


class Costs(Struct):
    """The fields of a `usage` object that state money; anything may be in them."""

    cost: Any = None
    cost_in_usd_ticks: Any = None
    cost_details: Any = None
    is_byok: Any = None
    estimated_cost: Any = None


def nano_cost(stated: Costs) -> int | None:
    """The cost in nano-dollars, rounded up; None where none is stated that can be read."""
    if stated.cost is None and stated.cost_in_usd_ticks is None and stated.estimated_cost is None:
        return None
    if (ticks := _number(stated.cost_in_usd_ticks, _MOST_USD * 10**10)) is not None:
        return int((ticks / _TICKS_PER_NANO).to_integral_value(ROUND_CEILING))
    cost: object = stated.cost if stated.cost is not None else stated.estimated_cost
    total = _of(cost, "total_cost")
    dollars = _number(cost if total is None else total, _MOST_USD)
    if dollars is None:
        return None
    if stated.is_byok is True:
        vendor = _number(_of(stated.cost_details, "upstream_inference_cost"), _MOST_USD)
        if vendor is None and not dollars:
            return None
        dollars += vendor or 0
    return int((dollars * _NANO).to_integral_value(ROUND_CEILING))


def _of(value: object, name: str) -> object:
    return cast("dict[str, object]", value).get(name) if isinstance(value, dict) else None


def _number(value: object, most: int) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        return None
    return Decimal(str(value))
