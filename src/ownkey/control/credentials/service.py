"""Storing, changing and deleting provider keys. Every write and its change-feed entry are one transaction.

Labels choose a key by name (`x-ownkey-credential`), so each owner uses a label once: checked inside the transaction.
"""

import time
from collections.abc import Sequence

import msgspec
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.control.context import Control
from ownkey.control.credentials.schemas import CredentialChange, NewCredential
from ownkey.control.key_tests.service import (
    Trial,
    address_of,
    check_endpoint,
    check_secret,
    check_settings,
    detail_of,
    hint_for,
    may_test,
    provider_of,
    retest,
    run_trial,
    same_origin,
    whereabouts,
)
from ownkey.domain.catalogue import Provider
from ownkey.domain.credential import Credential, CredentialStatus
from ownkey.domain.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ownkey.domain.ids import CredentialId, new_id
from ownkey.domain.secret import Secret, mask
from ownkey.domain.tenancy import PLATFORM, Owner, Permission, Principal, Scope, user_owner
from ownkey.gateway import KeyTestResult, credential_place
from ownkey.storage import changes, credentials
from ownkey.storage.credentials import CredentialChanges
from ownkey.storage.statements import lock_name

_MOST_PER_OWNER = 500

NO_KEY = "(no key)"
"""The mask of a credential without a secret, for endpoints that take none."""


async def create(control: Control, caller: Principal, new: NewCredential) -> tuple[Credential, KeyTestResult | None]:
    """Store a key and test it unless `test` is false. Raises Conflict when the owner has it or its label already."""
    owner = owner_for(caller, new.scope)
    provider = provider_of(control, new.provider)
    secret, config = Secret(new.api_key.get_secret_value()), new.config or {}
    base_url = check_endpoint(control, provider, new.base_url, owner, config)
    check_secret(provider, secret, config, base_url)
    fingerprint = await control.vault.fingerprint(owner.tenant, provider.name, secret)
    await _refuse_duplicate(control, owner, provider.name, fingerprint, base_url)
    await _check_label_early(control, owner, new.label)
    result = None
    if new.test and await may_test(control, caller):
        result = await run_trial(control, Trial(provider, base_url, secret, config, owner == PLATFORM))
    id_ = CredentialId(new_id("cred"))
    credential = Credential(
        id=id_,
        owner=owner,
        provider=provider.name,
        label="",
        masked_key=_masked(secret),
        sealed=await control.vault.seal(secret, credential_place(owner, id_, provider.name)),
        enabled=new.enabled,
        status=result.status if result else CredentialStatus.UNTESTED,
        status_detail=detail_of(result) if result else "",
        is_default=bool(new.is_default),
        priority=new.priority if new.priority is not None else 100,
        weight=new.weight if new.weight is not None else 1,
        base_url=base_url,
        model=new.model,
        config=config,
        allowed_models=tuple(new.allowed_models) if new.allowed_models is not None else None,
        allowed_ips=tuple(new.allowed_ips) if new.allowed_ips is not None else None,
        expires_at=new.expires_at.timestamp() if new.expires_at else None,
        created_at=time.time(),
        last_tested_at=time.time() if result else None,
    )
    async with control.database.write() as connection:
        existing = await _lock_keys(connection, owner)
        _check_room(existing)
        if new.label is not None:
            _check_label(existing, new.label)
        credential = msgspec.structs.replace(credential, label=new.label or _free_label(provider, existing))
        await credentials.create(connection, credential, fingerprint)
        await changes.append(connection, changes.owner_topic(credential.owner))
    await control.gateway.changed()
    return credential, result


def hint_of(control: Control, credential: Credential, api_key: SecretStr | None) -> str | None:
    """A sentence when the key that was just sent looks like another provider's than the credential's."""
    if api_key is None:
        return None
    provider = provider_of(control, credential.provider)
    return hint_for(control, provider, Secret(api_key.get_secret_value()), credential.base_url)


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
    raise NotAllowed(f"You cannot store keys with the scope {scope.value}.", param="scope")


async def find(control: Control, caller: Principal, credential_id: str) -> Credential:
    """A key the caller may see. Raises NotFound for an absent and for a foreign one alike."""
    async with control.database.read() as connection:
        found = await credentials.get(connection, visible_owners(caller), credential_id)
    if found is None:
        raise NotFound("No credential has this id.")
    return found


async def change(
    control: Control, caller: Principal, credential_id: str, wanted: CredentialChange
) -> tuple[Credential, KeyTestResult | None]:
    """Change the fields that were sent. A new key or address is tested unless `test` is false.

    Raises NotFound, Conflict for a taken label or a key that is stored already, InvalidRequest.
    """
    present = await find(control, caller, credential_id)
    values = _plain_values(wanted) | await _new_place_and_secret(control, present, wanted)
    async with control.database.write() as connection:
        existing = await _lock_keys(connection, present.owner)
        if wanted.label is not None:
            _check_label(existing, wanted.label, present.id)
        await credentials.update(connection, present.owner, present.id, **values)
        if wanted.is_default is not None:
            await credentials.set_default(connection, present.owner, present.id, wanted.is_default)
        changed = await credentials.get(connection, (present.owner,), present.id)
        if changed is None:
            raise NotFound("No credential has this id.")
        await changes.append(connection, changes.owner_topic(present.owner))
    control.gateway.forget_rests(present.id)
    await control.gateway.changed()
    if "sealed" in values:
        await control.database.scrub()
    if "status" in values and wanted.test and await may_test(control, caller):
        return await retest(control, changed)
    return changed, None


