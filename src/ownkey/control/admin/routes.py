"""`/admin/users`."""

from typing import Annotated

from fastapi import APIRouter, Depends

from ownkey.control.admin import service
from ownkey.control.admin.schemas import NewUser, UserChange, UserReply, show
from ownkey.control.identity import ControlDep, caller_with
from ownkey.control.shapes import Cursor, Limit, Listing, StrictRoute
from ownkey.domain.tenancy import Permission, Principal
from ownkey.storage import users

router = APIRouter(route_class=StrictRoute, prefix="/admin", tags=["admin"])
Operator = Annotated[Principal, Depends(caller_with(Permission.MANAGE_USERS))]


@router.post("/users", status_code=201)
async def create_user(body: NewUser, _operator: Operator, control: ControlDep) -> UserReply:
    """Create an account."""
    return show(await service.create_user(control, body))


@router.get("/users")
async def list_users(
    _operator: Operator, control: ControlDep, limit: Limit = 100, cursor: Cursor = None
) -> Listing[UserReply]:
    """All accounts."""
    async with control.database.read() as connection:
        page = await users.list_page(connection, limit, cursor)
    return Listing(items=[show(user) for user in page.items], next_cursor=page.next_cursor)


@router.get("/users/{user_id}")
async def get_user(user_id: str, _operator: Operator, control: ControlDep) -> UserReply:
    """One account."""
    return show(await service.find_user(control, user_id))


@router.patch("/users/{user_id}")
async def change_user(user_id: str, body: UserChange, _operator: Operator, control: ControlDep) -> UserReply:
    """Change an account's role or password, or disable it."""
    return show(await service.change_user(control, user_id, body))


@router.delete("/users/{user_id}", status_code=204)
async def delete_user(user_id: str, _operator: Operator, control: ControlDep) -> None:
    """Delete an account and everything it owns."""
    await service.delete_user(control, user_id)
