"""Makes `prices.json` from genai-prices: `python -m ownkey.providers.price_snapshot`.

The package's own data takes a second and 70 MB to import, which a gateway does not spend at every start;
the snapshot holds the same prices for the providers we know and loads in milliseconds. A test compares
it with the installed package, so that the two never drift apart.

Only this module imports genai-prices, and nothing imports this module at run time.
"""

import sys
from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

import msgspec
from genai_prices import types as source
from genai_prices.data_snapshot import get_snapshot

from ownkey.domain.price import Rates
from ownkey.providers.price_list import Match, PricedModel, PriceList, Season, Table

INCLUDED = (
    "openai",
    "anthropic",
    "openrouter",
    "google",
    "mistral",
    "cohere",
    "groq",
    "together",
    "fireworks",
    "perplexity",
    "deepseek",
    "x-ai",
    "azure",
    "aws",
    "moonshotai",
)
"""The providers of the catalogue by their id in genai-prices, and those that azure falls back to."""

_NANO = Decimal(1_000_000_000)


def build() -> PriceList:
    """The snapshot of the installed genai-prices."""
    providers = {provider.id: provider for provider in get_snapshot().providers}
    return PriceList(tables={name: _table(providers[name]) for name in INCLUDED})


def _table(provider: source.Provider) -> Table:
    return Table(
        models=[_model(model) for model in provider.models],
        fallback=list(provider.fallback_model_providers or ()),
    )


def _model(model: source.ModelInfo) -> PricedModel:
    prices = model.prices
    conditional = prices if isinstance(prices, list) else [source.ConditionalPrice(prices=prices)]
    return PricedModel(
        id=model.id,
        match=_match(model.match),
        seasons=[_season(price) for price in conditional],
        context_window=model.context_window,
    )


def _match(clause: object) -> Match:
    match clause:
        case source.ClauseEquals(equals=text):
            return Match(equals=text.lower())
        case source.ClauseStartsWith(starts_with=text):
            return Match(starts=text.lower())
        case source.ClauseEndsWith(ends_with=text):
            return Match(ends=text.lower())
        case source.ClauseContains(contains=text):
            return Match(contains=text.lower())
        case source.ClauseRegex(regex=text):
            return Match(regex=text)
        case source.ClauseOr(or_=clauses):
            return Match(any=[_match(inner) for inner in clauses])
        case source.ClauseAnd(and_=clauses):
            return Match(all=[_match(inner) for inner in clauses])
        case _:
            raise TypeError(f"genai-prices has a new kind of clause: {type(clause).__name__}")


def _season(price: source.ConditionalPrice) -> Season:
    rates = _rates(price.prices)
    match price.constraint:
        case None:
            return Season(rates=rates)
        case source.StartDateConstraint(start_date=start):
            return Season(rates=rates, starts_at=_midnight(start))
        case source.TimeOfDateConstraint(start_time=start, end_time=end):
            return Season(rates=rates, daily=(_second_of_day(start), _second_of_day(end)))
    raise TypeError(f"genai-prices has a new kind of constraint: {type(price.constraint).__name__}")


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _second_of_day(moment: time) -> int:
    if moment.utcoffset() not in (None, UTC.utcoffset(None)):
        raise ValueError("genai-prices has a time of day that is not in UTC")
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def _rates(prices: source.ModelPrice) -> Rates | None:
    """None when the model has prices and none of them is for text tokens or requests: audio hours, pages, images."""
    asked: dict[str, Decimal | source.TieredPrices] = {
        key: price for key, price in vars(prices).items() if price is not None
    }
    if asked and not asked.keys() & {"input_mtok", "output_mtok", "requests_kcount"}:
        return None
    starts = sorted(
        {tier.start for price in asked.values() if isinstance(price, source.TieredPrices) for tier in price.tiers}
    )
    tiers = tuple((start, _rates_above(asked, start)) for start in starts)
    return msgspec.structs.replace(_rates_above(asked, -1), tiers=tiers)


def _rates_above(asked: dict[str, Decimal | source.TieredPrices], start: int) -> Rates:
    """The rates for inputs of more than `start` tokens, and no more than the next tier's."""

    def nano(key: str) -> int | None:
        price = asked.get(key)
        if price is None:
            return None
        if isinstance(price, source.TieredPrices):
            reached = [tier.price for tier in price.tiers if tier.start <= start]
            price = reached[-1] if reached else price.base
        return int((price * _NANO).to_integral_value(ROUND_CEILING))

    per_thousand_requests = nano("requests_kcount") or 0
    return Rates(
        input=nano("input_mtok") or 0,
        output=nano("output_mtok") or 0,
        cached_input=nano("cache_read_mtok"),
        cache_write=nano("cache_write_mtok"),
        per_request=-(-per_thousand_requests // 1000),
    )


def main() -> None:
    """Write the snapshot beside this module."""
    target = Path(__file__).with_name("prices.json")
    target.write_bytes(encode(build()))
    sys.stdout.write(f"{target.name} written\n")


def encode(prices: PriceList) -> bytes:
    """The snapshot's text: JSON with one model a line, so that a renewal reads well as a difference."""
    return msgspec.json.encode(prices).replace(b'},{"id":', b'},\n{"id":').replace(b':[{"id":', b':[\n{"id":') + b"\n"


if __name__ == "__main__":
    main()
