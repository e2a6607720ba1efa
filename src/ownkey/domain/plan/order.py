"""The order of the attempts, and who pays for them."""

from collections.abc import Mapping
from hashlib import blake2b
from itertools import pairwise
from math import log

from ownkey.domain.credential import (
    Credential,
    CredentialStatus,
    KeySource,
    PaidFallback,
    Preferences,
)
from ownkey.domain.plan.values import Attempt, Dropped, DropReason, Rest, RestKey
from ownkey.domain.tenancy import Scope

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

_UNHEALTHY = frozenset(
    {
        CredentialStatus.INVALID,
        CredentialStatus.REVOKED,
        CredentialStatus.QUOTA_EXHAUSTED,
        CredentialStatus.EXPIRED,
    }
)


def is_unhealthy(attempt: Attempt, now: float, resting: Mapping[RestKey, Rest]) -> bool:
    """Whether the key failed lately or its last check found a lasting problem: it then goes last."""
    if attempt.credential.status in _UNHEALTHY:
        return True
    if not resting:
        return False
    for key in ((attempt.credential.id, attempt.upstream_model), (attempt.credential.id, "")):
        rest = resting.get(key)
        if rest is not None and rest.until > now:
            return True
    return False


_SCOPE_RANK = {scope: rank for rank, scope in enumerate(Scope)}


def rank_of(attempt: Attempt, unhealthy: bool, preferences: Preferences, ticket: int) -> tuple[float, ...]:
    """The smallest goes first; only the last element, the draw by weight, depends on the `ticket`."""
    credential = attempt.credential
    if credential.owner.scope is Scope.PLATFORM:
        source = KeySource.PLATFORM
    else:
        source = KeySource.OWN_ROUTER if attempt.provider.router else KeySource.OWN_PROVIDER
    order = preferences.key_order
    return (
        unhealthy,
        not (credential.is_default and credential.owner.scope is Scope.USER),
        order.index(source) if source in order else len(order),
        _SCOPE_RANK[credential.owner.scope],
        credential.priority,
        _weighted(credential, ticket),
    )


def has_ties(ranked: list[tuple[Attempt, bool]], preferences: Preferences) -> bool:
    """Whether the draw by weight decided between any two neighbours."""
    ranks = [rank_of(attempt, unhealthy, preferences, 0)[:-1] for attempt, unhealthy in ranked]
    return any(one == other for one, other in pairwise(ranks))


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


def keep_payer(attempts: list[Attempt], dropped: list[Dropped], preferences: Preferences) -> list[Attempt]:
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
