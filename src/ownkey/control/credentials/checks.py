"""What must hold before a key is stored, changed or tried: its provider, its address, its owner, its own form."""

from urllib.parse import urlsplit

from ownkey.control.context import Control
from ownkey.domain.catalogue import Provider
from ownkey.domain.errors import InvalidRequest, NotAllowed, UpstreamError
from ownkey.domain.residency import unknown_region
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import PLATFORM, Owner, Principal, Role, Scope, user_owner
from ownkey.providers.auth import auth_headers


def visible_owners(caller: Principal) -> tuple[Owner, ...]:
    """Whose keys the caller may see and change: their own, and the platform's for an operator."""
    return tuple(owner for owner in caller.owners if owner != PLATFORM or caller.role is Role.OPERATOR)


def owner_for(caller: Principal, scope: Scope) -> Owner:
    """The owner of a new key. Raises NotAllowed for a scope that is not the caller's to fill."""
    if scope is Scope.USER:
        return user_owner(caller.user_id)
    if scope is Scope.PLATFORM and caller.role is Role.OPERATOR:
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


def check_endpoint(control: Control, provider: Provider, base_url: str | None, owner: Owner) -> str | None:
    """The base URL without its final slash, checked; users' endpoints must be public or allowed by the operator.

    Raises InvalidRequest. Names are resolved and their addresses checked at each connect, for operators too.
    """
    if base_url is None:
        if provider.base_url is None:
            raise InvalidRequest(f"{provider.title} has no fixed address: send base_url.", param="base_url")
        return None
    try:
        control.gateway.check_endpoint(base_url)
    except UpstreamError as error:
        if owner != PLATFORM:
            raise InvalidRequest(error.public, param="base_url") from None
    if "?" in base_url:
        raise InvalidRequest("A base URL has no query: its path is continued by the provider's.", param="base_url")
    return base_url.rstrip("/")


def check_secret(provider: Provider, secret: Secret, config: dict[str, str]) -> None:
    """Raise InvalidRequest for a missing key, one that no header can carry, and a region that is none."""
    if not secret.reveal() and provider.key_required:
        raise InvalidRequest(f"{provider.title} needs a key: send api_key.", param="api_key")
    problem = unknown_region(provider, config)
    if problem is not None:
        raise InvalidRequest(problem, param="config.region")
    auth_headers(provider, secret, config)


def same_origin(provider: Provider, one: str | None, other: str | None) -> bool:
    """Whether two base URLs (None: the provider's own) lead to the same scheme, host and port."""
    first, second = (urlsplit(url or provider.base_url or "") for url in (one, other))
    return (first.scheme, first.netloc) == (second.scheme, second.netloc)
