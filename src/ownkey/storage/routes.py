"""Routes: an owner's own names for models. Readers take any of the caller's owners, writers one."""

from collections.abc import Iterable
from typing import TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.errors import Conflict
from ownkey.domain.ids import CredentialId, RouteId
from ownkey.domain.tenancy import Owner, user_owner
from ownkey.storage.records import StoredRoute
from ownkey.storage.statements import insert_or_ignore, lock_name
from ownkey.storage.tables import routes
from ownkey.storage.tenancy import owned_by, user_id_of


class RouteChanges(TypedDict, total=False):
    """What `update` may set; a field left out stays as it is."""

    name: str
    model: str
    credential_id: str | None


async def create(conn: AsyncConnection, route: StoredRoute) -> None:
    """Store a new route. Raises Conflict when the owner has one of this name."""
    values = {field: getattr(route, field) for field in route.__struct_fields__ if field != "owner"}
    values["user_id"] = user_id_of(route.owner)
    statement = insert_or_ignore(conn, routes, routes.c.user_id, routes.c.name).returning(routes.c.id)
    if (await conn.execute(statement, values)).first() is None:
        raise _taken(route.name)


async def get(conn: AsyncConnection, owners: Iterable[Owner], route_id: str) -> StoredRoute | None:
    statement = sa.select(routes).where(owned_by(routes, owners), routes.c.id == route_id)
    return _route_or_none((await conn.execute(statement)).mappings().first())


async def list_for_owners(conn: AsyncConnection, owners: Iterable[Owner]) -> list[StoredRoute]:
    """All routes of `owners`, newest first."""
    statement = (
        sa.select(routes).where(owned_by(routes, owners)).order_by(routes.c.created_at.desc(), routes.c.id.desc())
    )
    return [_route(row) for row in (await conn.execute(statement)).mappings()]


async def lock(conn: AsyncConnection, owner: Owner) -> None:
    """Let no other transaction that locks them change the owner's routes before this one ends."""
    await lock_name(conn, f"routes of {owner.tenant}")


async def update(
    conn: AsyncConnection, owner: Owner, route_id: str, **changes: Unpack[RouteChanges]
) -> StoredRoute | None:
    """Change the given fields; the route as it then is, or None when `owner` has none such.

    Raises Conflict when another of the owner's routes has the name. The caller holds `lock`.
    """
    name = changes.get("name")
    if name is not None:
        others = sa.select(routes.c.id).where(
            owned_by(routes, (owner,)), routes.c.name == name, routes.c.id != route_id
        )
        if (await conn.execute(others)).first() is not None:
            raise _taken(name)
    if not changes:
        return await get(conn, (owner,), route_id)
    statement = sa.update(routes).where(owned_by(routes, (owner,)), routes.c.id == route_id).values(dict(changes))
    return _route_or_none((await conn.execute(statement.returning(routes))).mappings().first())


async def delete(conn: AsyncConnection, owner: Owner, route_id: str) -> bool:
    """Delete the route; whether there was one."""
    statement = sa.delete(routes).where(owned_by(routes, (owner,)), routes.c.id == route_id)
    return (await conn.execute(statement)).rowcount > 0


def _taken(name: str) -> Conflict:
    return Conflict(f"A route named {name!r} already exists: change it, or choose another name.", param="name")


def _route(row: sa.RowMapping) -> StoredRoute:
    credential = row["credential_id"]
    return StoredRoute(
        id=RouteId(row["id"]),
        owner=user_owner(row["user_id"]),
        name=row["name"],
        model=row["model"],
        credential_id=None if credential is None else CredentialId(credential),
        created_at=row["created_at"],
    )


def _route_or_none(row: sa.RowMapping | None) -> StoredRoute | None:
    return None if row is None else _route(row)
