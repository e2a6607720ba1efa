"""Users' own names for models."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.storage.values import NOW, stored_user

from ownkey.domain.errors import Conflict
from ownkey.domain.ids import CredentialId, RouteId, new_id
from ownkey.domain.route import Route
from ownkey.domain.tenancy import user_owner
from ownkey.storage import Database, routes, users
from ownkey.storage.records import StoredRoute


def a_route(user_id: str, **fields: Any) -> StoredRoute:
    route = StoredRoute(
        id=RouteId(new_id("route")), owner=user_owner(user_id), name="winner", model="openai/gpt-5", created_at=NOW
    )
    return replace(route, **fields)


async def stored(database: Database, user_id: str, **fields: Any) -> StoredRoute:
    route = a_route(user_id, **fields)
    async with database.write() as conn:
        await routes.create(conn, route)
    return route


async def test_routes_come_back_as_they_were_stored_newest_first(database: Database) -> None:
    user = await stored_user(database)
    first = await stored(database, user.id)
    second = await stored(database, user.id, name="b", credential_id=CredentialId("cred_1"), created_at=NOW + 1)
    async with database.read() as conn:
        assert await routes.list_for_owners(conn, (user_owner(user.id),)) == [second, first]
        assert await routes.get(conn, (user_owner(user.id),), second.id) == second
    assert second.route == Route("b", "openai/gpt-5", CredentialId("cred_1"))


async def test_another_users_route_looks_absent(database: Database) -> None:
    user, other = await stored_user(database), await stored_user(database)
    route = await stored(database, user.id)
    async with database.write() as conn:
        assert await routes.get(conn, (user_owner(other.id),), route.id) is None
        assert await routes.update(conn, user_owner(other.id), route.id, model="x") is None
        assert not await routes.delete(conn, user_owner(other.id), route.id)
        assert await routes.list_for_owners(conn, (user_owner(other.id),)) == []
        assert await routes.get(conn, (user_owner(user.id),), route.id) == route


async def test_a_name_is_taken_once_for_each_user(database: Database) -> None:
    user, other = await stored_user(database), await stored_user(database)
    await stored(database, user.id)
    await stored(database, other.id)
    with pytest.raises(Conflict) as caught:
        await stored(database, user.id)
    assert caught.value.param == "name"


async def test_a_route_changes_field_by_field(database: Database) -> None:
    user = await stored_user(database)
    route = await stored(database, user.id, credential_id=CredentialId("cred_1"))
    async with database.write() as conn:
        changed = await routes.update(conn, user_owner(user.id), route.id, model="openai/gpt-5-mini")
        assert changed == replace(route, model="openai/gpt-5-mini")
        changed = await routes.update(conn, user_owner(user.id), route.id, credential_id=None, name="better")
        assert changed == replace(route, model="openai/gpt-5-mini", credential_id=None, name="better")
        assert await routes.update(conn, user_owner(user.id), route.id, name="better") == changed
        assert await routes.update(conn, user_owner(user.id), route.id) == changed


async def test_a_rename_to_a_taken_name_is_a_conflict(database: Database) -> None:
    user = await stored_user(database)
    await stored(database, user.id)
    route = await stored(database, user.id, name="b")
    async with database.write() as conn:
        await routes.lock(conn, user_owner(user.id))
        with pytest.raises(Conflict):
            await routes.update(conn, user_owner(user.id), route.id, name="winner")


async def test_a_deleted_route_is_gone_and_its_name_free(database: Database) -> None:
    user = await stored_user(database)
    route = await stored(database, user.id)
    async with database.write() as conn:
        assert await routes.delete(conn, user_owner(user.id), route.id)
        assert not await routes.delete(conn, user_owner(user.id), route.id)
    await stored(database, user.id)


async def test_routes_go_with_their_user(database: Database) -> None:
    user = await stored_user(database)
    await stored(database, user.id)
    async with database.write() as conn:
        await users.delete(conn, user.id, NOW)
        assert await routes.list_for_owners(conn, (user_owner(user.id),)) == []
