"""Users, sessions, set-up links, API keys and preferences."""

import asyncio
import os

import pytest
from tests.storage.values import NOW, a_session, a_user, an_api_key, stored_user

from ownkey.domain.credential import KeySource, Mode, PaidFallback, Preferences
from ownkey.domain.errors import Conflict, InvalidRequest
from ownkey.domain.tenancy import KeyScope, Role, user_owner
from ownkey.storage import Database, api_keys, preferences, sessions, users


async def test_an_address_is_found_and_taken_whatever_its_case(database: Database) -> None:
    user = await stored_user(database, email=" Ada@Example.ORG ", role=Role.OPERATOR, password_hash="$argon2id$…")
    async with database.read() as conn:
        found = await users.by_email(conn, "ADA@example.org")
        assert found is not None
        assert (found.id, found.email, found.role) == (user.id, "ada@example.org", Role.OPERATOR)
        assert await users.by_email(conn, "ada@example.com") is None
    with pytest.raises(Conflict) as caught:
        await stored_user(database, email="ada@example.org")
    assert caught.value.param == "email"


async def test_an_account_changes_field_by_field(database: Database) -> None:
    user = await stored_user(database)
    async with database.write() as conn:
        assert await users.update_email(conn, user.id, "New@example.org")
        assert await users.update_password(conn, user.id, "$argon2id$new")
        assert await users.set_role(conn, user.id, Role.OPERATOR)
        assert await users.set_disabled(conn, user.id, NOW)
        found = await users.get(conn, user.id)
    assert found == a_user(
        id=user.id,
        email="new@example.org",
        password_hash="$argon2id$new",
        role=Role.OPERATOR,
        disabled_at=NOW,
    )
    async with database.write() as conn:
        assert not await users.set_role(conn, "user_absent", Role.OPERATOR)
        assert await users.count(conn) == await users.count(conn, Role.OPERATOR) == 1


async def test_an_address_of_another_account_is_not_taken_over(database: Database) -> None:
    user, other = await stored_user(database), await stored_user(database)
    with pytest.raises(Conflict):
        async with database.write() as conn:
            await users.update_email(conn, user.id, other.email)


async def test_of_two_accounts_made_at_once_with_one_address_one_stays(database_url: str) -> None:
    first, second = await Database.open(database_url), await Database.open(database_url)
    results = await asyncio.gather(
        stored_user(first, email="a@example.org"), stored_user(second, email="a@example.org"), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "User"]
    await first.close()
    await second.close()


