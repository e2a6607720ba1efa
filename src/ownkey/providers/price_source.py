"""Reads prices as genai-prices publishes them (`prices/new_data/v2/data.json` in its repository) into a price list.

A file may come from anywhere, so that everything in it is checked: size, shape, depth, the range of each price,
and that no pattern can take long on any model name. Of each provider only what a gateway needs is read.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING, Decimal
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from ownkey.domain.price import Rates
from ownkey.providers.price_list import Match, PricedModel, PriceList, Season, Table

LARGEST = 32 * 1024 * 1024
"""Bytes. The published file is a tenth of that."""

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
    "huggingface_cerebras",
    "huggingface_fireworks-ai",
    "huggingface_groq",
    "huggingface_hyperbolic",
    "huggingface_nebius",
    "huggingface_novita",
    "huggingface_nscale",
    "huggingface_ovhcloud",
    "huggingface_publicai",
    "huggingface_sambanova",
    "huggingface_together",
)
"""The providers of the catalogue by their id in genai-prices, and those that azure falls back to."""


class PriceFileError(ValueError):
    """The prices cannot be used; the text says where and why."""


_Name = Annotated[str, Meta(min_length=1, max_length=200)]


class _Tier(Struct):
    start: Annotated[int, Meta(ge=0)]
    price: Decimal


class _Tiered(Struct):
    base: Decimal
    tiers: list[_Tier]


_Prices = dict[str, Decimal | _Tiered]


class _Clause(Struct):
    equals: str | None = None
    starts_with: str | None = None
    ends_with: str | None = None
    contains: str | None = None
    regex: str | None = None
    or_: list["_Clause"] | None = field(name="or", default=None)
    and_: list["_Clause"] | None = field(name="and", default=None)


class _Constraint(Struct):
    start_date: date | None = None
    start_time: time | None = None
    end_time: time | None = None


class _Conditional(Struct):
    prices: _Prices
    constraint: _Constraint | None = None


class _Model(Struct):
    id: _Name
    match: _Clause
    prices: _Prices | Annotated[list[_Conditional], Meta(min_length=1)]
    context_window: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None


class _Provider(Struct):
    id: _Name
    models: list[_Model]
    fallback_model_providers: list[str] | None = None


def read_prices(data: bytes, included: Sequence[str] = INCLUDED) -> PriceList:
    """The price list in `data`. Raises PriceFileError."""
    if len(data) > LARGEST:
        raise PriceFileError(f"it is larger than {LARGEST // 1024 // 1024} MiB")
    try:
        return convert_prices(msgspec.json.decode(data), included)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PriceFileError(f"it is not JSON: {error}") from None
    except RecursionError:
        raise PriceFileError("it is nested too deeply") from None


def convert_prices(content: object, included: Sequence[str] = INCLUDED) -> PriceList:
    """The same from decoded JSON."""
    try:
        providers = {provider.id: provider for provider in msgspec.convert(content, list[_Provider], strict=False)}
    except msgspec.ValidationError as error:
        raise PriceFileError(f"it is not in the format of genai-prices: {error}") from None
    tables: dict[str, Table] = {}
    for name in included:
        provider = providers.get(name)
        if provider is None or not provider.models:
            raise PriceFileError(f"it has no prices of {name}, which are there now")
        tables[name] = Table(
            models=[_model(name, model) for model in provider.models],
            fallback=list(provider.fallback_model_providers or ()),
        )
    return PriceList(tables=tables)


def _model(provider: str, model: _Model) -> PricedModel:
    try:
        conditional = model.prices if isinstance(model.prices, list) else [_Conditional(model.prices)]
        return PricedModel(
            id=model.id,
            match=_match(model.match),
            seasons=[_season(each) for each in conditional],
            context_window=model.context_window,
        )
    except PriceFileError as error:
        raise PriceFileError(f"{provider}: {model.id}: {error}") from None


_DEEPEST_RULE = 8


def _match(clause: _Clause, depth: int = 1) -> Match:
    if depth > _DEEPEST_RULE:
        raise PriceFileError("match: nested too deeply")
    rules = [
        Match(equals=clause.equals.lower()) if clause.equals is not None else None,
        Match(starts=clause.starts_with.lower()) if clause.starts_with is not None else None,
        Match(ends=clause.ends_with.lower()) if clause.ends_with is not None else None,
        Match(contains=clause.contains.lower()) if clause.contains is not None else None,
        Match(regex=_pattern(clause.regex)) if clause.regex is not None else None,
        Match(any=[_match(inner, depth + 1) for inner in clause.or_]) if clause.or_ is not None else None,
        Match(all=[_match(inner, depth + 1) for inner in clause.and_]) if clause.and_ is not None else None,
    ]
    found = [rule for rule in rules if rule is not None]
    if len(found) != 1:
        raise PriceFileError("match: must be one of equals, starts_with, ends_with, contains, regex, or, and")
    return found[0]


_LONGEST_PATTERN = 200
_REPEATED_GROUP = re.compile(r"\)[*+?{]")
_UNBOUNDED = re.compile(r"(?<!\\)(?:\\\\)*[*+]|\{\d*,\}")


def _pattern(text: str) -> str:
    """The pattern, if it is a short one that takes about as long as the name it looks at: nothing repeats a group,
    and at most two repeats have no bound."""
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise PriceFileError(f"match.regex: {error}") from None
    if len(text) > _LONGEST_PATTERN or _REPEATED_GROUP.search(text) or len(_UNBOUNDED.findall(text)) > 2:
        raise PriceFileError("match.regex: too long, or with repeats that can take long")
    return text


def _season(price: _Conditional) -> Season:
    rates = _rates(price.prices)
    constraint = price.constraint
    if constraint is None:
        return Season(rates=rates)
    if constraint.start_date is not None:
        return Season(rates=rates, starts_at=int(datetime.combine(constraint.start_date, time(), UTC).timestamp()))
    if constraint.start_time is not None and constraint.end_time is not None:
        return Season(rates=rates, daily=(_second_of_day(constraint.start_time), _second_of_day(constraint.end_time)))
    raise PriceFileError("constraint: must have a start_date, or start_time and end_time")


def _second_of_day(moment: time) -> int:
    if moment.utcoffset() not in (None, UTC.utcoffset(None)):
        raise PriceFileError("constraint: a time of day must be in UTC")
    return moment.hour * 3600 + moment.minute * 60 + moment.second


_SOLD_BY_TEXT = frozenset({"input_mtok", "output_mtok", "requests_kcount"})
_NANO = Decimal(1_000_000_000)
_DEAREST = Decimal(100_000)
"""USD per million tokens. A larger number is an error of units."""


def _rates(prices: _Prices) -> Rates | None:
    """None when the model has prices and none of them is for text tokens or requests: audio hours, pages, images."""
    if prices and not prices.keys() & _SOLD_BY_TEXT:
        return None
    starts = sorted({tier.start for price in prices.values() if isinstance(price, _Tiered) for tier in price.tiers})
    tiers = tuple((start, _rates_above(prices, start)) for start in starts)
    return msgspec.structs.replace(_rates_above(prices, -1), tiers=tiers)


def _rates_above(prices: _Prices, start: int) -> Rates:
    """The rates for inputs of more than `start` tokens, and no more than the next tier's."""

    def nano(key: str) -> int | None:
        price = prices.get(key)
        if price is None:
            return None
        if isinstance(price, _Tiered):
            reached = [tier.price for tier in sorted(price.tiers, key=lambda tier: tier.start) if tier.start <= start]
            price = reached[-1] if reached else price.base
        if not price.is_finite() or not 0 <= price <= _DEAREST:
            raise PriceFileError(f"prices.{key}: {price} is no price")
        return int((price * _NANO).to_integral_value(ROUND_CEILING))

    per_thousand_requests = nano("requests_kcount") or 0
    return Rates(
        input=nano("input_mtok") or 0,
        output=nano("output_mtok") or 0,
        cached_input=nano("cache_read_mtok"),
        cache_write=nano("cache_write_mtok"),
        reasoning=nano("output_reasoning_mtok"),
        per_request=-(-per_thousand_requests // 1000),
    )
