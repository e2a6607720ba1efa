"""Where a key's requests go and whether that is in the EU. Fails closed: what nobody promises is not the EU.

A provider that processes in several regions has an address for each (`Provider.hosts`). The owner of a key
that the provider has opened for a region says so by `region` in the key's config; its requests then always
go there. Where every key may use the EU address, requests that require the EU go there by themselves.
"""

from fnmatch import fnmatchcase

from msgspec import Struct

from ownkey.domain.catalogue import Host, Offer, Provider
from ownkey.domain.credential import Credential
from ownkey.domain.price import Rates, surcharged
from ownkey.domain.tenancy import Scope

REGION = "region"
"""The field of a credential's config that names one of the provider's hosts."""


class Place(Struct, frozen=True):
    """An address, what the model costs there, and why it is not in the EU (None: it is)."""

    base_url: str | None
    rates: Rates
    not_eu: str | None = None


def find_place(credential: Credential, offer: Offer, require_eu: bool) -> Place:
    """Where a request with this key goes. `base_url` is None when the key has to bring one or its region is unknown."""
    provider = offer.provider
    if credential.base_url is not None:
        if credential.owner.scope is not Scope.PLATFORM:
            return Place(credential.base_url, offer.rates, "where the key's own address processes is not known")
        return Place(credential.base_url, offer.rates, None if offer.eu else _no_promise(provider))
    region = credential.config.get(REGION)
    if region is not None and provider.hosts:
        host = provider.hosts.get(region)
        if host is None:
            return Place(None, offer.rates, f"{provider.title} has no region {region!r}")
        return _at(host, offer, None if host.eu else f"the key belongs to {provider.title}'s region {region!r}")
    if require_eu and offer.eu:
        for host in provider.hosts.values():
            if host.eu:
                return _at(host, offer, None)
    return Place(provider.base_url, offer.rates, None if offer.eu else _no_promise(provider))


def home_url(provider: Provider, config: dict[str, str]) -> str | None:
    """The provider's address for a key with this config that brings none of its own."""
    host = provider.hosts.get(config.get(REGION, ""))
    return provider.base_url if host is None else host.base_url


def unknown_region(provider: Provider, config: dict[str, str]) -> str | None:
    """Why the config's region cannot be; None when it can, or when the provider's regions have no addresses."""
    region = config.get(REGION)
    if region is None or not provider.hosts or region in provider.hosts:
        return None
    return f"{provider.title} has no region {region!r}; it has {', '.join(sorted(provider.hosts))}."


def _at(host: Host, offer: Offer, not_eu: str | None) -> Place:
    dearer = host.surcharge_percent and any(
        fnmatchcase(offer.upstream_model, pattern) for pattern in host.surcharge_models
    )
    rates = surcharged(offer.rates, host.surcharge_percent) if dearer else offer.rates
    return Place(host.base_url, rates, not_eu)


def _no_promise(provider: Provider) -> str:
    if any(host.eu for host in provider.hosts.values()):
        regions = next(region for region, host in provider.hosts.items() if host.eu)
        return (
            f"{provider.title} processes in the EU only for keys that it has opened for that: "
            f"if yours is one, set its config to region = {regions}"
        )
    return f"{provider.title} does not promise processing in the EU"
