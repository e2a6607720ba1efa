"""Storing, testing and deleting provider keys. Every write and its change-feed entry are one transaction."""

import time

import msgspec

from ownkey.control.context import Control
from ownkey.control.credentials.checks import check_endpoint, check_secret, owner_for, provider_of, visible_owners
from ownkey.control.credentials.labels import check_label, check_room, free_label, lock_keys
from ownkey.control.credentials.schemas import KeyTrial, NewCredential
from ownkey.control.credentials.testing import Trial, may_test, require_test, run_trial
from ownkey.domain.credential import Credential, CredentialStatus
from ownkey.domain.errors import Conflict, NotFound, SecretUnreadable
from ownkey.domain.ids import CredentialId, new_id
from ownkey.domain.money import parse_usd
from ownkey.domain.secret import Secret, mask
from ownkey.domain.tenancy import PLATFORM, Owner, Principal, user_owner
from ownkey.gateway import KeyTestResult, credential_place
from ownkey.storage import changes, credentials

NO_KEY = "(no key)"
"""The mask of a credential without a secret, for endpoints that take none."""


async def create(control: Control, caller: Principal, new: NewCredential) -> tuple[Credential, KeyTestResult | None]:
    """Store a key and, unless told not to, test it. Raises Conflict when the owner has it or its label already."""
    owner = owner_for(caller, new.scope)
    provider = provider_of(control, new.provider)
    secret, config = Secret(new.api_key.get_secret_value()), new.config or {}
    base_url = check_endpoint(control, provider, new.base_url, owner, config)
    check_secret(provider, secret, config, base_url)
    fingerprint = await control.vault.fingerprint(owner.tenant, provider.name, secret)
    await refuse_duplicate(control, owner, provider.name, fingerprint, base_url)
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
        masked_key=masked(secret),
        sealed=await control.vault.seal(secret, credential_place(owner, id_, provider.name)),
        enabled=new.enabled,
        status=result.status if result else CredentialStatus.UNTESTED,
        status_detail=_detail(result) if result else "",
        is_default=bool(new.is_default),
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
        existing = await lock_keys(connection, owner)
        check_room(existing)
        if new.label is not None:
            check_label(existing, new.label)
        credential = msgspec.structs.replace(credential, label=new.label or free_label(provider, existing))
        await credentials.create(connection, credential, fingerprint)
        await changes.append(connection, changes.owner_topic(credential.owner))
    await control.gateway.changed()
    return credential, result


async def find(control: Control, caller: Principal, credential_id: str) -> Credential:
    """A key the caller may see. Raises NotFound for an absent and for a foreign one alike."""
    async with control.database.read() as connection:
        found = await credentials.get(connection, visible_owners(caller), credential_id)
    if found is None:
        raise NotFound("There is no credential with this id.")
    return found


async def remove(control: Control, caller: Principal, credential_id: str) -> None:
    """Delete the key and what is left of its ciphertext in the database's files."""
    present = await find(control, caller, credential_id)
    async with control.database.write() as connection:
        if await credentials.delete(connection, present.owner, present.id) is None:
            raise NotFound("There is no credential with this id.")
        await changes.append(connection, changes.owner_topic(present.owner))
    control.gateway.forget_rests(present.id)
    await control.gateway.changed()
    await control.database.scrub()


async def try_unsaved(control: Control, caller: Principal, trial: KeyTrial) -> KeyTestResult:
    """Test a key that is not stored. Raises InvalidRequest, or RateLimited when the minute's tests are used up."""
    provider = provider_of(control, trial.provider)
    secret, config = Secret(trial.api_key.get_secret_value()), trial.config or {}
    base_url = check_endpoint(control, provider, trial.base_url, user_owner(caller.user_id), config)
    check_secret(provider, secret, config, base_url)
    await require_test(control, caller)
    return await run_trial(control, Trial(provider, base_url, secret, config, of_platform=False))


async def retest(control: Control, credential: Credential) -> tuple[Credential, KeyTestResult]:
    """Test a stored key and record its health, unless it was changed meanwhile."""
    result = await _try_stored(control, credential)
    async with control.database.write() as connection:
        await credentials.set_status(
            connection,
            credential.id,
            result.status,
            _detail(result),
            tested_at=time.time(),
            version=credential.version,
        )
        await changes.append(connection, changes.owner_topic(credential.owner))
        present = await credentials.get(connection, (credential.owner,), credential.id)
    if present is None:
        raise NotFound("The credential was deleted during its test.")
    control.gateway.forget_rests(credential.id)
    await control.gateway.changed()
    return present, result


async def refuse_duplicate(
    control: Control, owner: Owner, provider: str, fingerprint: bytes, base_url: str | None, but: str | None = None
) -> None:
    """Before the test, so that a duplicate costs no call; the unique constraint holds against races."""
    async with control.database.read() as connection:
        twin = await credentials.find_same_key(connection, owner, provider, fingerprint, base_url)
    if twin is not None and twin.id != but:
        raise Conflict(f"This key is stored already as {twin.label!r} ({twin.id}).", param="api_key")


def masked(secret: Secret) -> str:
    return mask(secret.reveal()) if secret.reveal() else NO_KEY


async def _try_stored(control: Control, credential: Credential) -> KeyTestResult:
    provider = provider_of(control, credential.provider)
    try:
        secret = await control.gateway.open_secret(credential)
    except SecretUnreadable as error:
        return KeyTestResult(CredentialStatus.UNDECRYPTABLE, error.public, None)
    of_platform = credential.owner == PLATFORM
    return await run_trial(control, Trial(provider, credential.base_url, secret, credential.config, of_platform))


async def _check_label_early(control: Control, owner: Owner, label: str | None) -> None:
    """Before the test, which a taken label would waste; what counts is the check in the transaction."""
    if label is not None:
        async with control.database.read() as connection:
            check_label(await credentials.list_for_owners(connection, (owner,)), label)


def _detail(result: KeyTestResult) -> str:
    return "" if result.status is CredentialStatus.VALID else result.message
