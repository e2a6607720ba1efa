"""A request is planned before it is sent: who asks, what for, what they own → an ordered list of attempts.

`make_plan` is pure: the clock, the state of resting keys and the weighting ticket come in as values.

    meaning      default and routes become a model
    candidates   every key of the principal's tenants
      → fit      does it serve this model in this operation?     else dropped
      → policy   enabled, mode, models, addresses, residency     else dropped
      → health   expired, unreadable, told to wait               else dropped
      → order    default, key order, scope, priority, weight; ailing keys last
      → payer    only the first candidate's payer, unless the user consented to more
"""

from collections.abc import Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from hashlib import blake2b
from itertools import pairwise
from math import log
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from ownkey.domain.address import is_users_choice, needs_of, with_settings
from ownkey.domain.catalogue import Offer, Provider
from ownkey.domain.credential import (
    Credential,
    CredentialStatus,
    Holdings,
    KeySource,
    Mode,
    PaidFallback,
    Preferences,
)
from ownkey.domain.errors import (
    InvalidRequest,
    ModelNotFound,
    NoHealthyCredential,
    NotAllowed,
    OwnkeyError,
    RateLimited,
    ResidencyNotSatisfied,
    SecretUnreadable,
)
from ownkey.domain.formats import WireFormat
from ownkey.domain.ids import CredentialId
from ownkey.domain.interfaces import endpoints_at, root_of
from ownkey.domain.meaning import Meaning, meaning_of
from ownkey.domain.networks import lies_in, read_address
from ownkey.domain.price import FREE, Rates
from ownkey.domain.residency import Place, find_place
from ownkey.domain.tenancy import Scope


class Target(Struct, frozen=True):
    """A model name understood: `explicit` is a provider named outright, `vendor` the model's maker."""

    asked: str
    model: str
    explicit: str | None = None
    vendor: str | None = None


class Catalogue(Protocol):
    """What planning asks of the catalogue."""

    def provider(self, name: str) -> Provider | None: ...

    def resolve(self, asked: str) -> Target | None:
        """Give a model name a meaning, or None when the catalogue knows none."""
        ...

    def offer(self, provider: str, target: Target) -> Offer | None:
        """The provider's offer for the target, or None when it does not serve it."""
        ...

    def literal_offer(self, provider: str, model: str) -> Offer | None:
        """An offer that sends `model` as it is written, for own endpoints and chosen keys."""
        ...


class Rest(Struct, frozen=True):
    """A key that failed lately. `until` is Unix seconds; `told` when the provider itself named that time."""

    until: float
    told: bool = False


RestKey = tuple[CredentialId, str]
"""A key and the upstream model it failed on; the model is empty when the whole key is meant."""


class PlanRequest(Struct, frozen=True, kw_only=True):
    """The facts of one request that planning needs. `now` is Unix seconds."""

    model: str
    client_format: WireFormat
    now: float
    credential: str | None = None
    allowed_models: tuple[str, ...] | None = None
    peer: str | None = None
    ticket: int = 0


class Attempt(Struct, frozen=True, kw_only=True):
    """One way to send the request. `trusted` addresses were set by the operator, others are checked."""

    credential: Credential
    provider: Provider
    base_url: str
    path: str
    trusted: bool
    format: WireFormat
    upstream_model: str
    payer: Scope
    rates: Rates
    priced: bool


class DropReason(StrEnum):
    """Why a candidate is not among the attempts."""

    UNKNOWN_PROVIDER = "unknown_provider"
    MODEL_NOT_SERVED = "model_not_served"
    OPERATION_NOT_SERVED = "operation_not_served"
    NO_ADDRESS = "no_address"
    NOT_CHOSEN = "not_chosen"
    DISABLED = "disabled"
    MODE = "mode"
    MODEL_NOT_ALLOWED = "model_not_allowed"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    RESIDENCY = "residency"
    EXPIRED = "expired"
    UNDECRYPTABLE = "undecryptable"
    COOLING_DOWN = "cooling_down"
    PAYER_NEEDS_CONSENT = "payer_needs_consent"


_OWNER_HAS_A_KEY = frozenset(
    {
        DropReason.ADDRESS_NOT_ALLOWED,
        DropReason.RESIDENCY,
        DropReason.EXPIRED,
        DropReason.UNDECRYPTABLE,
        DropReason.COOLING_DOWN,
    }
)
"""Reasons that leave the fact standing that a key of this payer exists: another payer needs consent."""


class Dropped(Struct, frozen=True):
    """A candidate left out. `retry_after` is in seconds, for keys told to wait."""

    credential: Credential
    reason: DropReason
    detail: str
    retry_after: float | None = None