async def test_pages_of_users_hold_each_once_though_some_are_added_between(database: Database) -> None:
    # Two at a time, told apart by their ids, which are in no order within a millisecond.
    stored = [await stored_user(database, created_at=NOW + number // 2) for number in range(5)]
    made = sorted(stored, key=lambda user: (user.created_at, user.id))
    async with database.read() as conn:
        first = await users.list_page(conn, limit=2)
    await stored_user(database, created_at=NOW - 1)
    async with database.read() as conn:
        second = await users.list_page(conn, 2, first.next_cursor)
        third = await users.list_page(conn, 2, second.next_cursor)
    assert third.next_cursor is None
    assert [user.id for page in (first, second, third) for user in page.items] == [user.id for user in made]


@pytest.mark.parametrize("cursor", ["", "x", "bnVsbA", "WyJhIl0", "\ud800", "=", "W251bGwsIDFd"])
async def test_a_forged_cursor_is_an_invalid_request(sqlite_database: Database, cursor: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        async with sqlite_database.read() as conn:
            await users.list_page(conn, 10, cursor)
    assert caught.value.param == "cursor"


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_a_page_has_a_sensible_size(sqlite_database: Database, limit: int) -> None:
    with pytest.raises(InvalidRequest) as caught:
        async with sqlite_database.read() as conn:
            await users.list_page(conn, limit)
    assert caught.value.param == "limit"


async def test_a_session_is_found_by_its_token_and_listed_for_its_user_while_it_lasts(database: Database) -> None:
    user, other = await stored_user(database), await stored_user(database)
    current, past = a_session(user.id), a_session(user.id, expires_at=NOW - 1)
    async with database.write() as conn:
        for session in (current, past, a_session(other.id)):
            await sessions.create(conn, session)
        await sessions.touch(conn, current.id, NOW + 60, "192.0.2.7", "Chromium")
        assert await sessions.by_token_hash(conn, past.token_hash) == past
        assert await sessions.by_token_hash(conn, os.urandom(32)) is None
        (listed,) = await sessions.list_for_user(conn, user.id, NOW)
        assert listed == a_session(
            user.id,
            id=current.id,
            token_hash=current.token_hash,
            last_seen_at=NOW + 60,
            address="192.0.2.7",
            user_agent="Chromium",
        )
        assert await sessions.sweep(conn, NOW) == 1
        assert await sessions.by_token_hash(conn, past.token_hash) is None


async def test_sessions_end_only_by_their_own_user(database: Database) -> None:
    user, other = await stored_user(database), await stored_user(database)
    kept, ended, foreign = a_session(user.id), a_session(user.id), a_session(other.id)
    async with database.write() as conn:
        for session in (kept, ended, foreign):
            await sessions.create(conn, session)
        assert await sessions.revoke(conn, user.id, foreign.id) is None
        assert await sessions.revoke(conn, user.id, "sess_absent") is None
        assert await sessions.revoke_all(conn, user.id, except_id=kept.id) == [ended.token_hash]
        assert await sessions.revoke(conn, user.id, kept.id) == kept.token_hash
        assert await sessions.by_token_hash(conn, foreign.token_hash) == foreign


async def test_a_set_up_link_works_once_and_not_after_its_time(database: Database) -> None:
    valid, late, cleared = os.urandom(32), os.urandom(32), os.urandom(32)
    async with database.write() as conn:
        for token, expires_at in ((valid, NOW + 1), (late, NOW), (cleared, NOW + 1)):
            await sessions.put_setup_token(conn, token, expires_at)

    async def consume(token: bytes) -> bool:
        async with database.write() as conn:
            return await sessions.consume_setup_token(conn, token, NOW)

    assert sorted(await asyncio.gather(*(consume(valid) for _ in range(4)))) == [False, False, False, True]
    assert not await consume(late)
    async with database.write() as conn:
        await sessions.clear_setup_tokens(conn)
    assert not await consume(cleared)


async def test_an_api_key_comes_back_as_it_was_stored(database: Database) -> None:
    user = await stored_user(database)
    plain = an_api_key(user.id)
    limited = an_api_key(
        user.id,
        scopes=frozenset(KeyScope),
        models=("openai/*", "default"),
        allowed_ips=("192.0.2.0/24",),
        requests_per_minute=60,
        expires_at=NOW + 1,
        created_at=NOW + 1,
    )
    nothing_allowed = an_api_key(user.id, models=(), created_at=NOW + 2)
    async with database.write() as conn:
        for key in (plain, limited, nothing_allowed):
            await api_keys.create(conn, key)
        assert await api_keys.list_for_owners(conn, (user_owner(user.id),)) == [nothing_allowed, limited, plain]
        assert await api_keys.by_hash(conn, limited.hash) == limited
        assert await api_keys.by_hash(conn, os.urandom(32)) is None


async def test_an_api_key_of_another_user_looks_absent(database: Database) -> None:
    user, other = await stored_user(database), await stored_user(database)
    key = an_api_key(other.id)
    async with database.write() as conn:
        await api_keys.create(conn, key)
        assert await api_keys.get(conn, (user_owner(user.id),), key.id) is None
        assert await api_keys.update(conn, user_owner(user.id), key.id, name="mine") is None
        assert await api_keys.delete(conn, user_owner(user.id), key.id) is None
        assert await api_keys.list_for_owners(conn, (user_owner(user.id),)) == []
        assert await api_keys.get(conn, (user_owner(other.id),), key.id) == key


async def test_an_api_key_is_edited_field_by_field_and_deleted(database: Database) -> None:
    user = await stored_user(database)
    key = an_api_key(user.id, models=("a",))
    async with database.write() as conn:
        await api_keys.create(conn, key)
        assert await api_keys.update(conn, user_owner(user.id), key.id) == key
        edited = await api_keys.update(
            conn, user_owner(user.id), key.id, models=None, scopes=frozenset({KeyScope.MANAGE}), revoked_at=NOW
        )
        assert edited is not None
        assert (edited.models, edited.scopes, edited.revoked_at) == (None, {KeyScope.MANAGE}, NOW)
        assert edited.name == key.name
        assert await api_keys.delete(conn, user_owner(user.id), key.id) == edited
        assert await api_keys.get(conn, (user_owner(user.id),), key.id) is None


async def test_a_models_list_of_an_earlier_version_still_allows_its_routes(database: Database) -> None:
    user = await stored_user(database)
    key = an_api_key(user.id, models=("alias:bot", "openai/*"))
    async with database.write() as conn:
        await api_keys.create(conn, key)
        found = await api_keys.by_hash(conn, key.hash)
    assert found is not None
    assert found.models == ("route:bot", "openai/*")


async def test_the_time_of_last_use_only_moves_forward(database: Database) -> None:
    user = await stored_user(database)
    first, second = an_api_key(user.id), an_api_key(user.id)
    async with database.write() as conn:
        await api_keys.create(conn, first)
        await api_keys.create(conn, second)
        await api_keys.touch_used(conn, {first.id: NOW + 5, second.id: NOW, "ak_deleted": NOW})
        await api_keys.touch_used(conn, {first.id: NOW + 1, second.id: NOW + 1})
        await api_keys.touch_used(conn, {})
        found = await api_keys.list_for_owners(conn, (user_owner(user.id),))
    assert {key.id: key.last_used_at for key in found} == {first.id: NOW + 5, second.id: NOW + 1}


async def test_preferences_are_the_defaults_until_chosen_and_replaced_as_a_whole(database: Database) -> None:
    user = await stored_user(database)
    chosen = Preferences(
        mode=Mode.OWN_KEY,
        model="anthropic/claude-sonnet-4.5",
        temperature=0.0,
        max_tokens=0,
        require_eu=True,
        key_order=(KeySource.PLATFORM, KeySource.OWN_ROUTER),
        paid_fallback=PaidFallback.NEVER,
    )
    async with database.write() as conn:
        assert await preferences.get(conn, (user_owner(user.id),)) == Preferences()
        await preferences.put(conn, user_owner(user.id), chosen)
        assert await preferences.get(conn, (user_owner(user.id),)) == chosen
        await preferences.put(conn, user_owner(user.id), Preferences(temperature=1.5))
        assert await preferences.get(conn, (user_owner(user.id),)) == Preferences(temperature=1.5)
