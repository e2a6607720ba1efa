"""Stored responses: each its user's alone, replaced, expired and swept, on both engines."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.storage.values import NOW, stored_user

from ownkey.domain.errors import Conflict
from ownkey.domain.ids import CredentialId, UserId
from ownkey.main.upkeep import sweep
from ownkey.storage import Database, stored_responses
from ownkey.storage.records import StoredResponse


def a_response(user_id: str, **fields: Any) -> StoredResponse:
    response = StoredResponse(
        user_id=UserId(user_id),
        id="resp_1",
        provider="groq",
        model="groq/m",
        sealed=b"\x00sealed",
        created_at=NOW,
        expires_at=NOW + 60,
    )
    return replace(response, **fields)


async def put(database: Database, *responses: StoredResponse) -> None:
    async with database.write() as conn:
        for response in responses:
            await stored_responses.put(conn, response)


async def get(database: Database, user_id: str, response_id: str = "resp_1", now: float = NOW) -> StoredResponse | None:
    async with database.read() as conn:
        return await stored_responses.get(conn, user_id, response_id, now)


async def test_a_response_comes_back_as_it_was_put(database: Database) -> None:
    user = await stored_user(database)
    ours = a_response(user.id)
    theirs = a_response(user.id, id="resp_2", sealed=None, credential_id=CredentialId("cred_1"))
    await put(database, ours, theirs)
    assert await get(database, user.id) == ours
    assert await get(database, user.id, "resp_2") == theirs
    assert await get(database, user.id, "resp_3") is None


async def test_two_users_may_have_the_same_id_and_see_their_own(database: Database) -> None:
    """A provider under a user's control may give any id at all."""
    one, other = await stored_user(database), await stored_user(database)
    await put(database, a_response(one.id, sealed=b"one"), a_response(other.id, sealed=b"other"))
    for user, sealed in ((one, b"one"), (other, b"other")):
        found = await get(database, user.id)
        assert found is not None
        assert found.sealed == sealed
    async with database.write() as conn:
        assert await stored_responses.delete(conn, one.id, "resp_1")
        assert not await stored_responses.delete(conn, one.id, "resp_1")
    assert await get(database, one.id) is None
    assert await get(database, other.id) is not None


async def test_the_same_id_again_replaces_the_first(database: Database) -> None:
    user = await stored_user(database)
    again = a_response(user.id, sealed=None, credential_id=CredentialId("cred_1"), model="n", expires_at=NOW + 99)
    await put(database, a_response(user.id), again)
    assert await get(database, user.id) == again


async def test_what_has_expired_is_absent_and_swept(database: Database) -> None:
    user = await stored_user(database)
    await put(database, a_response(user.id), a_response(user.id, id="resp_2", expires_at=NOW + 120))
    assert await get(database, user.id, now=NOW + 59.9) is not None
    assert await get(database, user.id, now=NOW + 60) is None
    await sweep(database, NOW + 60, 400)
    assert await get(database, user.id, now=NOW) is None
    assert await get(database, user.id, "resp_2") is not None


async def test_nobody_who_is_gone_gets_a_response(database: Database) -> None:
    with pytest.raises(Conflict):
        await put(database, a_response("user_gone"))