class Plan(Struct, frozen=True):
    """The attempts in order and the candidates dropped; `refusal` is set exactly when there is no attempt.

    `model` is what was asked for in the end, `route` the user's name that stands for it, if they asked by one.
    """

    model: str
    attempts: tuple[Attempt, ...]
    dropped: tuple[Dropped, ...]
    refusal: OwnkeyError | None = None
    drawn: bool = False
    """Whether a draw by weight decided an order: the same question may get another plan next time."""
    route: str | None = None


def make_plan(
    request: PlanRequest,
    holdings: Holdings,
    catalogue: Catalogue,
    resting: Mapping[RestKey, Rest],
) -> Plan:
    """Plan `request`. Never raises for a request that cannot be served: the plan's `refusal` says why."""
    preferences = holdings.preferences
    meant = meaning_of(request.model, request.credential, holdings)
    asked, route = meant.model, meant.route.name if meant.route else None
    if not asked:
        text = "The model is `default`, and no default model is set: name a model or set one in your preferences."
        return Plan(request.model, (), (), ModelNotFound(text, param="model"))
    if not _matches(asked, request.allowed_models) and meant.permit not in (request.allowed_models or ()):
        text = f"This API key may not use the model {asked!r}."
        return Plan(asked, (), (), NotAllowed(text, param="model"), route=route)
    if meant.pinned:
        request = replace(request, credential=meant.credential)

    target = catalogue.resolve(asked)
    fitting: list[tuple[Attempt, bool]] = []
    dropped: list[Dropped] = []
    for credential in holdings.credentials:
        found = _examine(credential, request, asked, target, preferences, catalogue, resting)
        if isinstance(found, Dropped):
            dropped.append(found)
        else:
            ailing = _is_ailing(found, request.now, resting)
            fitting.append((found, ailing))

    fitting.sort(key=lambda pair: _rank(pair[0], pair[1], preferences, request.ticket))
    attempts = _keep_payer([attempt for attempt, _ in fitting], dropped, preferences)
    if attempts:
        drawn = len(fitting) > 1 and _has_ties(fitting, preferences)
        return Plan(asked, tuple(attempts), tuple(dropped), drawn=drawn, route=route)
    return Plan(asked, (), tuple(dropped), _refusal(meant, target, request, dropped, catalogue), route=route)


def _has_ties(ranked: list[tuple[Attempt, bool]], preferences: Preferences) -> bool:
    ranks = [_rank(attempt, ailing, preferences, 0)[:-1] for attempt, ailing in ranked]
    return any(one == other for one, other in pairwise(ranks))


def _examine(
    credential: Credential,
    request: PlanRequest,
    asked: str,
    target: Target | None,
    preferences: Preferences,
    catalogue: Catalogue,
    resting: Mapping[RestKey, Rest],
) -> Attempt | Dropped:
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
    format_ = choose_format(endpoints, request.client_format)
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
    )


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
    if not _matches(asked, credential.allowed_models) and not _matches(offer.upstream_model, credential.allowed_models):
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
        if rest is not None and rest.told and rest.until > now:
            wait = rest.until - now
            return Dropped(credential, DropReason.COOLING_DOWN, f"the provider asked to wait {wait:.1f} s", wait)
    return None


_AILING = frozenset(
    {
        CredentialStatus.INVALID,
        CredentialStatus.REVOKED,
        CredentialStatus.QUOTA_EXHAUSTED,
        CredentialStatus.EXPIRED,
    }
)


def _is_ailing(attempt: Attempt, now: float, resting: Mapping[RestKey, Rest]) -> bool:
    if attempt.credential.status in _AILING:
        return True
    if not resting:
        return False
    for key in ((attempt.credential.id, attempt.upstream_model), (attempt.credential.id, "")):
        rest = resting.get(key)
        if rest is not None and rest.until > now:
            return True
    return False


_SCOPE_RANK = {scope: rank for rank, scope in enumerate(Scope)}


def _rank(attempt: Attempt, ailing: bool, preferences: Preferences, ticket: int) -> tuple[float, ...]:
    credential = attempt.credential
    if credential.owner.scope is Scope.PLATFORM:
        source = KeySource.PLATFORM
    else:
        source = KeySource.OWN_ROUTER if attempt.provider.router else KeySource.OWN_PROVIDER
    order = preferences.key_order
    return (
        ailing,
        not (credential.is_default and credential.owner.scope is Scope.USER),
        order.index(source) if source in order else len(order),
        _SCOPE_RANK[credential.owner.scope],
        credential.priority,
        _weighted(credential, ticket),
    )


