"""Prices of models: a price list, corrected by overrides that state their reason.

The list included with Ownkey is read at the first lookup, in a few milliseconds. Prices change with the date
and, for some providers, with the hour, so each result says how long it is valid.
"""

import time
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import cached_property
from math import inf

import msgspec
from msgspec import Struct

from ownkey.domain.money import parse_usd
from ownkey.domain.price import FREE, Rates
from ownkey.providers.price_list import PricedModel, PriceIndex, PriceList
from ownkey.providers.price_store import read_bundled
from ownkey.providers.rows import CatalogueError, OverrideTier, PriceOverride


class Quote(Struct, frozen=True):
    """A price: `priced` is False when nobody knows it. It holds until `until` (Unix seconds).

    `context_window` is what the price list says of the model, in tokens.
    """

    rates: Rates
    priced: bool
    until: float = inf
    context_window: int | None = None


UNPRICED = Quote(FREE, priced=False)


class PriceRegistry:
    """Looks up a provider's price for a model. `now` returns Unix seconds; without `prices`, those included with Ownkey
    are used."""

    def __init__(
        self,
        overrides: Iterable[PriceOverride] = (),
        now: Callable[[], float] = time.time,
        prices: PriceList | None = None,
    ) -> None:
        self._overrides = [(override, _override_rates(override)) for override in overrides]
        self._given = prices
        self.now = now

    @cached_property
    def _index(self) -> PriceIndex:
        return PriceIndex(read_bundled() if self._given is None else self._given)

    def use(self, prices: PriceList | None) -> None:
        """Answer from another list from now on; None for the one that came with Ownkey."""
        self._given = prices
        self.__dict__.pop("_index", None)

    def quote(self, provider: str, table: str | None, model: str) -> Quote:
        """The price of `model`, named as the provider names it. `table` is the provider's id in the price list."""
        found = None if table is None else self._index.find(table, model)
        for override, rates in self._overrides:
            if override.provider == provider and fnmatchcase(model, override.model):
                return Quote(rates, priced=True, context_window=None if found is None else found.context_window)
        return UNPRICED if found is None else _current(found, self.now())

    def makes(self, table: str, model: str) -> bool:
        """Whether the provider's own table, without those it falls back to, has the model."""
        return self._index.find_own(table, model) is not None

    def vendors(self, table: str) -> frozenset[str]:
        """The first segments of the `vendor/model` names in a router's table."""
        names = (id_.partition("/") for id_ in self._index.ids(table))
        return frozenset(vendor for vendor, slash, _ in names if slash)


def _current(model: PricedModel, now: float) -> Quote:
    rates = model.season(now).rates
    until = min(each.next_change(now) for each in model.seasons)
    return Quote(FREE if rates is None else rates, rates is not None, until, model.context_window)


def _override_rates(override: PriceOverride) -> Rates:
    def nano(usd: str | None) -> int | None:
        if usd is None:
            return None
        try:
            return parse_usd(usd)
        except ValueError as error:
            raise CatalogueError(f"price override for {override.provider}/{override.model}: {error}") from error

    def rates(given: PriceOverride | OverrideTier) -> Rates:
        return Rates(
            input=nano(given.input) or 0,
            output=nano(given.output) or 0,
            cached_input=nano(given.cached_input),
            cache_write=nano(given.cache_write),
        )

    tiers = tuple((tier.above, rates(tier)) for tier in sorted(override.tiers, key=lambda tier: tier.above))
    return msgspec.structs.replace(rates(override), tiers=tiers)
