"""Replies of `/providers` and `/models`."""

from typing import Any

import msgspec

from ownkey.control.shapes import Reply, instant
from ownkey.domain.address import settings_of
from ownkey.domain.catalogue import Model, Offer, Provider
from ownkey.domain.facts import FactRow, stated
from ownkey.domain.money import format_usd, parse_usd
from ownkey.domain.price import Rates
from ownkey.gateway import LearnedFact
from ownkey.providers.rows import check_url


class HostReply(Reply):
    """A provider's address in one region. A key whose `config.region` names it is used there and nowhere else."""

    region: str
    base_url: str
    eu: bool
    surcharge_percent: int
    note: str


class ProviderReply(Reply):
    """One provider. `check` is the call that tests a key, as method and address; `logo` is an address of an image.

    `settings` are names of a key's `config` that have a meaning here; some may replace a `base_url`.
    """

    name: str
    title: str
    logo: str
    base_url: str | None
    example_base_url: str | None
    needs_base_url: bool
    settings: list[str]
    key_required: bool
    signup_url: str | None
    docs_url: str | None
    key_example: str
    key_pattern: str
    check: str | None
    formats: list[str]
    router: bool
    eu: str
    regions: list[str]
    hosts: list[HostReply]
    capabilities: list[str]
    model_count: int


class FactReply(Reply):
    """A row of facts: the models (patterns) and formats it is about, where it is stated and when that was read."""

    provider: str
    models: list[str]
    but_not: list[str]
    formats: list[str]
    facts: dict[str, Any]
    source: str
    date: str


class LearnedReply(Reply):
    """A field that Ownkey leaves out of what it adds until `until`, since the provider rejected it."""

    provider: str
    model: str
    field: str
    learned_at: str
    until: str


class FactsReply(Reply):
    """What the catalogue states, and what this process has learned (for operators; empty for others)."""

    items: list[FactReply]
    learned: list[LearnedReply]


class StatedReply(Reply):
    """A price in USD per million tokens."""

    input: str
    output: str


class TierReply(Reply):
    """The prices for inputs of more than `above_tokens`."""

    above_tokens: int
    input_usd: str
    output_usd: str
    cached_input_usd: str | None
    cache_write_usd: str | None


class ModelReply(Reply):
    """One model. `usable` says whether one of the caller's keys can serve it now; prices are per million tokens.

    The prices are those of the provider `priced_by`. `stated_usd` is what somebody stated when the model was
    curated; `price_differs` says that the provider now asks something else.
    """

    id: str
    title: str
    vendor: str
    context_window: int | None
    max_output: int | None
    capabilities: list[str]
    recommended: bool
    tier: str
    eu: bool
    usable: bool
    priced_by: str | None
    input_usd: str | None
    output_usd: str | None
    cached_input_usd: str | None
    cache_write_usd: str | None
    reasoning_usd: str | None
    price_tiers: list[TierReply]
    stated_usd: StatedReply | None
    price_differs: bool


def show_provider(row: Provider, example_base_url: str | None, model_count: int) -> ProviderReply:
    return ProviderReply(
        name=row.name,
        title=row.title,
        logo=row.logo or f"/api/v1/providers/{row.name}/logo.svg",
        base_url=row.base_url,
        example_base_url=example_base_url,
        needs_base_url=row.base_url is None,
        settings=list(settings_of(row)),
        key_required=row.key_required,
        signup_url=row.signup_url,
        docs_url=row.docs_url,
        key_example=row.key_example,
        key_pattern=row.key_pattern,
        check=_check(row, row.base_url or example_base_url),
        formats=[format_.value for format_ in row.endpoints],
        router=row.router,
        eu=row.eu,
        regions=list(row.regions),
        hosts=[
            HostReply(
                region=region,
                base_url=host.base_url,
                eu=host.eu,
                surcharge_percent=host.surcharge_percent,
                note=host.note,
            )
            for region, host in row.hosts.items()
        ],
        capabilities=list(row.capabilities),
        model_count=model_count,
    )


def _check(row: Provider, base_url: str | None) -> str | None:
    if row.check is None or base_url is None:
        return None
    return f"{row.check.method} {check_url(row.check, base_url)}"


def show_model(model: Model, usable: bool, offer: Offer | None) -> ModelReply:
    """`offer` is the one whose price is shown, None when nobody names a price."""
    rates = offer.rates if offer is not None else None
    return ModelReply(
        id=model.id,
        title=model.title,
        vendor=model.vendor,
        context_window=model.context_window or (offer.context_window if offer is not None else None),
        max_output=model.max_output,
        capabilities=list(model.capabilities),
        recommended=model.recommended,
        tier=model.tier,
        eu=model.eu,
        usable=usable,
        priced_by=offer.provider.name if offer is not None else None,
        input_usd=_usd(rates.input) if rates else None,
        output_usd=_usd(rates.output) if rates else None,
        cached_input_usd=_usd(rates.cached_input) if rates else None,
        cache_write_usd=_usd(rates.cache_write) if rates else None,
        reasoning_usd=_usd(rates.reasoning) if rates else None,
        price_tiers=[_tier(above, tier) for above, tier in rates.tiers] if rates else [],
        stated_usd=_stated(model),
        price_differs=rates is not None and _differs(model, rates),
    )


def _tier(above: int, rates: Rates) -> TierReply:
    return TierReply(
        above_tokens=above,
        input_usd=format_usd(rates.input),
        output_usd=format_usd(rates.output),
        cached_input_usd=_usd(rates.cached_input),
        cache_write_usd=_usd(rates.cache_write),
    )


def _usd(rate: int | None) -> str | None:
    return None if rate is None else format_usd(rate)


def _stated(model: Model) -> StatedReply | None:
    stated = model.stated_price
    return None if stated is None else StatedReply(input=stated.input, output=stated.output)


def _differs(model: Model, rates: Rates) -> bool:
    stated = model.stated_price
    return stated is not None and (parse_usd(stated.input), parse_usd(stated.output)) != (rates.input, rates.output)


def show_fact(provider: str, row: FactRow) -> FactReply:
    return FactReply(
        provider=provider,
        models=list(row.models),
        but_not=list(row.but_not),
        formats=[format_.value for format_ in row.formats],
        facts=msgspec.to_builtins(stated(row)),
        source=row.source,
        date=row.date,
    )


def show_learned(fact: LearnedFact) -> LearnedReply:
    return LearnedReply(
        provider=fact.provider,
        model=fact.model,
        field=fact.field,
        learned_at=instant(fact.learned_at),
        until=instant(fact.until),
    )
