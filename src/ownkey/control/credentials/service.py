"""Storing and changing provider keys. Every write and its change-feed entry are one transaction."""

import time

from ownkey.control.context import Control
from ownkey.control.credentials.schemas import CredentialChange, NewCredential
from ownkey.control.credentials.testing import Trial, may_test, run_trial
from ownkey.domain.catalogue import Provider
from ownkey.domain.credential import Credential, CredentialStatus
from ownkey.domain.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from ownkey.domain.ids import CredentialId, new_id
from ownkey.domain.money import parse_usd
from ownkey.domain.secret import Secret, mask
from ownkey.domain.tenancy import PLATFORM, Owner, Principal, Role, Scope, user_owner
from ownkey.gateway import KeyTestResult, credential_place, owner_topic
from ownkey.storage import changes, credentials
from ownkey.storage.credentials import CredentialChanges

_MOST_PER_OWNER = 500


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
    """The base URL without its final slash, checked; users' endpoints must be public or allowed by the operator."""
    if base_url is None:
        if provider.base_url is None:
            raise InvalidRequest(f"{provider.title} has no fixed address: send base_url.", param="base_url")
        return None
    if owner != PLATFORM:
        control.gateway.check_endpoint(base_url)
    return base_url.rstrip("/")


async def create(control: Control, caller: Principal, new: NewCredential) -> tuple[Credential, KeyTestResult | None]:
    """Store a key and, unless told not to, test it. Raises Conflict when the owner has it already."""
    owner = owner_for(caller, new.scope)
    provider = provider_of(control, new.provider)
    base_url = check_endpoint(control, provider, new.base_url, owner)
    text = new.api_key.get_secret_value()
    if not text and provider.key_required:
        raise InvalidRequest(f"{provider.title} needs a key: send api_key.", param="api_key")
    secret = Secret(text)
    id_ = CredentialId(new_id("cred"))
    async with control.database.read() as connection:
        existing = await credentials.list_for_owners(connection, (owner,))
    _check_room(existing, new.label, None)
    fingerprint = await control.vault.fingerprint(owner.tenant, provider.name, secret)
    await _refuse_duplicate(control, owner, provider.name, fingerprint, base_url)
    config = new.config or {}
    result = None
    if new.test and await may_test(control, caller):
        result = await run_trial(control, Trial(provider, base_url, secret, config, owner == PLATFORM))
    credential = Credential(
        id=id_,
        owner=owner,
        provider=provider.name,
        label=new.label or _free_label(provider, existing),
        masked_key=mask(text) if text else "(no key)",
        sealed=await control.vault.seal(secret, credential_place(owner, id_, provider.name)),
        enabled=new.enabled,
        status=result.status if result else CredentialStatus.UNTESTED,
        status_detail=result.message if result and result.status is not CredentialStatus.VALID else "",
        is_default=new.is_default if new.is_default is not None else False,
        priority=new.priority if new.priority is not None else 100,
        weight=new.weight if new.weight is not None else 1,
        base_url=base_url,
        model=new.model,
        config=config,
        allowed_models=tuple(new.allowed_models) if new.allowed_models is not None else None,
        allowed_ips=tuple(new.allowed_ips) if new.allowed_ips is not None else None,
        expires_at=new.expires_at.timestamp() if new.expires_at else None,
        monthly_limit=parse_usd(new.monthly_limit_usd) if new.monthly_limit_usd else None,
        created_at=time.time(),
        last_tested_at=time.time() if result else None,
    )
    async with control.database.write() as connection:
        await credentials.create(connection, credential, fingerprint)
        await changes.append(connection, owner_topic(credential))
    await control.gateway.changed()
    return credential, result


async def find(control: Control, caller: Principal, credential_id: str) -> Credential:
    """A key the caller may see. Raises NotFound for an absent and for a foreign one alike."""
    async with control.database.read() as connection:
        found = await credentials.get(connection, visible_owners(caller), credential_id)
    if found is None:
        raise NotFound("There is no credential with this id.")
    return found


async def change(control: Control, caller: Principal, credential_id: str, wanted: CredentialChange) -> Credential:
    """Change the fields that were sent. A new key is stored untested; test it with `POST …/test`."""
    present = await find(control, caller, credential_id)
    values = await _values(control, present, wanted)
    async with control.database.write() as connection:
        changed = await credentials.update(connection, present.owner, present.id, **values)
        if changed is not None and wanted.is_default is not None:
            await credentials.set_default(connection, present.owner, present.id, wanted.is_default)
        changed = await credentials.get(connection, (present.owner,), present.id)
        if changed is None:
            raise NotFound("There is no credential with this id.")
        await changes.append(connection, owner_topic(present))
    control.gateway.forget_rests(present.id)
    await control.gateway.changed()
    return changed


