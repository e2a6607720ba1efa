"""The catalogue of providers and models, loaded from data files, as planning needs it."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from ownkey.domain.catalogue import Model, Offer
from ownkey.domain.facts import FactRow, FactSheet
from ownkey.domain.plan import Target
from ownkey.providers.names import ModelNames
from ownkey.providers.price_list import PriceList
from ownkey.providers.prices import PriceRegistry
from ownkey.providers.rows import (
    CatalogueError,
    ModelFile,
    OverrideFile,
    ProviderRow,
    all_facts,
    moved_to,
    moved_to_sandbox,
    names_by_alias,
    read_provider,
    read_providers,
    read_toml,
    unique_by_name,
    url_problem,
)

_MODELS = "models.toml"
_OVERRIDES = "price_overrides.toml"
_CACHE_SIZE = 4096


class ProviderCatalogue:
    """Implements `domain.plan.Catalogue`. Only the price list changes: another configuration is another catalogue.
    Results are cached in bounded memory, because every request needs them.
    """

    def __init__(self, rows: Mapping[str, ProviderRow], models: Sequence[Model], prices: PriceRegistry) -> None:
        self._rows = dict(rows)
        self._aliases = names_by_alias(self._rows)
        self._facts = all_facts(self._rows)
        self._models = tuple(models)
        self._prices = prices
        self._names = ModelNames(self._rows, self._aliases, self._models, prices)
        self._targets: dict[str, Target | None] = {}
        self._offers: dict[tuple[str, Target | str], tuple[Offer | None, float]] = {}

    def use_prices(self, prices: PriceList | None) -> None:
        """Answer from another price list from now on; None for the one that came with Ownkey."""
        self._prices.use(prices)
        self._names = ModelNames(self._rows, self._aliases, self._models, self._prices)
        self._targets.clear()
        self._offers.clear()

    def provider(self, name: str) -> ProviderRow | None:
        """The row of the provider with this name or alias, or None."""
        return self._rows.get(name) or self._rows.get(self._aliases.get(name, ""))

    def providers(self) -> list[ProviderRow]:
        """All providers, in the order of their names."""
        return [self._rows[name] for name in sorted(self._rows)]

    def facts(self) -> dict[str, tuple[FactRow, ...]]:
        """The facts of every provider, by its name."""
        return self._facts

    def models(self) -> list[Model]:
        """The curated models, in the order of their file."""
        return list(self._models)

    def resolve(self, asked: str) -> Target | None:
        """What a model name means; see `providers.names`. None when it means nothing here."""
        try:
            return self._targets[asked]
        except KeyError:
            target = self._names.resolve(asked)
        if len(self._targets) >= _CACHE_SIZE:
            self._targets.clear()
        if target is not None:
            self._targets[asked] = target
        return target

    def offer(self, provider: str, target: Target) -> Offer | None:
        """The provider's own id and price for the target, or None when it does not serve it."""
        return self._offer(provider, target)

    def literal_offer(self, provider: str, model: str) -> Offer | None:
        """An offer that sends `model` as it is written. None for an unknown provider."""
        return self._offer(provider, model)

    def offers(self, asked: str) -> list[Offer]:
        """What every provider gives for a model name, for price comparisons; empty for an unknown name."""
        target = self.resolve(asked)
        if target is None:
            return []
        return [offer for row in self.providers() if (offer := self.offer(row.name, target)) is not None]

    def _offer(self, provider: str, wanted: Target | str) -> Offer | None:
        kept = self._offers.get((provider, wanted))
        if kept is not None and kept[1] > self._prices.now():
            return kept[0]
        offer, until = self._make_offer(provider, wanted)
        if len(self._offers) >= _CACHE_SIZE:
            self._offers.clear()
        self._offers[provider, wanted] = (offer, until)
        return offer

    def _make_offer(self, provider: str, wanted: Target | str) -> tuple[Offer | None, float]:
        row = self.provider(provider)
        if row is None:
            return None, float("inf")
        model = wanted if isinstance(wanted, str) else self._names.upstream_id(row, wanted)
        if model is None:
            return None, float("inf")
        quote = self._prices.quote(row.name, *_listed_as(row, model))
        offer = Offer(
            row,
            model,
            quote.rates,
            quote.priced,
            eu=row.eu == "yes",
            context_window=quote.context_window,
            facts=FactSheet(self._facts[row.name], model),
        )
        return offer, quote.until

    def with_base_urls(self, overrides: Mapping[str, str], sandbox_url: str | None = None) -> "ProviderCatalogue":
        """The same catalogue at other addresses: single ones the operator set, the rest at the sandbox if there is one.

        The EU flag stays as the row says: who moves a provider's address answers for where it leads.
        Raises CatalogueError for an unknown provider and for an address that cannot be one.
        """
        addresses: dict[str, str] = {}
        for name, url in overrides.items():
            row = self.provider(name)
            if row is None:
                raise CatalogueError(f"there is no provider {name!r} whose base URL could be set")
            _require_address(f"the base URL of {name}", url)
            if addresses.setdefault(row.name, url) != url:
                raise CatalogueError(f"the base URL of {row.name} is set twice, once as {name}: leave one out")
        if sandbox_url is not None:
            _require_address("the sandbox URL", sandbox_url)
        rows: dict[str, ProviderRow] = {}
        for name, row in self._rows.items():
            if name in addresses:
                rows[name] = moved_to(row, addresses[name])
            else:
                rows[name] = row if sandbox_url is None else moved_to_sandbox(row, sandbox_url)
        return ProviderCatalogue(rows, self._models, self._prices)


def load_catalogue(extra: Iterable[Path] = (), prices: PriceList | None = None) -> ProviderCatalogue:
    """Ownkey's own catalogue, and the operator's files over it; `prices` instead of those that came with Ownkey.

    Each path of `extra` is a provider's TOML file or a folder of them; in a folder, `models.toml` and
    `price_overrides.toml` are read as ours are. A row replaces ours of the same name. Raises CatalogueError.
    """
    package = files("ownkey.providers")
    rows = read_providers(package.joinpath("catalog"))
    models = {model.id: model for model in read_toml(package.joinpath(_MODELS), ModelFile).models}
    overrides = read_toml(package.joinpath(_OVERRIDES), OverrideFile).overrides
    for path in extra:
        if path.is_dir():
            rows += [read_provider(file) for file in _provider_files(path)]
            if (path / _MODELS).exists():
                models.update({model.id: model for model in read_toml(path / _MODELS, ModelFile).models})
            if (path / _OVERRIDES).exists():
                overrides = read_toml(path / _OVERRIDES, OverrideFile).overrides + overrides
        else:
            rows.append(read_provider(path))
    return ProviderCatalogue(unique_by_name(rows), list(models.values()), PriceRegistry(overrides, prices=prices))


def _listed_as(row: ProviderRow, model: str) -> tuple[str | None, str]:
    """The table and the name under which the price list has a provider's model."""
    plain, colon, suffix = model.rpartition(":")
    table = row.price_suffixes.get(suffix) if colon else None
    return (row.price_id, model) if table is None else (table, plain)


def _provider_files(folder: Path) -> list[Traversable]:
    return [file for file in sorted(folder.glob("*.toml")) if file.name not in (_MODELS, _OVERRIDES)]


def _require_address(what: str, url: str) -> None:
    problem = url_problem(url)
    if problem:
        raise CatalogueError(f"{what}: {problem}")
