"""Where a key's requests go and whether that is in the EU. Fails closed: what nobody promises is not the EU.

Where a key's region is a part of its host's name or its owner's word, `address.outside_eu` judges.
A provider that processes in several regions has an address for each (`Provider.hosts`). The owner of a key
that the provider has opened for a region says so by `region` in the key's config; its requests then always
go there. Where every key may use the EU address, requests that require the EU go there by themselves.
"""

from fnmatch import fnmatchcase

from msgspec import Struct

from ownkey.domain.address import base_url_of, outside_eu
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
    """Where a request with this key goes. `base_url` is None when the key must have its own or its region is unknown.
    Raises InvalidRequest for a setting that cannot be part of an address.
    """
    provider, config, own = offer.provider, credential.config, credential.base_url
    by_operator = credential.owner.scope is Scope.PLATFORM
    base_url = base_url_of(provider, own, config)
    if provider.eu_regions:
        problem = outside_eu(provider, offer.upstream_model, own, config, by_operator=by_operator)
        return Place(base_url, offer.rates, problem)
    if own is not None:
        if not by_operator:
            return Place(base_url, offer.rates, "where the key's own address processes is not known")
        return Place(base_url, offer.rates, None if offer.eu else _no_promise(provider))
    region = config.get(REGION)
    if region is not None and provider.hosts:
        host = provider.hosts.get(region)
        if host is None:
            return Place(None, offer.rates, f"{provider.title} has no region {region!r}")
        return _at(host, offer, None if host.eu else f"the key belongs to {provider.title}'s region {region!r}")
    if require_eu and offer.eu:
        for host in provider.hosts.values():
            if host.eu:
                return _at(host, offer, None)
    return Place(base_url, offer.rates, None if offer.eu else _no_promise(provider))


def unknown_region(provider: Provider, config: dict[str, str]) -> str | None:
    """Why the config's region cannot be; None when it can, or when the provider's regions have no addresses."""
    region = config.get(REGION)
    if region is None or not provider.hosts or region in provider.hosts:
        return None
    return f"{provider.title} has no region {region!r}; it has {', '.join(sorted(provider.hosts))}."


def _at(host: Host, offer: Offer, not_eu: str | None) -> Place:
    costs_more = host.surcharge_percent and any(
        fnmatchcase(offer.upstream_model, pattern) for pattern in host.surcharge_models
    )
    rates = surcharged(offer.rates, host.surcharge_percent) if costs_more else offer.rates
    return Place(host.base_url, rates, not_eu)


def _no_promise(provider: Provider) -> str:
    if any(host.eu for host in provider.hosts.values()):
        regions = next(region for region, host in provider.hosts.items() if host.eu)
        return (
            f"{provider.title} processes in the EU only for keys that it has opened for that: "
            f"if yours is one, set its config to region = {regions}"
        )
    return f"{provider.title} does not promise processing in the EU"
