"""What a renewal of the price list changes, at the rates in force at one moment."""

from msgspec import Struct

from ownkey.domain.price import Rates
from ownkey.providers.price_list import PricedModel, PriceList


class PriceChange(Struct, frozen=True):
    """One model of one table; `before` or `after` is None where it has no price by tokens."""

    table: str
    model: str
    before: Rates | None
    after: Rates | None


class PriceChanges(Struct, frozen=True):
    """What is `new`, what is `gone`, and what costs more in any respect (`dearer`) or only less (`cheaper`).

    `windows` are the models whose context window is another: (table, model, before, after).
    """

    new: list[PriceChange]
    dearer: list[PriceChange]
    cheaper: list[PriceChange]
    gone: list[PriceChange]
    windows: list[tuple[str, str, int | None, int | None]]


def compare(old: PriceList, new: PriceList, now: float) -> PriceChanges:
    """The difference at `now` (Unix seconds)."""
    changes = PriceChanges([], [], [], [], [])
    for table in sorted(old.tables.keys() | new.tables.keys()):
        before, after = _models(old, table), _models(new, table)
        for model in sorted(before.keys() | after.keys()):
            _compare_model(changes, table, model, before.get(model), after.get(model), now)
    return changes


def _compare_model(
    changes: PriceChanges, table: str, model: str, old: PricedModel | None, new: PricedModel | None, now: float
) -> None:
    before = old.season(now).rates if old is not None else None
    after = new.season(now).rates if new is not None else None
    change = PriceChange(table, model, before, after)
    if old is None:
        changes.new.append(change)
    elif new is None:
        changes.gone.append(change)
    else:
        if old.context_window != new.context_window:
            changes.windows.append((table, model, old.context_window, new.context_window))
        if before is None or after is None:
            if before != after:
                (changes.gone if after is None else changes.new).append(change)
        elif _is_dearer(before, after):
            changes.dearer.append(change)
        elif _is_dearer(after, before):
            changes.cheaper.append(change)


def _is_dearer(before: Rates, after: Rates) -> bool:
    """Whether `after` asks more than `before` for anything."""
    thresholds = sorted({0, *(start + 1 for rates in (before, after) for start, _ in rates.tiers)})
    return any(
        old < new
        for tokens in thresholds
        for old, new in zip(_all_rates(before, tokens), _all_rates(after, tokens), strict=True)
    )


def _all_rates(rates: Rates, tokens: int) -> tuple[int, ...]:
    """Every rate for an input of `tokens`."""
    for start, tier in rates.tiers:
        if tokens > start:
            rates = tier
    cached = rates.input if rates.cached_input is None else rates.cached_input
    written = rates.input if rates.cache_write is None else rates.cache_write
    reasoning = rates.output if rates.reasoning is None else rates.reasoning
    return (rates.input, rates.output, cached, written, reasoning, rates.per_request)


def _models(prices: PriceList, table: str) -> dict[str, PricedModel]:
    found = prices.tables.get(table)
    return {} if found is None else {model.id: model for model in found.models}
