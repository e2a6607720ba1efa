"""Creating, changing and revoking API keys.

A key created or changed by another key stays within that key's limits: models, addresses, expiry, rate. Scopes are no
limit of this kind: whoever may manage the account may create keys for its applications.
"""

import os
import time
from fnmatch import fnmatchcase
from ipaddress import ip_network

from ownkey.control.api_keys.schemas import ApiKeyChange, NewApiKey
from ownkey.control.context import Control
from ownkey.domain.api_key import mint_api_key
from ownkey.domain.errors import Conflict, NotAllowed, NotFound
from ownkey.domain.ids import ApiKeyId, new_id
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import ApiKeyGrant, KeyScope, Principal
from ownkey.storage import api_keys, changes
from ownkey.storage.api_keys import ApiKeyChanges
from ownkey.storage.records import StoredApiKey

_MOST = 1000
_SHOWN = 7
_WILDCARDS = frozenset("*?[")
_ROUTE = "route:"
"""What names a route in a models list: only the same entry allows it, no pattern."""


async def create(control: Control, caller: Principal, new: NewApiKey) -> tuple[StoredApiKey, Secret]:
    """The stored key and the key itself, which is nowhere else from here on."""
    rights = _inherited(caller.api_key, _rights(new))
    key = mint_api_key(os.urandom(32))
    stored = StoredApiKey(
        id=ApiKeyId(new_id("key")),
        user_id=caller.user_id,
        name=new.name,
        prefix=f"{key[:_SHOWN]}…{key[-4:]}",
        hash=control.gateway.hash_api_key(key),
        scopes=rights.get("scopes") or frozenset({KeyScope.GATEWAY}),
        models=rights.get("models"),
        allowed_ips=rights.get("allowed_ips"),
        requests_per_minute=rights.get("requests_per_minute"),
        expires_at=rights.get("expires_at"),
        created_at=time.time(),
    )
    async with control.database.write() as connection:
        if len(await api_keys.list_for_owners(connection, (caller.owner,))) >= _MOST:
            raise Conflict(f"You already have {_MOST} API keys, the most allowed: delete one first.")
        await api_keys.create(connection, stored)
    return stored, Secret(key)


async def find(control: Control, caller: Principal, key_id: str) -> StoredApiKey:
    """Raises NotFound for an absent, a revoked and a foreign key alike."""
    async with control.database.read() as connection:
        stored = await api_keys.get(connection, (caller.owner,), key_id)
    if stored is None or stored.revoked_at is not None:
        raise NotFound("No API key has this id.")
    return stored


async def change(control: Control, caller: Principal, key_id: str, wanted: ApiKeyChange) -> StoredApiKey:
    """Change the fields that were sent; effective immediately in this process and within a second in the others."""
    await find(control, caller, key_id)
    values = _bounded(caller.api_key, _rights(wanted))
    if wanted.name is not None:
        values["name"] = wanted.name
    async with control.database.write() as connection:
        stored = await api_keys.update(connection, caller.owner, key_id, **values)
        if stored is None:
            raise NotFound("No API key has this id.")
        await changes.append(connection, changes.api_key_topic(stored.hash))
    await control.gateway.changed()
    return stored


async def revoke(control: Control, caller: Principal, key_id: str) -> None:
    """Delete the key; it stops working everywhere within a second."""
    async with control.database.write() as connection:
        stored = await api_keys.delete(connection, caller.owner, key_id)
        if stored is None:
            raise NotFound("No API key has this id.")
        await changes.append(connection, changes.api_key_topic(stored.hash))
    await control.gateway.changed()


def _rights(wanted: NewApiKey | ApiKeyChange) -> ApiKeyChanges:
    """The fields that were sent."""
    sent = wanted.model_fields_set
    values: ApiKeyChanges = {}
    if wanted.scopes is not None:
        values["scopes"] = frozenset(wanted.scopes)
    if "models" in sent:
        values["models"] = tuple(wanted.models) if wanted.models is not None else None
    if "allowed_ips" in sent:
        values["allowed_ips"] = tuple(wanted.allowed_ips) if wanted.allowed_ips is not None else None
    if "expires_at" in sent:
        values["expires_at"] = wanted.expires_at.timestamp() if wanted.expires_at else None
    if "limits" in sent:
        values["requests_per_minute"] = wanted.limits.requests_per_minute if wanted.limits else None
    return values


def _inherited(maker: ApiKeyGrant | None, values: ApiKeyChanges) -> ApiKeyChanges:
    """The rights of a new key: what is not in `values` is the maker's. Raises NotAllowed for more than that."""
    if maker is None:
        return values
    limits: ApiKeyChanges = {
        "models": maker.models,
        "allowed_ips": maker.allowed_ips,
        "expires_at": maker.expires_at,
        "requests_per_minute": maker.requests_per_minute,
    }
    return limits | _bounded(maker, values)


def _bounded(maker: ApiKeyGrant | None, values: ApiKeyChanges) -> ApiKeyChanges:
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
    return NotAllowed("A key cannot grant more than it has: sign in to create a key beyond its limits.", param=field)
