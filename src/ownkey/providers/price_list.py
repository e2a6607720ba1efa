"""The price list as stored: tables by provider, models with a rule that matches their names, seasons.

The rules are those of genai-prices, from which the list is built: the first model of a table whose rule
matches wins; the last season that is in force gives the price. `compare` finds what a newer list changes.
"""

import re
from functools import lru_cache

from msgspec import Struct

from ownkey.domain.price import Rates

_DAY = 86_400


class Match(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A rule on a lower-case model name. Exactly one field is set."""

    equals: str | None = None
    starts: str | None = None
    ends: str | None = None
    contains: str | None = None
    regex: str | None = None
    any: list["Match"] | None = None
    all: list["Match"] | None = None

    def matches(self, name: str) -> bool:
        if self.equals is not None:
            return name == self.equals
        if self.any is not None:
            return any(rule.matches(name) for rule in self.any)
        if self.starts is not None:
            return name.startswith(self.starts)
        if self.contains is not None:
            return self.contains in name
        if self.ends is not None:
            return name.endswith(self.ends)
        if self.all is not None:
            return all(rule.matches(name) for rule in self.all)
        return self.regex is not None and _compiled(self.regex).search(name) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


class Season(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Rates and when they hold: from `starts_at` (Unix seconds), or daily between two seconds of the UTC day.

    `rates` is None when the model is not sold by text tokens.
    """

    rates: Rates | None
    starts_at: int | None = None
    daily: tuple[int, int] | None = None

    def in_force(self, now: float) -> bool:
        if self.starts_at is not None:
            return now >= self.starts_at
        if self.daily is not None:
            start, end = self.daily
            second = now % _DAY
            return start <= second < end if start <= end else second >= start or second < end
        return True

    def next_change(self, now: float) -> float:
        """The next instant at which `in_force` may change; infinity when it never does."""
        if self.starts_at is not None:
            return self.starts_at if self.starts_at > now else float("inf")
        if self.daily is not None:
            midnight = now - now % _DAY
            return min(
                moment for edge in self.daily for moment in (midnight + edge, midnight + edge + _DAY) if moment > now
            )
        return float("inf")


class PricedModel(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One model of a table. `context_window` is in tokens."""

    id: str
    match: Match
    seasons: list[Season]
    context_window: int | None = None

    def season(self, now: float) -> Season:
        """The season that gives the price at `now`: the last in force, else the first."""
        found = self.seasons[0]
        for candidate in self.seasons:
            if candidate.in_force(now):
                found = candidate
        return found


class Table(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One provider's models, and the providers whose tables it falls back to."""

    models: list[PricedModel]
    fallback: list[str] = []


class PriceList(Struct, frozen=True, forbid_unknown_fields=True):
    """All tables, by the provider's id in the price list."""

    tables: dict[str, Table]


class TableIndex:
    """Finds a table's models. Most rules name models outright and are looked up; only the others are tried in turn."""

    def __init__(self, table: Table) -> None:
        self._models = table.models
        self._named: dict[str, int] = {}
        self._rules: list[tuple[int, Match]] = []
        for position, model in enumerate(table.models):
            for rule in model.match.any or [model.match]:
                if rule.equals is not None:
                    self._named.setdefault(rule.equals, position)
                else:
                    self._rules.append((position, rule))

    def find(self, name: str) -> PricedModel | None:
        """The first model whose rule matches a lower-case name."""
        named = self._named.get(name)
        for position, rule in self._rules:
            if named is not None and position > named:
                break
            if rule.matches(name):
                return self._models[position]
        return None if named is None else self._models[named]


class PriceIndex:
    """Finds models in a price list."""

    def __init__(self, prices: PriceList) -> None:
        self._fallbacks = {name: table.fallback for name, table in prices.tables.items()}
        self._tables = {name: TableIndex(table) for name, table in prices.tables.items()}
        self._ids = {name: [model.id for model in table.models] for name, table in prices.tables.items()}

    def find(self, table: str, model: str) -> PricedModel | None:
        """The model meant by a provider's own id for it, in any of the spellings the list knows."""
        name = model.lower()
        dated = _with_dashed_date(name)
        return self._find(table, name) or (None if dated == name else self._find(table, dated))

    def find_own(self, table: str, model: str) -> PricedModel | None:
        """The same without the tables that this one falls back to."""
        own = self._tables.get(table)
        return None if own is None else own.find(model.lower())

    def ids(self, table: str) -> list[str]:
        """The ids of a table's models."""
        return self._ids.get(table, [])

    def _find(self, table: str, name: str) -> PricedModel | None:
        if table not in self._tables:
            return None
        for each in (table, *self._fallbacks[table]):
            found = self._tables[each].find(name) if each in self._tables else None
            if found is not None:
                return found
        return None


_COMPACT_DATE = re.compile(r"-(20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=-|:|$)")


def _with_dashed_date(name: str) -> str:
    """`gpt-5.2-20251211` as the list spells it: `gpt-5.2-2025-12-11`."""
    return _COMPACT_DATE.sub(r"-\1-\2-\3", name)


class PriceChange(Struct, frozen=True):
    """One model of one table; `before` or `after` is None where it has no price by tokens."""

    table: str
    model: str
    before: Rates | None
    after: Rates | None


class PriceChanges(Struct, frozen=True):
    """Models that are `new` or `gone`, and those that cost more in any respect (`raised`) or only less (`lowered`).

    `windows` are the models whose context window has changed: (table, model, before, after).
    """

    new: list[PriceChange]
    raised: list[PriceChange]
    lowered: list[PriceChange]
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
        elif _costs_more(before, after):
            changes.raised.append(change)
        elif _costs_more(after, before):
            changes.lowered.append(change)


def _costs_more(before: Rates, after: Rates) -> bool:
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
