"""`GET` and `PUT /preferences`."""

from fastapi import APIRouter

from ownkey.control.identity import Caller, ControlDep
from ownkey.control.preferences.schemas import PreferencesBody, show
from ownkey.control.shapes import StrictRoute
from ownkey.storage import changes, preferences

router = APIRouter(route_class=StrictRoute, prefix="/preferences", tags=["preferences"])


@router.get("")
async def get(caller: Caller, control: ControlDep) -> PreferencesBody:
    """The caller's defaults."""
    async with control.database.read() as connection:
        return show(await preferences.get(connection, (caller.owner,)))


@router.put("")
async def put(body: PreferencesBody, caller: Caller, control: ControlDep) -> PreferencesBody:
    """Replace the caller's defaults; the next request follows them."""
    async with control.database.write() as connection:
        await preferences.put(connection, caller.owner, body.to_domain())
        await changes.append(connection, changes.owner_topic(caller.owner))
    await control.gateway.changed()
    return body
