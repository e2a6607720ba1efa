"""`/credentials`."""

import time

from fastapi import APIRouter

from ownkey.control.credentials import service
from ownkey.control.credentials.schemas import (
    CredentialChange,
    CredentialReply,
    CredentialUsageReply,
    NewCredential,
    show,
)
from ownkey.control.identity import Caller, ControlDep
from ownkey.control.key_tests.schemas import KeyTestReply, show_test
from ownkey.control.key_tests.service import require_test, retest
from ownkey.control.shapes import Cursor, Limit, Listing, StrictRoute
from ownkey.domain.money import format_usd
from ownkey.storage import credentials
from ownkey.storage.usage_summary import GroupBy, summary

router = APIRouter(route_class=StrictRoute, prefix="/credentials", tags=["credentials"])
_MONTH = 30 * 86_400


@router.post("", status_code=201)
async def create(body: NewCredential, caller: Caller, control: ControlDep) -> CredentialReply:
    """Store a provider key. It is tested first unless `test` is false, and stored with what was found."""
    credential, result = await service.create(control, caller, body)
    hint = service.hint_of(control, credential, body.api_key)
    return show(credential, show_test(result) if result else None, hint)


@router.get("")
async def list_all(
    caller: Caller, control: ControlDep, limit: Limit = 100, cursor: Cursor = None
) -> Listing[CredentialReply]:
    """The keys the caller may see, oldest first."""
    async with control.database.read() as connection:
        page = await credentials.list_page(connection, service.visible_owners(caller), limit, cursor)
    return Listing(items=[show(credential) for credential in page.items], next_cursor=page.next_cursor)


@router.get("/{credential_id}")
async def get(credential_id: str, caller: Caller, control: ControlDep) -> CredentialReply:
    """One key."""
    return show(await service.find(control, caller, credential_id))


@router.patch("/{credential_id}")
async def change(credential_id: str, body: CredentialChange, caller: Caller, control: ControlDep) -> CredentialReply:
    """Change a key's settings, or the key itself."""
    credential, result = await service.change(control, caller, credential_id, body)
    hint = service.hint_of(control, credential, body.api_key)
    return show(credential, show_test(result) if result else None, hint)


@router.delete("/{credential_id}", status_code=204)
async def delete(credential_id: str, caller: Caller, control: ControlDep) -> None:
    """Delete a key: it stops working immediately, and its ciphertext is erased."""
    await service.remove(control, caller, credential_id)


@router.post("/{credential_id}/test")
async def test_stored(credential_id: str, caller: Caller, control: ControlDep) -> KeyTestReply:
    """Test a stored key and record its health."""
    credential = await service.find(control, caller, credential_id)
    await require_test(control, caller)
    _, result = await retest(control, credential)
    return show_test(result)


@router.get("/{credential_id}/usage")
async def usage_of(credential_id: str, caller: Caller, control: ControlDep) -> CredentialUsageReply:
    """What the key was used for in the last 30 days."""
    credential = await service.find(control, caller, credential_id)
    await control.gateway.flush_usage()
    async with control.database.read() as connection:
        groups = await summary(connection, None, time.time() - _MONTH, GroupBy.TOTAL, credential_id=credential.id)
    total = groups[0] if groups else None
    return CredentialUsageReply(
        range="30d",
        requests=total.requests if total else 0,
        errors=total.errors if total else 0,
        input_tokens=total.input_tokens if total else 0,
        output_tokens=total.output_tokens if total else 0,
        list_cost_usd=format_usd(total.list_cost if total else 0),
        charged_usd=format_usd(total.charged if total else 0),
    )
