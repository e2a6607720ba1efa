"""Making, changing and revoking API keys."""

import os
import time

from ownkey.control.api_keys.bounds import bounded, inherited
from ownkey.control.api_keys.schemas import ApiKeyChange, NewApiKey
from ownkey.control.context import Control
from ownkey.domain.api_key import mint_api_key
from ownkey.domain.errors import Conflict, NotFound
from ownkey.domain.ids import ApiKeyId, new_id
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import KeyScope, Principal
from ownkey.storage import api_keys, changes
from ownkey.storage.api_keys import ApiKeyChanges
from ownkey.storage.records import StoredApiKey

_MOST = 1000
_SHOWN = 7


async def create(control: Control, caller: Principal, new: NewApiKey) -> tuple[StoredApiKey, Secret]:
    """The stored key and the key itself, which is nowhere else from here on."""
    rights = inherited(caller.api_key, _rights(new))
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
            raise Conflict(f"There are {_MOST} API keys already: delete one first.")
        await api_keys.create(connection, stored)
    return stored, Secret(key)


async def find(control: Control, caller: Principal, key_id: str) -> StoredApiKey:
    """Raises NotFound for an absent, a revoked and a foreign key alike."""
    async with control.database.read() as connection:
        stored = await api_keys.get(connection, (caller.owner,), key_id)
    if stored is None or stored.revoked_at is not None:
        raise NotFound("There is no API key with this id.")
    return stored


async def change(control: Control, caller: Principal, key_id: str, wanted: ApiKeyChange) -> StoredApiKey:
    """Change the fields that were sent; in force at once in this process and within a second in the others."""
    await find(control, caller, key_id)
    values = bounded(caller.api_key, _rights(wanted))
    if wanted.name is not None:
        values["name"] = wanted.name
    async with control.database.write() as connection:
        stored = await api_keys.update(connection, caller.owner, key_id, **values)
        if stored is None:
            raise NotFound("There is no API key with this id.")
        await changes.append(connection, changes.api_key_topic(stored.hash))
    await control.gateway.changed()
    return stored


async def revoke(control: Control, caller: Principal, key_id: str) -> None:
    """Delete the key; it stops working everywhere within a second."""
    async with control.database.write() as connection:
        stored = await api_keys.delete(connection, caller.owner, key_id)
        if stored is None:
            raise NotFound("There is no API key with this id.")
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