async def remove(control: Control, caller: Principal, credential_id: str) -> None:
    """Delete the key and what is left of its ciphertext in the database's files."""
    present = await find(control, caller, credential_id)
    async with control.database.write() as connection:
        if await credentials.delete(connection, present.owner, present.id) is None:
            raise NotFound("There is no credential with this id.")
        await changes.append(connection, owner_topic(present))
    control.gateway.forget_rests(present.id)
    await control.gateway.changed()
    await control.database.scrub()


async def retest(control: Control, credential: Credential) -> tuple[Credential, KeyTestResult]:
    """Test a stored key and record its health, unless it was changed meanwhile."""
    provider = provider_of(control, credential.provider)
    secret = await control.gateway.open_secret(credential)
    trusted = credential.owner == PLATFORM
    result = await run_trial(control, Trial(provider, credential.base_url, secret, credential.config, trusted))
    detail = "" if result.status is CredentialStatus.VALID else result.message
    async with control.database.write() as connection:
        await credentials.set_status(
            connection, credential.id, result.status, detail, tested_at=time.time(), version=credential.version
        )
        await changes.append(connection, owner_topic(credential))
        present = await credentials.get(connection, (credential.owner,), credential.id)
    if present is None:
        raise NotFound("The credential was deleted during its test.")
    control.gateway.forget_rests(credential.id)
    await control.gateway.changed()
    return present, result


async def _values(control: Control, present: Credential, wanted: CredentialChange) -> CredentialChanges:
    sent = wanted.model_fields_set
    values: CredentialChanges = {}
    if wanted.label is not None and wanted.label != present.label:
        async with control.database.read() as connection:
            existing = await credentials.list_for_owners(connection, (present.owner,))
        _check_room(existing, wanted.label, present.id)
        values["label"] = wanted.label
    if wanted.enabled is not None:
        values["enabled"] = wanted.enabled
    if wanted.priority is not None:
        values["priority"] = wanted.priority
    if wanted.weight is not None:
        values["weight"] = wanted.weight
    if wanted.config is not None:
        values["config"] = wanted.config
    if "model" in sent:
        values["model"] = wanted.model
    if "allowed_models" in sent:
        values["allowed_models"] = tuple(wanted.allowed_models) if wanted.allowed_models is not None else None
    if "allowed_ips" in sent:
        values["allowed_ips"] = tuple(wanted.allowed_ips) if wanted.allowed_ips is not None else None
    if "expires_at" in sent:
        values["expires_at"] = wanted.expires_at.timestamp() if wanted.expires_at else None
    if "monthly_limit_usd" in sent:
        values["monthly_limit"] = parse_usd(wanted.monthly_limit_usd) if wanted.monthly_limit_usd else None
    if "base_url" in sent:
        provider = provider_of(control, present.provider)
        values["base_url"] = check_endpoint(control, provider, wanted.base_url, present.owner)
    if wanted.api_key is not None and wanted.api_key.get_secret_value():
        values |= await _new_secret(control, present, Secret(wanted.api_key.get_secret_value()))
    return values


async def _new_secret(control: Control, present: Credential, secret: Secret) -> CredentialChanges:
    place = credential_place(present.owner, present.id, present.provider)
    return {
        "sealed": await control.vault.seal(secret, place),
        "masked_key": mask(secret.reveal()),
        "fingerprint": await control.vault.fingerprint(present.owner.tenant, present.provider, secret),
        "status": CredentialStatus.UNTESTED,
        "status_detail": "",
        "last_tested_at": None,
    }


async def _refuse_duplicate(
    control: Control, owner: Owner, provider: str, fingerprint: bytes, base_url: str | None
) -> None:
    """Before the test, so that a duplicate costs no call; the unique constraint holds against races."""
    async with control.database.read() as connection:
        twin = await credentials.find_same_key(connection, owner, provider, fingerprint, base_url)
    if twin is not None:
        raise Conflict(f"This key is stored already as {twin.label!r} ({twin.id}).", param="api_key")


def _check_room(existing: list[Credential], label: str | None, but: str | None) -> None:
    if but is None and len(existing) >= _MOST_PER_OWNER:
        raise Conflict(f"There are {_MOST_PER_OWNER} keys already: delete one first.")
    if label is not None and any(other.label == label and other.id != but for other in existing):
        raise Conflict("Another of your keys has this label: labels choose a key, so each is used once.", param="label")


def _free_label(provider: Provider, existing: list[Credential]) -> str:
    taken = {credential.label for credential in existing}
    names = (provider.title if number == 1 else f"{provider.title} {number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
