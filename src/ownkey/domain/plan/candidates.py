"""One key considered: can it serve this request, may it, and is it able to now? An attempt, or why there is none."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from ownkey.domain.address import endpoints_at, is_users_choice, needs_of, root_of, with_settings
from ownkey.domain.catalogue import Offer, Provider
from ownkey.domain.credential import (
    Credential,
    CredentialStatus,
    Mode,
    PaidFallback,
    Preferences,
)
from ownkey.domain.errors import (
    InvalidRequest,
)
from ownkey.domain.formats import Operation, WireFormat
from ownkey.domain.networks import lies_in, read_address
from ownkey.domain.plan.values import Attempt, Catalogue, Dropped, DropReason, PlanRequest, Rest, RestKey, Target
from ownkey.domain.price import FREE
from ownkey.domain.residency import Place, find_place
from ownkey.domain.tenancy import Scope


def examine(
    credential: Credential,
    request: PlanRequest,
    asked: str,
    target: Target | None,
    preferences: Preferences,
    catalogue: Catalogue,
    resting: Mapping[RestKey, Rest],
) -> Attempt | Dropped:
    """The attempt that this key allows for the model `asked`, or the first reason against it."""
    if request.credential is not None and request.credential not in (credential.id, credential.label):
        return Dropped(credential, DropReason.NOT_CHOSEN, "another key was chosen for this request")
    provider = catalogue.provider(credential.provider)
    if provider is None:
        return Dropped(credential, DropReason.UNKNOWN_PROVIDER, f"no provider {credential.provider!r} in the catalogue")
    offer = _offer(credential, provider, request, asked, target, catalogue)
    if offer is None:
        return Dropped(
            credential, DropReason.MODEL_NOT_SERVED, f"{provider.title} does not serve {asked!r} by this key"
        )
    try:
        provider = with_settings(provider, credential.config)
        place = find_place(credential, offer, preferences.require_eu)
    except InvalidRequest as error:
        return Dropped(credential, DropReason.NO_ADDRESS, error.public)
    endpoints = endpoints_at(provider, place.base_url)
    format_ = choose_format(_served(endpoints, offer), request.client_format)
    if format_ is None:
        operation = request.client_format.operation.value
        return Dropped(credential, DropReason.OPERATION_NOT_SERVED, f"{provider.title} has no {operation} endpoint")
    if place.base_url is None:
        return Dropped(credential, DropReason.NO_ADDRESS, f"this key needs a {needs_of(provider)}")
    refused = _policy(credential, request, asked, offer, place, preferences) or _health(
        credential, offer.upstream_model, request.now, resting
    )
    if refused is not None:
        return refused
    return Attempt(
        credential=credential,
        provider=provider,
        base_url=root_of(provider, place.base_url),
        path=endpoints[format_],
        trusted=not is_users_choice(provider, credential.base_url) or credential.owner.scope is Scope.PLATFORM,
        format=format_,
        upstream_model=offer.upstream_model,
        payer=credential.owner.scope,
        rates=place.rates if offer.priced else FREE,
        priced=offer.priced,
        context_window=offer.context_window,
        facts=offer.facts.in_format(format_),
    )


def _served(endpoints: Mapping[WireFormat, str], offer: Offer) -> Mapping[WireFormat, str]:
    """The endpoints at which the model itself is served: some models have only one of a provider's chat formats."""
    chats = [format_ for format_ in endpoints if format_.operation is Operation.CHAT]
    interfaces = offer.facts.in_format(chats[0]).interfaces if len(chats) > 1 else ()
    if not interfaces:
        return endpoints
    return {format_: path for format_, path in endpoints.items() if format_ not in chats or format_ in interfaces}


def _offer(
    credential: Credential,
    provider: Provider,
    request: PlanRequest,
    asked: str,
    target: Target | None,
    catalogue: Catalogue,
) -> Offer | None:
    name = asked.removeprefix(f"{provider.name}/")
    if credential.model is not None:
        return catalogue.literal_offer(provider.name, name) if credential.model == name else None
    offer = catalogue.offer(provider.name, target) if target is not None else None
    if offer is None and request.credential is not None:
        return catalogue.literal_offer(provider.name, name)
    return offer


def choose_format(endpoints: Mapping[WireFormat, str], client_format: WireFormat) -> WireFormat | None:
    """The client's own format where the provider speaks it, else the row's first that can stand in, else None.

    A row names the format that says most first.
    """
    if client_format in endpoints:
        return client_format
    wanted = client_format.operation.stand_in
    for candidate in endpoints:
        if candidate.operation is wanted:
            return candidate
    return None


def _policy(
    credential: Credential,
    request: PlanRequest,
    asked: str,
    offer: Offer,
    place: Place,
    preferences: Preferences,
) -> Dropped | None:
    def drop(reason: DropReason, detail: str) -> Dropped:
        return Dropped(credential, reason, detail)

    of_platform = credential.owner.scope is Scope.PLATFORM
    own_endpoint = credential.base_url is not None or offer.provider.base_url is None
    if not credential.enabled:
        return drop(DropReason.DISABLED, "the key is disabled")
    if preferences.mode is Mode.OWN_KEY and of_platform:
        return drop(DropReason.MODE, "your mode is own_key: the platform's keys are not used")
    if preferences.mode is Mode.CUSTOM and (of_platform or not own_endpoint):
        return drop(DropReason.MODE, "your mode is custom: only your own endpoints are used")
    if of_platform and preferences.paid_fallback is PaidFallback.NEVER:
        return drop(DropReason.PAYER_NEEDS_CONSENT, "your paid_fallback is never: the platform may not pay")
    if not matches(asked, credential.allowed_models) and not matches(offer.upstream_model, credential.allowed_models):
        return drop(DropReason.MODEL_NOT_ALLOWED, f"the key's allowed_models do not include {asked!r}")
    if credential.allowed_ips is not None and not lies_in(read_address(request.peer or ""), credential.allowed_ips):
        return drop(DropReason.ADDRESS_NOT_ALLOWED, "the key may not be used from your address")
    if preferences.require_eu and place.not_eu is not None:
        return drop(DropReason.RESIDENCY, place.not_eu)
    return None


def _health(credential: Credential, model: str, now: float, resting: Mapping[RestKey, Rest]) -> Dropped | None:
    if credential.expires_at is not None and credential.expires_at <= now:
        return Dropped(credential, DropReason.EXPIRED, "the key's expiry date has passed")
    if credential.status is CredentialStatus.UNDECRYPTABLE:
        return Dropped(credential, DropReason.UNDECRYPTABLE, "the stored key cannot be decrypted: save it again")
    if not resting:
        return None
    for key in ((credential.id, model), (credential.id, "")):
        rest = resting.get(key)
        if rest is not None and rest.stated and rest.until > now:
            wait = rest.until - now
            return Dropped(credential, DropReason.COOLING_DOWN, f"the provider asked to wait {wait:.1f} s", wait)
    return None


def matches(model: str, patterns: tuple[str, ...] | None) -> bool:
    """Whether a list of allowed models (shell patterns; None allows all) contains the model."""
    return patterns is None or any(fnmatchcase(model, pattern) for pattern in patterns)
