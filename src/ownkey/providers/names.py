"""What a model name means, and what each provider calls that model.

    anthropic/claude-sonnet-4.5     a vendor's prefix: the vendor itself and every router may serve it
    openrouter/openai/gpt-5         a provider's name: that provider only
    groq/llama-3.3-70b-versatile    the same
    claude-sonnet-4-5-20250929      a bare name: curated models, then patterns, then the price list

A first segment that is both (`openai`) is read as the vendor.
"""

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from ownkey.domain.catalogue import Model, Provider, Quirk
from ownkey.domain.plan import Target
from ownkey.providers.prices import PriceRegistry

_LONGEST_NAME = 256


class ModelNames:
    """The names known to one catalogue."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        aliases: Mapping[str, str],
        models: Iterable[Model],
        prices: PriceRegistry,
    ) -> None:
        self._providers = providers
        self._aliases = aliases
        self._prices = prices
        self._by_id: dict[str, Model] = {}
        self._by_bare_name: dict[str, Model] = {}
        self._makers = [provider for provider in providers.values() if provider.vendor_prefixes]
        self._vendors: dict[str, str] = {}
        self._index_models(models)
        self._index_vendors()

    def _index_models(self, models: Iterable[Model]) -> None:
        for model in models:
            self._by_id[model.id] = model
            _, slash, bare = model.id.partition("/")
            if slash:
                self._by_bare_name.setdefault(bare, model)
                vendors_own = model.upstream_ids.get(model.vendor)
                if vendors_own:
                    self._by_bare_name.setdefault(vendors_own, model)

    def _index_vendors(self) -> None:
        """First segment → vendor: the provider's name where the vendor has an API of its own, else the segment."""
        for router in self._providers.values():
            if router.router and router.price_id:
                self._vendors.update({name: name for name in self._prices.vendors(router.price_id)})
        self._vendors.update(
            {prefix: model.vendor for model in self._by_id.values() if (prefix := model.id.partition("/")[0])}
        )
        for name in self._providers:
            self._vendors.pop(name, None)
        for provider in self._makers:
            self._vendors.update(dict.fromkeys(provider.vendor_prefixes, provider.name))

    def resolve(self, asked: str) -> Target | None:
        """The meaning of a name, or None when it has none here."""
        if len(asked) > _LONGEST_NAME or not asked.isprintable():
            return None
        head, slash, rest = asked.partition("/")
        if not slash:
            vendor = self._vendor_of_bare(asked) if asked else None
            return Target(asked, asked, vendor=vendor) if vendor else None
        if not rest:
            return None
        vendor = self._vendors.get(head)
        if vendor is not None:
            return Target(asked, rest, vendor=vendor)
        explicit = head if head in self._providers else self._aliases.get(head)
        return Target(asked, rest, explicit=explicit) if explicit is not None else None

    def _vendor_of_bare(self, name: str) -> str | None:
        curated = self._by_bare_name.get(name)
        if curated is not None:
            return curated.vendor
        for provider in self._makers:
            if any(fnmatchcase(name, pattern) for pattern in provider.models):
                return provider.name
        for provider in self._makers:
            if provider.price_id and self._prices.makes(provider.price_id, name):
                return provider.name
        return None

    def upstream_id(self, provider: Provider, target: Target) -> str | None:
        """The provider's own id for the target, or None when it does not serve it."""
        if target.explicit is not None:
            return self._outright(provider, target.model) if provider.name == target.explicit else None
        if target.vendor is None:
            return None
        if provider.router:
            return self._by_router(provider, target.vendor, target.model)
        return self._by_vendor(provider, target.model) if provider.name == target.vendor else None

    def _outright(self, provider: Provider, model: str) -> str | None:
        row = self._by_id.get(f"{provider.name}/{model}") or self._by_id.get(model)
        if row is not None and provider.name in row.upstream_ids:
            return row.upstream_ids[provider.name] or None
        if not provider.router:
            return self._by_vendor(provider, model)
        vendor = None if "/" in model else self._vendor_of_bare(model)
        return model if vendor is None else self._by_router(provider, vendor, model)

    def _by_vendor(self, provider: Provider, model: str) -> str | None:
        row = self._curated(provider.name, model)
        if row is not None and model == row.id.partition("/")[2]:
            return row.upstream_ids.get(provider.name, model) or None
        if Quirk.VENDOR_IN_NAMES in provider.quirks and "/" not in model and not model.startswith("pplx-"):
            return f"{provider.vendor_prefixes[0]}/{model}"
        return _dashed(model) if Quirk.VERSIONS_WITH_DASHES in provider.quirks else model

    def _by_router(self, router: Provider, vendor: str, model: str) -> str | None:
        maker = self._providers.get(vendor)
        dashes = maker is not None and Quirk.VERSIONS_WITH_DASHES in maker.quirks
        row = self._curated(vendor, model) or (self._curated(vendor, _dotted(model)) if dashes else None)
        if row is not None:
            return row.upstream_ids.get(router.name, row.id) or None
        prefix = maker.vendor_prefixes[0] if maker is not None and maker.vendor_prefixes else vendor
        return f"{prefix}/{_dotted(model) if dashes else model}"

    def _curated(self, vendor: str, name: str) -> Model | None:
        row = self._by_bare_name.get(name)
        return row if row is not None and row.vendor == vendor else None


_DATE_OR_LATEST = re.compile(r"-(?:20\d{6}|latest)$")
_DASHED_VERSION = re.compile(r"(?<=-)(\d{1,2})-(\d{1,2})(?=$|[-:])")
_DOTTED_VERSION = re.compile(r"(?<=\d)\.(?=\d)")


def _dotted(name: str) -> str:
    """`claude-opus-4-1-20250805` as routers write it: `claude-opus-4.1`."""
    return _DASHED_VERSION.sub(r"\1.\2", _DATE_OR_LATEST.sub("", name))


def _dashed(name: str) -> str:
    """`claude-opus-4.1` as its vendor writes it: `claude-opus-4-1`."""
    return _DOTTED_VERSION.sub("-", name)
