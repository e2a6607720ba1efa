"""Users' own names for models."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.storage.values import NOW, stored_user

from ownkey.domain.alias import Alias
from ownkey.domain.errors import Conflict
from ownkey.domain.ids import AliasId, CredentialId, UserId, new_id
from ownkey.storage import Database, aliases, users
from ownkey.storage.records import StoredAlias


def an_alias(user_id: str, **fields: Any) -> StoredAlias:
    alias = StoredAlias(
        id=AliasId(new_id("route")), user_id=UserId(user_id), name="winner", model="openai/gpt-5", created_at=NOW
    )
    return replace(alias, **fields)


async def stored(database: Database, user_id: str, **fields: Any) -> StoredAlias:
    alias = an_alias(user_id, **fields)
    async with database.write() as conn:
        await aliases.create(conn, alias)
    return alias


async def test_aliases_come_back_as_they_were_stored_newest_first(database: Database) -> None:
    user = await stored_user(database)
    first = await stored(database, user.id)
    second = await stored(database, user.id, name="b", credential_id=CredentialId("cred_1"), created_at=NOW + 1)
    async with database.read() as conn:
        assert await aliases.list_for_user(conn, user.id) == [second, first]
        assert await aliases.get(conn, user.id, second.id) == second
    assert second.alias == Alias("b", "openai/gpt-5", CredentialId("cred_1"))


async def test_another_users_alias_looks_absent(database: Database) -> None:
    user, other = await stored_user(database), await stored_user(database)
    alias = await stored(database, user.id)
    async with database.write() as conn:
        assert await aliases.get(conn, other.id, alias.id) is None
        assert await aliases.update(conn, other.id, alias.id, model="x") is None
        assert not await aliases.delete(conn, other.id, alias.id)
        assert await aliases.list_for_user(conn, other.id) == []
        assert await aliases.get(conn, user.id, alias.id) == alias


async def test_a_name_is_taken_once_for_each_user(database: Database) -> None:
    user, other = await stored_user(database), await stored_user(database)
    await stored(database, user.id)
    await stored(database, other.id)
    with pytest.raises(Conflict) as caught:
        await stored(database, user.id)
    assert caught.value.param == "name"


async def test_an_alias_changes_field_by_field(database: Database) -> None:
    user = await stored_user(database)
    alias = await stored(database, user.id, credential_id=CredentialId("cred_1"))
    async with database.write() as conn:
        changed = await aliases.update(conn, user.id, alias.id, model="openai/gpt-5-mini")
        assert changed == replace(alias, model="openai/gpt-5-mini")
        changed = await aliases.update(conn, user.id, alias.id, credential_id=None, name="better")
        assert changed == replace(alias, model="openai/gpt-5-mini", credential_id=None, name="better")
        assert await aliases.update(conn, user.id, alias.id, name="better") == changed
        assert await aliases.update(conn, user.id, alias.id) == changed


async def test_a_rename_to_a_taken_name_is_a_conflict(database: Database) -> None:
    user = await stored_user(database)
    await stored(database, user.id)
    alias = await stored(database, user.id, name="b")
    async with database.write() as conn:
        await aliases.lock(conn, user.id)
        with pytest.raises(Conflict):
            await aliases.update(conn, user.id, alias.id, name="winner")


async def test_a_deleted_alias_is_gone_and_its_name_free(database: Database) -> None:
    user = await stored_user(database)
    alias = await stored(database, user.id)
    async with database.write() as conn:
        assert await aliases.delete(conn, user.id, alias.id)
        assert not await aliases.delete(conn, user.id, alias.id)
    await stored(database, user.id)


async def test_aliases_go_with_their_user(database: Database) -> None:
    user = await stored_user(database)
    await stored(database, user.id)
    async with database.write() as conn:
        await users.delete(conn, user.id, NOW)
        assert await aliases.list_for_user(conn, user.id) == []
