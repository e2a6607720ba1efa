"""What providers ask for their models: the price list's snapshot, corrected by overrides that state their reason.

The list is read at the first question, in a few milliseconds. Prices change with the date and, for some
providers, with the hour, so that an answer says until when it holds.
"""

import time
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import cached_property
from importlib.resources import files
from math import inf

import msgspec
from msgspec import Struct

from ownkey.domain.money import parse_usd
from ownkey.domain.price import FREE, Rates
from ownkey.providers.price_list import PricedModel, PriceIndex, PriceList
from ownkey.providers.rows import CatalogueError, PriceOverride


class Quote(Struct, frozen=True):
    """A price: `priced` is False when nobody knows it. It holds until `until` (Unix seconds)."""

    rates: Rates
    priced: bool
    until: float = inf


UNPRICED = Quote(FREE, priced=False)


class PriceBook:
    """Answers what a provider asks for a model. `now` gives Unix seconds."""

    def __init__(self, overrides: Iterable[PriceOverride] = (), now: Callable[[], float] = time.time) -> None:
        self._overrides = [(override, _override_rates(override)) for override in overrides]
        self.now = now

    @cached_property
    def _index(self) -> PriceIndex:
        snapshot = files("ownkey.providers").joinpath("prices.json").read_bytes()
        return PriceIndex(msgspec.json.decode(snapshot, type=PriceList))

    def quote(self, provider: str, table: str | None, model: str) -> Quote:
        """The price of `model`, named as the provider names it. `table` is the provider's id in the price list."""
        for override, rates in self._overrides:
            if override.provider == provider and fnmatchcase(model, override.model):
                return Quote(rates, priced=True)
        found = None if table is None else self._index.find(table, model)
        return UNPRICED if found is None else _current(found, self.now())

    def makes(self, table: str, model: str) -> bool:
        """Whether the provider's own table, without those it falls back to, has the model."""
        return self._index.find_own(table, model) is not None

    def vendors(self, table: str) -> frozenset[str]:
        """The first segments of the `vendor/model` names in a router's table."""
        names = (id_.partition("/") for id_ in self._index.ids(table))
        return frozenset(vendor for vendor, slash, _ in names if slash)


def _current(model: PricedModel, now: float) -> Quote:
    season = model.seasons[0]
    for candidate in model.seasons:
        if candidate.in_force(now):
            season = candidate
    until = min(each.next_change(now) for each in model.seasons)
    return Quote(FREE, priced=False, until=until) if season.rates is None else Quote(season.rates, True, until)


def _override_rates(override: PriceOverride) -> Rates:
    def nano(usd: str | None) -> int | None:
        if usd is None:
            return None
        try:
            return parse_usd(usd)
        except ValueError as error:
            raise CatalogueError(f"price override for {override.provider}/{override.model}: {error}") from error

    return Rates(
        input=nano(override.input) or 0,
        output=nano(override.output) or 0,
        cached_input=nano(override.cached_input),
        cache_write=nano(override.cache_write),
    )
