"""Making and changing routes. Every write and its change-feed entry are one transaction."""

import time

from ownkey.control.context import Control
from ownkey.control.credentials.service import find as find_credential
from ownkey.control.routes.schemas import NewRoute, RouteChange
from ownkey.domain.errors import Conflict, InvalidRequest, ModelNotFound, NotAllowed, NotFound, OwnkeyError
from ownkey.domain.formats import WireFormat
from ownkey.domain.ids import CredentialId, RouteId, new_id
from ownkey.domain.route import DEFAULT
from ownkey.domain.tenancy import Principal
from ownkey.storage import changes, routes
from ownkey.storage.records import StoredRoute
from ownkey.storage.routes import RouteChanges

_MOST = 200
_ABSENT = "No route has this id."


async def create(control: Control, caller: Principal, new: NewRoute, peer: str) -> tuple[StoredRoute, str | None]:
    """The stored route and the note of `check_target`. Raises Conflict, InvalidRequest, NotFound, NotAllowed."""
    if not new.shadow:
        await _refuse_shadow(control, caller, new.name)
    if new.credential_id is not None:
        await find_credential(control, caller, new.credential_id)
    note = await check_target(control, caller, new.name, new.model, new.credential_id, peer)
    stored = StoredRoute(
        id=RouteId(new_id("route")),
        owner=caller.owner,
        name=new.name,
        model=new.model,
        credential_id=None if new.credential_id is None else CredentialId(new.credential_id),
        created_at=time.time(),
    )
    async with control.database.write() as connection:
        await routes.lock(connection, caller.owner)
        if len(await routes.list_for_owners(connection, (caller.owner,))) >= _MOST:
            raise Conflict(f"You already have {_MOST} routes, the most allowed: delete one first.")
        await routes.create(connection, stored)
        await changes.append(connection, changes.owner_topic(caller.owner))
    await control.gateway.changed()
    return stored, note


async def find(control: Control, caller: Principal, route_id: str) -> StoredRoute:
    """Raises NotFound for an absent and for a foreign route alike."""
    async with control.database.read() as connection:
        stored = await routes.get(connection, (caller.owner,), route_id)
    if stored is None:
        raise NotFound(_ABSENT)
    return stored


async def change(
    control: Control, caller: Principal, route_id: str, wanted: RouteChange, peer: str
) -> tuple[StoredRoute, str | None]:
    """Change the fields that were sent; the next request follows them. Raises as `create` does.

    The route as it will be is checked as a whole: a key with limits must not rename another route to one it may use.
    """
    before = await find(control, caller, route_id)
    values: RouteChanges = {}
    if wanted.name is not None and wanted.name != before.name:
        if not wanted.shadow:
            await _refuse_shadow(control, caller, wanted.name)
        values["name"] = wanted.name
    if wanted.model is not None:
        values["model"] = wanted.model
    if "credential_id" in wanted.model_fields_set:
        if wanted.credential_id is not None:
            await find_credential(control, caller, wanted.credential_id)
        values["credential_id"] = wanted.credential_id
    name, model = values.get("name", before.name), values.get("model", before.model)
    note = await check_target(control, caller, name, model, values.get("credential_id", before.credential_id), peer)
    async with control.database.write() as connection:
        await routes.lock(connection, caller.owner)
        stored = await routes.update(connection, caller.owner, route_id, **values)
        if stored is None:
            raise NotFound(_ABSENT)
        await changes.append(connection, changes.owner_topic(caller.owner))
    await control.gateway.changed()
    return stored, note


async def delete(control: Control, caller: Principal, route_id: str) -> None:
    """Raises NotFound for an absent and for a foreign route alike."""
    async with control.database.write() as connection:
        if not await routes.delete(connection, caller.owner, route_id):
            raise NotFound(_ABSENT)
        await changes.append(connection, changes.owner_topic(caller.owner))
    await control.gateway.changed()


async def check_target(
    control: Control, caller: Principal, name: str, model: str, credential_id: str | None, peer: str
) -> str | None:
    """Why a route to this model could not serve a request now, or None when it could.

    What a key or a preference can fix is a note, because a route may be created before its key. Raises InvalidRequest
    for an unknown model or a route's name, NotAllowed for one that the caller's API key may not use.
    """
    async with control.database.read() as connection:
        names = {stored.name for stored in await routes.list_for_owners(connection, (caller.owner,))}
    if model in names | {name, DEFAULT}:
        raise InvalidRequest("A route points to a model, not to a route or to `default`.", param="model")
    told: OwnkeyError | None = None
    for format_ in WireFormat:
        plan = await control.gateway.explain(caller, model, format_, credential_id, peer)
        if plan.attempts:
            return None
        told = told or plan.refusal
    if isinstance(told, ModelNotFound):
        raise InvalidRequest(told.public, param="model")
    if isinstance(told, NotAllowed):
        raise told
    return None if told is None else told.public


async def _refuse_shadow(control: Control, caller: Principal, name: str) -> None:
    if await control.gateway.is_model(caller, name):
        text = (
            f"{name!r} is a model's own name: say `shadow` (true, or --shadow on the command line) "
            "if requests for that model are to go by this route."
        )
        raise Conflict(text, param="name")