def _weighted(credential: Credential, ticket: int) -> float:
    """A draw that comes out smallest in proportion to the weight (exponential race, Efraimidis and Spirakis).

    The draws of two keys must be independent, which a checksum's are not: those of two equally long texts
    with the same end always differ by the same bits.
    """
    if credential.weight <= 0:
        return float("inf")
    digest = blake2b(f"{credential.id}:{ticket}".encode(), digest_size=6).digest()
    uniform = (int.from_bytes(digest) + 1) / (2**48 + 1)
    return -log(uniform) / credential.weight


def _keep_payer(attempts: list[Attempt], dropped: list[Dropped], preferences: Preferences) -> list[Attempt]:
    """Keep the attempts that one payer covers; a key that exists but may not serve now still names its payer."""
    if preferences.paid_fallback is PaidFallback.ALWAYS:
        return attempts
    payers = [attempt.payer for attempt in attempts]
    payers += [drop.credential.owner.scope for drop in dropped if drop.reason in _OWNER_HAS_A_KEY]
    if not payers:
        return attempts
    platform_first = bool(attempts) and attempts[0].payer is Scope.PLATFORM and _platform_leads(preferences)
    payer = Scope.PLATFORM if platform_first else min(payers, key=_SCOPE_RANK.__getitem__)
    kept: list[Attempt] = []
    for attempt in attempts:
        if attempt.payer is payer:
            kept.append(attempt)
        else:
            text = (
                f"the {payer.value}'s key comes first; set paid_fallback to always to let the {attempt.payer.value} pay"
            )
            dropped.append(Dropped(attempt.credential, DropReason.PAYER_NEEDS_CONSENT, text))
    return kept


def _platform_leads(preferences: Preferences) -> bool:
    return bool(preferences.key_order) and preferences.key_order[0] is KeySource.PLATFORM


def _refusal(
    meant: Meaning, target: Target | None, request: PlanRequest, dropped: list[Dropped], catalogue: Catalogue
) -> OwnkeyError:
    asked = meant.model
    telling = [drop for drop in dropped if drop.reason not in (DropReason.NOT_CHOSEN, DropReason.MODEL_NOT_SERVED)]
    reasons = {drop.reason for drop in telling}
    # A key that only lacks consent does not hide why the payer's own keys may not serve.
    reasons = reasons - {DropReason.PAYER_NEEDS_CONSENT} or reasons
    listed = "; ".join(f"{drop.credential.label}: {drop.detail}" for drop in telling)
    if request.credential is not None and all(drop.reason is DropReason.NOT_CHOSEN for drop in dropped):
        return NoHealthyCredential(_no_such_key(request.credential, meant))
    if not telling:
        return _nobody_serves(asked, target, dropped, catalogue)
    if reasons == {DropReason.RESIDENCY}:
        return ResidencyNotSatisfied(f"EU processing is required, and no key for {asked!r} offers it. {listed}")
    if reasons == {DropReason.COOLING_DOWN}:
        wait = min(drop.retry_after for drop in telling if drop.retry_after is not None)
        return RateLimited(f"Every key for {asked!r} was told to wait. {listed}", retry_after=wait)
    if reasons == {DropReason.UNDECRYPTABLE}:
        return SecretUnreadable(f"The stored key for {asked!r} cannot be decrypted: save it again. {listed}")
    return NoHealthyCredential(f"No key may serve {asked!r} now. {listed}")


def _no_such_key(credential: str, meant: Meaning) -> str:
    if meant.route is None or not meant.pinned:
        return f"No key has the id or label {credential!r} (header x-ownkey-credential)."
    return f"The key of the route {meant.route.name!r} is gone: give it another with PATCH /api/v1/routes/{{id}}."


def _nobody_serves(asked: str, target: Target | None, dropped: list[Dropped], catalogue: Catalogue) -> OwnkeyError:
    if target is None:
        text = f"The model {asked!r} is not known: use provider/model, a name from GET /v1/models, or default."
        return ModelNotFound(text, param="model")
    wanted = target.explicit or target.vendor
    owned = {drop.credential.provider for drop in dropped if drop.reason is DropReason.MODEL_NOT_SERVED}
    if wanted is None or wanted in owned or catalogue.provider(wanted) is None:
        return NoHealthyCredential(f"None of your keys serves {asked!r}: add a key of a router or provider that does.")
    return NoHealthyCredential(
        f"No key for {asked!r}: add one for {wanted} with `ownkey keys add {wanted}` or POST /api/v1/credentials."
    )


def _matches(model: str, patterns: tuple[str, ...] | None) -> bool:
    return patterns is None or any(fnmatchcase(model, pattern) for pattern in patterns)
