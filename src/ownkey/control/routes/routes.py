"""`/routes`."""

from fastapi import APIRouter, Request

from ownkey.control.identity import Caller, ControlDep, peer_of
from ownkey.control.routes import service
from ownkey.control.routes.schemas import NewRoute, RouteChange, RouteReply, SavedRoute, fields_of
from ownkey.control.shapes import Cursor, Limit, Listing, StrictRoute, newest_first
from ownkey.storage import routes

router = APIRouter(route_class=StrictRoute, prefix="/routes", tags=["routes"])


@router.post("", status_code=201)
async def create(body: NewRoute, caller: Caller, control: ControlDep, request: Request) -> SavedRoute:
    """Give a model a name of your own."""
    stored, note = await service.create(control, caller, body, peer_of(request))
    return SavedRoute.model_validate(fields_of(stored) | {"note": note})


@router.get("")
async def list_all(
    caller: Caller, control: ControlDep, limit: Limit = 100, cursor: Cursor = None
) -> Listing[RouteReply]:
    """The caller's routes, newest first."""
    async with control.database.read() as connection:
        stored = await routes.list_for_owners(connection, (caller.owner,))
    page, following = newest_first(stored, lambda route: (route.created_at, route.id), limit, cursor)
    return Listing(items=[RouteReply.model_validate(fields_of(route)) for route in page], next_cursor=following)


@router.get("/{route_id}")
async def get(route_id: str, caller: Caller, control: ControlDep) -> RouteReply:
    """One route."""
    return RouteReply.model_validate(fields_of(await service.find(control, caller, route_id)))


@router.patch("/{route_id}")
async def change(route_id: str, body: RouteChange, caller: Caller, control: ControlDep, request: Request) -> SavedRoute:
    """Point a route elsewhere, or rename it; the next request follows."""
    stored, note = await service.change(control, caller, route_id, body, peer_of(request))
    return SavedRoute.model_validate(fields_of(stored) | {"note": note})


@router.delete("/{route_id}", status_code=204)
async def delete(route_id: str, caller: Caller, control: ControlDep) -> None:
    """Delete a route: its name means nothing any more, or the model of that name."""
    await service.delete(control, caller, route_id)
