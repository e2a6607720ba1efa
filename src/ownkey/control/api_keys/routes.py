"""`/api-keys`."""

from fastapi import APIRouter

from ownkey.control.api_keys import service
from ownkey.control.api_keys.schemas import ApiKeyChange, ApiKeyReply, NewApiKey, NewApiKeyReply, fields_of
from ownkey.control.identity import Caller, ControlDep
from ownkey.control.shapes import Cursor, Limit, Listing, StrictRoute, newest_first
from ownkey.storage import api_keys

router = APIRouter(route_class=StrictRoute, prefix="/api-keys", tags=["api-keys"])


@router.post("", status_code=201)
async def create(body: NewApiKey, caller: Caller, control: ControlDep) -> NewApiKeyReply:
    """Create a key. Only this reply shows it."""
    stored, key = await service.create(control, caller, body)
    return NewApiKeyReply.model_validate(fields_of(stored) | {"key": key.reveal()})


@router.get("")
async def list_all(
    caller: Caller, control: ControlDep, limit: Limit = 100, cursor: Cursor = None
) -> Listing[ApiKeyReply]:
    """The caller's keys, newest first."""
    async with control.database.read() as connection:
        stored = await api_keys.list_for_owners(connection, (caller.owner,))
    working = [key for key in stored if key.revoked_at is None]
    page, following = newest_first(working, lambda key: (key.created_at, key.id), limit, cursor)
    return Listing(items=[ApiKeyReply.model_validate(fields_of(key)) for key in page], next_cursor=following)


@router.get("/{key_id}")
async def get(key_id: str, caller: Caller, control: ControlDep) -> ApiKeyReply:
    """One key."""
    return ApiKeyReply.model_validate(fields_of(await service.find(control, caller, key_id)))


@router.patch("/{key_id}")
async def change(key_id: str, body: ApiKeyChange, caller: Caller, control: ControlDep) -> ApiKeyReply:
    """Change a key's name or rights."""
    return ApiKeyReply.model_validate(fields_of(await service.change(control, caller, key_id, body)))


@router.delete("/{key_id}", status_code=204)
async def revoke(key_id: str, caller: Caller, control: ControlDep) -> None:
    """Revoke a key."""
    await service.revoke(control, caller, key_id)
