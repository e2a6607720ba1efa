"""What must hold before a key is stored, changed or tried: its provider, its address, its owner, its own form."""

from urllib.parse import urlsplit

from ownkey.control.context import Control
from ownkey.domain.address import base_url_of, is_users_choice, needs_of, with_settings
from ownkey.domain.catalogue import Provider
from ownkey.domain.errors import InvalidRequest, NotAllowed, UpstreamError
from ownkey.domain.residency import unknown_region
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import PLATFORM, Owner, Permission, Principal, Scope, user_owner
from ownkey.providers.auth import auth_headers, signer_for
from ownkey.providers.tokens import token_request

Place = tuple[str | None, dict[str, str]]
"""A key's own base URL and its settings: together they say where it is used."""


def visible_owners(caller: Principal) -> tuple[Owner, ...]:
    """Whose keys the caller may see and change: their own, and the platform's for an operator."""
    return tuple(owner for owner in caller.owners if owner != PLATFORM or caller.may(Permission.MANAGE_PLATFORM_KEYS))


def owner_for(caller: Principal, scope: Scope) -> Owner:
    """The owner of a new key. Raises NotAllowed for a scope that is not the caller's to fill."""
    if scope is Scope.USER:
        return user_owner(caller.user_id)
    if scope is Scope.PLATFORM and caller.may(Permission.MANAGE_PLATFORM_KEYS):
        return PLATFORM
    for owner in caller.owners:
        if owner.scope is scope and owner != PLATFORM:
            return owner
    raise NotAllowed(f"You may not store keys of the scope {scope.value}.", param="scope")


def provider_of(control: Control, name: str) -> Provider:
    """The catalogue's row. Raises InvalidRequest with the names there are."""
    provider = control.gateway.catalogue.provider(name)
    if provider is None:
        names = ", ".join(sorted(row.name for row in control.gateway.catalogue.providers()))
        raise InvalidRequest(f"There is no provider of this name; there are {names}.", param="provider")
    return provider


def check_endpoint(
    control: Control, provider: Provider, base_url: str | None, owner: Owner, config: dict[str, str]
) -> str | None:
    """The base URL without its final slash, checked; users' endpoints must be public or allowed by the operator.

    Raises InvalidRequest. Names are resolved and their addresses checked at each connect, for operators too.
    """
    if base_url is None:
        address_of(provider, None, config)
        return None
    try:
        control.gateway.check_endpoint(base_url)
    except UpstreamError as error:
        if owner != PLATFORM:
            raise InvalidRequest(error.public, param="base_url") from None
    if "?" in base_url:
        raise InvalidRequest("A base URL has no query: its path is continued by the provider's.", param="base_url")
    return base_url.rstrip("/")


def address_of(provider: Provider, base_url: str | None, config: dict[str, str]) -> str:
    """Where a key is used. Raises InvalidRequest when neither it nor its settings say so."""
    address = base_url_of(provider, base_url, config)
    if address is None:
        text = f"{provider.title} has no fixed address: send {needs_of(provider)}."
        raise InvalidRequest(text, param="base_url")
    return address


def check_secret(provider: Provider, secret: Secret, config: dict[str, str], base_url: str | None) -> None:
    """Raise InvalidRequest for a missing key, one that cannot be sent or signed with, or settings that do not fit."""
    if not secret.reveal() and provider.key_required:
        raise InvalidRequest(f"{provider.title} needs a key: send api_key.", param="api_key")
    check_settings(provider, config)
    auth_headers(provider, secret, config)
    signer_for(provider, secret, config, address_of(provider, base_url, config))
    token_request(provider, secret, config)


def check_settings(provider: Provider, config: dict[str, str]) -> None:
    """Raise InvalidRequest for settings that cannot stand where they are meant to, and a region that is none."""
    problem = unknown_region(provider, config)
    if problem is not None:
        raise InvalidRequest(problem, param="config.region")
    with_settings(provider, config)
    auth_headers(provider, Secret("-"), config)
    token_request(provider, Secret("-"), config)


def whereabouts(provider: Provider, place: Place) -> tuple[str | None, str | None]:
    """The address a key is sent to, and where it is exchanged for a token before, if it is.

    (None, None) for settings that were stored before and no longer fit the provider's row.
    """
    try:
        request = token_request(provider, Secret("-"), place[1])
        return base_url_of(provider, *place), request.url if request is not None else None
    except InvalidRequest:
        return None, None


def same_origin(provider: Provider, one: Place, other: Place) -> bool:
    """Whether a key is sent to the same scheme, host and port in both places, or to two of the catalogue's, and
    exchanged in the same one. A client's secret and a key that is sent as it is go to different hosts.
    """
    first, second = whereabouts(provider, one), whereabouts(provider, other)
    if first[1] != second[1]:
        return False
    if not is_users_choice(provider, one[0]) and not is_users_choice(provider, other[0]):
        return True
    urls = (urlsplit(first[0] or ""), urlsplit(second[0] or ""))
    return (urls[0].scheme, urls[0].netloc) == (urls[1].scheme, urls[1].netloc)
