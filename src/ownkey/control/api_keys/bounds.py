"""A key made or changed by another key stays within that key's limits: models, addresses, expiry, pace.

Scopes are no limit of this kind: whoever may manage the account may make keys for its applications.
"""

from fnmatch import fnmatchcase
from ipaddress import ip_network

from ownkey.domain.errors import NotAllowed
from ownkey.domain.tenancy import ApiKeyGrant
from ownkey.storage.api_keys import ApiKeyChanges

_WILDCARDS = frozenset("*?[")
_ROUTE = "route:"
"""What names a route in a models list: only the same entry allows it, no pattern."""


def inherited(maker: ApiKeyGrant | None, values: ApiKeyChanges) -> ApiKeyChanges:
    """The rights of a new key: what is not in `values` is the maker's. Raises NotAllowed for more than that."""
    if maker is None:
        return values
    limits: ApiKeyChanges = {
        "models": maker.models,
        "allowed_ips": maker.allowed_ips,
        "expires_at": maker.expires_at,
        "requests_per_minute": maker.requests_per_minute,
    }
    return limits | bounded(maker, values)


def bounded(maker: ApiKeyGrant | None, values: ApiKeyChanges) -> ApiKeyChanges:
    """`values` themselves. Raises NotAllowed when one of them goes beyond the maker's limit."""
    if maker is None:
        return values
    if "models" in values and not _models_within(values["models"], maker.models):
        raise _beyond("models")
    if "allowed_ips" in values and not _networks_within(values["allowed_ips"], maker.allowed_ips):
        raise _beyond("allowed_ips")
    if "expires_at" in values and not _at_most(values["expires_at"], maker.expires_at):
        raise _beyond("expires_at")
    if "requests_per_minute" in values and not _at_most(values["requests_per_minute"], maker.requests_per_minute):
        raise _beyond("limits")
    return values


def _models_within(wanted: tuple[str, ...] | None, limit: tuple[str, ...] | None) -> bool:
    if limit is None or wanted is None:
        return limit is None
    return all(
        name in limit
        or (
            _WILDCARDS.isdisjoint(name)
            and not name.startswith(_ROUTE)
            and any(fnmatchcase(name, pattern) for pattern in limit)
        )
        for name in wanted
    )


def _networks_within(wanted: tuple[str, ...] | None, limit: tuple[str, ...] | None) -> bool:
    if limit is None or wanted is None:
        return limit is None
    return all(any(_contains(outer, inner) for outer in limit) for inner in wanted)


def _contains(outer: str, inner: str) -> bool:
    whole, part = ip_network(outer, strict=False), ip_network(inner, strict=False)
    return (
        whole.version == part.version
        and int(whole.network_address) <= int(part.network_address)
        and (int(part.broadcast_address) <= int(whole.broadcast_address))
    )


def _at_most(wanted: float | None, limit: float | None) -> bool:
    return limit is None or (wanted is not None and wanted <= limit)


def _beyond(field: str) -> NotAllowed:
    return NotAllowed("A key cannot give more than it has: sign in to make a key beyond its limits.", param=field)
