"""Provider keys: round trip, duplicates, the one default, statuses, and what other tenants see of them."""

import asyncio

import pytest
from msgspec.structs import replace
from tests.storage.values import NOW, a_credential, stored_user

from ownkey.domain.credential import Credential, CredentialStatus
from ownkey.domain.errors import Conflict
from ownkey.domain.tenancy import PLATFORM, Owner, Scope, user_owner
from ownkey.storage import Database, credentials

FINGERPRINT = b"f" * 32


async def stored(
    database: Database, owner: Owner | str, fingerprint: bytes = FINGERPRINT, **fields: object
) -> Credential:
    credential = a_credential(owner, **fields)
    async with database.write() as conn:
        await credentials.create(conn, credential, fingerprint)
    return credential


async def listed(database: Database, *owners: Owner) -> list[Credential]:
    async with database.read() as conn:
        return await credentials.list_for_owners(conn, owners)


async def test_a_credential_comes_back_as_it_was_stored(database: Database) -> None:
    user = await stored_user(database)
    full = await stored(
        database,
        user.id,
        enabled=False,
        status=CredentialStatus.RATE_LIMITED,
        status_detail="wait",
        is_default=True,
        priority=-3,
        weight=0,
        base_url="https://llm.example.org/v1",
        model="llama",
        config={"region": "eu"},
        allowed_models=("a/*",),
        allowed_ips=(),
        expires_at=NOW + 0.125,
        last_tested_at=NOW,
        last_used_at=NOW + 1,
        version=7,
    )
    plain = await stored(database, PLATFORM)
    assert await listed(database, user_owner(user.id)) == [full]
    assert await listed(database, user_owner(user.id), PLATFORM) == sorted([full, plain], key=lambda one: one.id)
    assert await listed(database) == []


async def test_the_same_key_twice_is_a_conflict_that_names_the_first(database: Database) -> None:
    user, other = await stored_user(database), await stored_user(database)
    await stored(database, user.id, label="first")
    with pytest.raises(Conflict, match="first"):
        await stored(database, user.id, label="second")
    await stored(database, user.id, provider="groq")
    await stored(database, user.id, base_url="https://llm.example.org/v1")
    await stored(database, user.id, fingerprint=b"g" * 32)
    await stored(database, other.id)
    await stored(database, PLATFORM)
    await stored(database, Owner(Scope.TEAM, user.id))
    with pytest.raises(Conflict):
        await stored(database, user.id, base_url="https://llm.example.org/v1")


async def test_the_same_key_is_found_without_its_secret(database: Database) -> None:
    user = await stored_user(database)
    credential = await stored(database, user.id)
    async with database.read() as conn:
        owner = user_owner(user.id)
        assert await credentials.find_same_key(conn, owner, "openai", FINGERPRINT, None) == credential
        assert await credentials.find_same_key(conn, owner, "openai", FINGERPRINT, "https://x") is None
        assert await credentials.find_same_key(conn, PLATFORM, "openai", FINGERPRINT, None) is None


async def test_a_key_for_a_user_that_is_gone_is_a_conflict(database: Database) -> None:
    with pytest.raises(Conflict):
        await stored(database, "user_gone")


async def test_a_foreign_credential_looks_absent_to_every_function(database: Database) -> None:
    user, other = await stored_user(database), await stored_user(database)
    mine, foreign = user_owner(user.id), await stored(database, other.id, is_default=True)
    # The same id under another scope is another tenant.
    for owner in (mine, PLATFORM, Owner(Scope.TEAM, other.id), Owner(Scope.USER, "")):
        async with database.write() as conn:
            for credential_id in (foreign.id, "cred_absent"):
                assert await credentials.get(conn, (owner,), credential_id) is None
                assert await credentials.update(conn, owner, credential_id, label="taken") is None
                assert await credentials.set_default(conn, owner, credential_id) is False
                assert await credentials.set_default(conn, owner, credential_id, False) is False
                assert await credentials.delete(conn, owner, credential_id) is None
            assert await credentials.list_for_owners(conn, (owner,)) == []
            assert (await credentials.list_page(conn, (owner,))).items == []
    assert await listed(database, user_owner(other.id)) == [foreign]


