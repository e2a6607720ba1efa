"""Changing a stored key: the fields that were sent, and nothing else."""

from ownkey.control.context import Control
from ownkey.control.credentials.checks import (
    address_of,
    check_endpoint,
    check_secret,
    check_settings,
    provider_of,
    same_origin,
    whereabouts,
)
from ownkey.control.credentials.labels import check_label, lock_keys
from ownkey.control.credentials.schemas import CredentialChange
from ownkey.control.credentials.service import NO_KEY, find, masked, refuse_duplicate, retest
from ownkey.control.credentials.testing import may_test
from ownkey.domain.credential import Credential, CredentialStatus
from ownkey.domain.errors import InvalidRequest, NotFound
from ownkey.domain.money import parse_usd
from ownkey.domain.secret import Secret
from ownkey.domain.tenancy import Principal
from ownkey.gateway import KeyTestResult, credential_place
from ownkey.storage import changes, credentials
from ownkey.storage.credentials import CredentialChanges


async def change(
    control: Control, caller: Principal, credential_id: str, wanted: CredentialChange
) -> tuple[Credential, KeyTestResult | None]:
    """Change the fields that were sent. A new key or address is tested, unless told not to.

    Raises NotFound, Conflict for a taken label or a key that is stored already, InvalidRequest.
    """
    present = await find(control, caller, credential_id)
    values = _plain_values(wanted) | await _new_place_and_secret(control, present, wanted)
    async with control.database.write() as connection:
        existing = await lock_keys(connection, present.owner)
        if wanted.label is not None:
            check_label(existing, wanted.label, present.id)
        await credentials.update(connection, present.owner, present.id, **values)
        if wanted.is_default is not None:
            await credentials.set_default(connection, present.owner, present.id, wanted.is_default)
        changed = await credentials.get(connection, (present.owner,), present.id)
        if changed is None:
            raise NotFound("There is no credential with this id.")
        await changes.append(connection, changes.owner_topic(present.owner))
    control.gateway.forget_rests(present.id)
    await control.gateway.changed()
    if "sealed" in values:
        await control.database.scrub()
    if "status" in values and wanted.test and await may_test(control, caller):
        return await retest(control, changed)
    return changed, None


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
    if "monthly_limit_usd" in sent:
        values["monthly_limit"] = parse_usd(wanted.monthly_limit_usd) if wanted.monthly_limit_usd else None
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
        await refuse_duplicate(control, present.owner, provider.name, fingerprint, base_url, but=present.id)
        sealed_at = credential_place(present.owner, present.id, present.provider)
        values["sealed"] = await control.vault.seal(secret, sealed_at)
        values["masked_key"] = masked(secret)
        values["fingerprint"] = fingerprint
    if base_url != present.base_url:
        values["base_url"] = base_url
    if moved or secret is not None:
        values |= {"status": CredentialStatus.UNTESTED, "status_detail": "", "last_tested_at": None}
    return values