async def remove(control: Control, caller: Principal, credential_id: str) -> None:
    """Delete the key and what is left of its ciphertext in the database's files."""
    present = await find(control, caller, credential_id)
    async with control.database.write() as connection:
        if await credentials.delete(connection, present.owner, present.id) is None:
            raise NotFound("No credential has this id.")
        await changes.append(connection, changes.owner_topic(present.owner))
    control.gateway.forget_rests(present.id)
    await control.gateway.changed()
    await control.database.scrub()


async def _refuse_duplicate(
    control: Control, owner: Owner, provider: str, fingerprint: bytes, base_url: str | None, but: str | None = None
) -> None:
    """Before the test, so that a duplicate costs no call; the unique constraint holds against races."""
    async with control.database.read() as connection:
        twin = await credentials.find_same_key(connection, owner, provider, fingerprint, base_url)
    if twin is not None and twin.id != but:
        raise Conflict(f"This key is already stored as {twin.label!r} ({twin.id}).", param="api_key")


def _masked(secret: Secret) -> str:
    return mask(secret.reveal()) if secret.reveal() else NO_KEY


async def _check_label_early(control: Control, owner: Owner, label: str | None) -> None:
    """Before the test, which a taken label would waste; what counts is the check in the transaction."""
    if label is not None:
        async with control.database.read() as connection:
            _check_label(await credentials.list_for_owners(connection, (owner,)), label)


def _plain_values(wanted: CredentialChange) -> CredentialChanges:
    sent = wanted.model_fields_set
    values: CredentialChanges = {}
    if wanted.label is not None:
        values["label"] = wanted.label
    if wanted.enabled is not None:
        values["enabled"] = wanted.enabled
    if wanted.priority is not None:
        values["priority"] = wanted.priority
    if wanted.weight is not None:
        values["weight"] = wanted.weight
    if "config" in sent:
        values["config"] = wanted.config or {}
    if "model" in sent:
        values["model"] = wanted.model
    if "allowed_models" in sent:
        values["allowed_models"] = tuple(wanted.allowed_models) if wanted.allowed_models is not None else None
    if "allowed_ips" in sent:
        values["allowed_ips"] = tuple(wanted.allowed_ips) if wanted.allowed_ips is not None else None
    if "expires_at" in sent:
        values["expires_at"] = wanted.expires_at.timestamp() if wanted.expires_at else None
    return values


async def _new_place_and_secret(control: Control, present: Credential, wanted: CredentialChange) -> CredentialChanges:
    """What a new key or address changes. A stored key never follows to a new address: whoever names one must know
    the key, or a borrowed session could read every key by pointing it at a listener of its own."""
    provider = provider_of(control, present.provider)
    values: CredentialChanges = {}
    base_url = present.base_url
    config = (wanted.config or {}) if "config" in wanted.model_fields_set else present.config
    if "base_url" in wanted.model_fields_set:
        base_url = check_endpoint(control, provider, wanted.base_url, present.owner, config)
    place, old_place = (base_url, config), (present.base_url, present.config)
    if place != old_place:
        check_settings(provider, config)
        address_of(provider, base_url, config)
    moved = base_url != present.base_url or whereabouts(provider, place) != whereabouts(provider, old_place)
    secret = Secret(wanted.api_key.get_secret_value()) if wanted.api_key is not None else None
    if secret is None:
        if moved and present.masked_key != NO_KEY and not same_origin(provider, place, old_place):
            text = "A stored key is not sent to a new address: send api_key together with base_url or config."
            raise InvalidRequest(text, param="api_key")
    else:
        check_secret(provider, secret, config, base_url)
        fingerprint = await control.vault.fingerprint(present.owner.tenant, provider.name, secret)
        await _refuse_duplicate(control, present.owner, provider.name, fingerprint, base_url, but=present.id)
        sealed_at = credential_place(present.owner, present.id, present.provider)
        values["sealed"] = await control.vault.seal(secret, sealed_at)
        values["masked_key"] = _masked(secret)
        values["fingerprint"] = fingerprint
    if base_url != present.base_url:
        values["base_url"] = base_url
    if moved or secret is not None:
        values |= {"status": CredentialStatus.UNTESTED, "status_detail": "", "last_tested_at": None}
    return values


async def _lock_keys(connection: AsyncConnection, owner: Owner) -> list[Credential]:
    """The owner's keys, which no other transaction adds to or renames until this one ends."""
    await lock_name(connection, f"credentials of {owner.tenant}")
    return await credentials.list_for_owners(connection, (owner,))


def _check_room(existing: Sequence[Credential]) -> None:
    """Raises Conflict when the owner has as many keys as one may have."""
    if len(existing) >= _MOST_PER_OWNER:
        raise Conflict(f"You already have {_MOST_PER_OWNER} keys, the most allowed: delete one first.")


def _check_label(existing: Sequence[Credential], label: str, but: str | None = None) -> None:
    """Raises Conflict when another of the keys (other than the one with the id `but`) has this label or id."""
    if any(label in (other.label, other.id) and other.id != but for other in existing):
        text = "Another of your keys has this label. Choose a different one: a label selects a key."
        raise Conflict(text, param="label")


def _free_label(provider: Provider, existing: Sequence[Credential]) -> str:
    """The provider's title, with the first number that makes it new."""
    taken = {credential.label for credential in existing}
    names = (provider.title if number == 1 else f"{provider.title} {number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