async def test_pages_of_credentials_hold_each_once(database: Database) -> None:
    user = await stored_user(database)
    made = [await stored(database, user.id, bytes([number]) * 32, created_at=NOW + number // 3) for number in range(7)]
    await stored(database, PLATFORM)
    seen: list[Credential] = []
    cursor = None
    while True:
        async with database.read() as conn:
            page = await credentials.list_page(conn, (user_owner(user.id),), 3, cursor)
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    # Rows of one moment come in the order of their ids, whose last part is random.
    assert seen == sorted(made, key=lambda each: (each.created_at, each.id))


async def test_an_edit_changes_what_is_named_and_raises_the_version(database: Database) -> None:
    user = await stored_user(database)
    credential = await stored(database, user.id, base_url="https://a.example", allowed_models=("x",))
    async with database.write() as conn:
        edited = await credentials.update(
            conn, credential.owner, credential.id, label="home", base_url=None, allowed_models=None, enabled=False
        )
    assert edited == replace(credential, label="home", base_url=None, allowed_models=None, enabled=False, version=2)
    assert await listed(database, credential.owner) == [edited]


async def test_an_edit_that_makes_a_duplicate_is_a_conflict_and_changes_nothing(database: Database) -> None:
    user = await stored_user(database)
    await stored(database, user.id)
    other = await stored(database, user.id, b"g" * 32)
    with pytest.raises(Conflict):
        async with database.write() as conn:
            await credentials.update(
                conn, other.owner, other.id, fingerprint=FINGERPRINT, sealed=b"new", masked_key="…"
            )
    assert other in await listed(database, other.owner)


async def test_an_owner_has_one_default_whichever_way_it_is_made(database: Database) -> None:
    user, other = await stored_user(database), await stored_user(database)
    first = await stored(database, user.id, b"1", is_default=True)
    second = await stored(database, user.id, b"2", is_default=True)
    third = await stored(database, user.id, b"3")
    foreign = await stored(database, other.id, is_default=True)

    async def defaults() -> set[str]:
        return {one.id for one in await listed(database, user_owner(user.id), user_owner(other.id)) if one.is_default}

    assert await defaults() == {second.id, foreign.id}
    async with database.write() as conn:
        assert await credentials.set_default(conn, third.owner, third.id)
    assert await defaults() == {third.id, foreign.id}
    async with database.write() as conn:
        assert await credentials.set_default(conn, first.owner, first.id, False)
    assert await defaults() == {third.id, foreign.id}
    async with database.write() as conn:
        assert await credentials.set_default(conn, third.owner, third.id, False)
    assert await defaults() == {foreign.id}


async def test_concurrent_changes_of_the_default_leave_exactly_one(database_url: str) -> None:
    databases = [await Database.open(database_url) for _ in range(3)]
    user = await stored_user(databases[0])
    made = [await stored(databases[0], user.id, bytes([number])) for number in range(6)]

    async def choose(database: Database, credential: Credential) -> None:
        async with database.write() as conn:
            assert await credentials.set_default(conn, credential.owner, credential.id)

    new = [stored(database, user.id, bytes([100 + n]), is_default=True) for n, database in enumerate(databases)]
    chosen = [choose(databases[number % 3], credential) for number, credential in enumerate(made)]
    await asyncio.gather(*chosen, *new)
    assert sum(one.is_default for one in await listed(databases[0], user_owner(user.id))) == 1
    for database in databases:
        await database.close()


async def test_a_status_is_news_only_when_it_changes_and_only_for_the_secret_it_is_about(database: Database) -> None:
    user = await stored_user(database)
    credential = await stored(database, user.id)
    async with database.write() as conn:
        valid = CredentialStatus.VALID
        assert await credentials.set_status(conn, credential.id, valid, tested_at=NOW, version=1)
        assert not await credentials.set_status(conn, credential.id, valid, tested_at=NOW + 1)
        await credentials.update(conn, credential.owner, credential.id, sealed=b"rotated")
        assert not await credentials.set_status(
            conn, credential.id, CredentialStatus.INVALID, version=1, tested_at=NOW + 9
        )
        assert not await credentials.set_status(conn, "cred_absent", CredentialStatus.INVALID)
        found = await credentials.get(conn, (credential.owner,), credential.id)
    assert found == replace(credential, sealed=b"rotated", status=valid, last_tested_at=NOW + 1, version=2)


async def test_the_time_of_last_use_only_moves_forward(database: Database) -> None:
    user = await stored_user(database)
    credential = await stored(database, user.id)
    async with database.write() as conn:
        await credentials.touch_used(conn, {credential.id: NOW + 2, "cred_deleted": NOW})
        await credentials.touch_used(conn, {credential.id: NOW})
        await credentials.touch_used(conn, {})
    assert [one.last_used_at for one in await listed(database, credential.owner)] == [NOW + 2]


async def test_a_credential_of_fixed_id_is_stored_once_and_replaced_when_its_secret_changes(database: Database) -> None:
    from_environment = a_credential(PLATFORM, id="cred_env_openai", sealed=b"first sealing")
    resealed = replace(from_environment, sealed=b"another sealing of the same")
    async with database.write() as conn:
        assert await credentials.upsert_by_id(conn, from_environment, FINGERPRINT)
        await credentials.update(conn, PLATFORM, from_environment.id, priority=5, status=CredentialStatus.VALID)
        assert not await credentials.upsert_by_id(conn, resealed, FINGERPRINT)
    (kept,) = await listed(database, PLATFORM)
    assert (kept.sealed, kept.priority, kept.status) == (b"first sealing", 5, CredentialStatus.VALID)

    changed = replace(from_environment, sealed=b"a new secret", masked_key="sk-…new")
    async with database.write() as conn:
        assert await credentials.upsert_by_id(conn, changed, b"g" * 32)
    (replaced,) = await listed(database, PLATFORM)
    assert (replaced.sealed, replaced.masked_key, replaced.version) == (b"a new secret", "sk-…new", kept.version + 1)
    assert (replaced.status, replaced.priority) == (CredentialStatus.UNTESTED, 5)


async def test_processes_that_start_together_store_the_environments_credential_once(database_url: str) -> None:
    databases = [await Database.open(database_url) for _ in range(4)]

    async def start(database: Database) -> bool:
        async with database.write() as conn:
            return await credentials.upsert_by_id(conn, a_credential(PLATFORM, id="cred_env_x"), FINGERPRINT)

    assert sorted(await asyncio.gather(*map(start, databases))) == [False, False, False, True]
    for database in databases:
        await database.close()


async def test_a_credential_of_fixed_id_that_its_owner_stored_by_hand_is_a_conflict_that_names_it(
    database: Database,
) -> None:
    by_hand = a_credential(PLATFORM, id="cred_by_hand", label="typed in")
    async with database.write() as conn:
        await credentials.create(conn, by_hand, FINGERPRINT)
    with pytest.raises(Conflict, match=r"'typed in' \(cred_by_hand\)"):
        async with database.write() as conn:
            await credentials.upsert_by_id(conn, a_credential(PLATFORM, id="cred_env_x"), FINGERPRINT)
    assert await listed(database, PLATFORM) == [by_hand]
