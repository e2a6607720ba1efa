"""The directory by itself: what it keeps, what each topic makes it forget, and loads that a change overtakes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.gateway.unit.clock import Clock
from tests.storage.values import a_credential, an_api_key, stored_user

from ownkey.domain.errors import Unauthenticated
from ownkey.domain.ids import UserId
from ownkey.domain.tenancy import PLATFORM, Owner, Role, Scope, principal_of, user_owner
from ownkey.gateway.directory import Directory
from ownkey.storage import Database, api_keys, changes, credentials, users
from ownkey.storage.records import StoredApiKey, User

TEAM = Owner(Scope.TEAM, "team_1")


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    return sqlite_database


@pytest.fixture
async def user(database: Database) -> User:
    return await stored_user(database)


async def stored_key(database: Database, user: User, **fields: object) -> StoredApiKey:
    key = an_api_key(user.id, **fields)
    async with database.write() as conn:
        await api_keys.create(conn, key)
    return key


async def store_credential(database: Database, owner: Owner) -> None:
    async with database.write() as conn:
        await credentials.create(conn, a_credential(owner), owner.tenant.encode())


async def test_a_principal_is_known_after_its_first_load(database: Database, user: User) -> None:
    directory, key = Directory(database), await stored_key(database, user)
    assert directory.known_principal(key.hash) is None
    principal = await directory.principal(key.hash)
    assert directory.known_principal(key.hash) is principal
    assert principal.owners == (user_owner(user.id), PLATFORM)
    assert principal.api_key is not None
    assert principal.api_key.id == key.id


@pytest.mark.parametrize("case", ["absent", "revoked", "disabled"])
async def test_a_key_without_rights_is_refused_and_not_kept(database: Database, user: User, case: str) -> None:
    key = await stored_key(database, user, revoked_at=1.0 if case == "revoked" else None)
    async with database.write() as conn:
        if case == "disabled":
            await users.set_disabled(conn, user.id, 1.0)
        if case == "absent":
            await api_keys.delete(conn, user_owner(user.id), key.id)
    directory = Directory(database)
    with pytest.raises(Unauthenticated):
        await directory.principal(key.hash)
    assert directory.known_principal(key.hash) is None


async def test_holdings_are_shared_by_all_principals_of_the_same_owners(database: Database, user: User) -> None:
    directory = Directory(database)
    by_session, by_key = principal_of(user.id, user.role), principal_of(user.id, Role.OPERATOR)
    holdings = await directory.holdings(by_session)
    assert directory.known_holdings(by_key) is holdings
    assert directory.known_holdings(principal_of(UserId("user_other"), user.role)) is None


async def test_holdings_of_a_context_are_those_of_its_owners_and_kept_apart(database: Database, user: User) -> None:
    for owner in (user_owner(user.id), TEAM, PLATFORM):
        await store_credential(database, owner)
    directory = Directory(database)
    personal, team = principal_of(user.id, user.role), principal_of(user.id, user.role, (TEAM,))
    assert {key.owner for key in (await directory.holdings(personal)).credentials} == {user_owner(user.id), PLATFORM}
    assert {key.owner for key in (await directory.holdings(team)).credentials} == {user_owner(user.id), TEAM, PLATFORM}
    directory.apply(changes.owner_topic(TEAM))
    assert directory.known_holdings(team) is None
    assert directory.known_holdings(personal) is not None


class Held:
    """A directory that knows two users' principals and holdings."""

    def __init__(
        self, directory: Directory, users_: tuple[User, User], keys: tuple[StoredApiKey, StoredApiKey]
    ) -> None:
        self.directory = directory
        self.users = users_
        self.keys = keys

    def known(self) -> tuple[bool, bool, bool, bool]:
        """Whether each user's principal, then each user's holdings, are in memory."""
        first, second = (self.directory.known_principal(key.hash) is not None for key in self.keys)
        third, fourth = (
            self.directory.known_holdings(principal_of(user.id, user.role)) is not None for user in self.users
        )
        return first, second, third, fourth


@pytest.fixture
async def held(database: Database, user: User) -> Held:
    other = await stored_user(database)
    keys = (await stored_key(database, user), await stored_key(database, other))
    directory = Directory(database)
    for key in keys:
        await directory.holdings(await directory.principal(key.hash))
    held = Held(directory, (user, other), keys)
    assert held.known() == (True, True, True, True)
    return held


async def test_a_topic_forgets_what_it_names_and_nothing_else(held: Held) -> None:
    user, key = held.users[0], held.keys[1]
    held.directory.apply(changes.owner_topic(user_owner(user.id)))
    assert held.known() == (True, True, False, True)
    held.directory.apply(changes.api_key_topic(key.hash))
    assert held.known() == (True, False, False, True)
    held.directory.apply(changes.user_topic(user.id))
    assert held.known() == (False, False, False, True)


async def test_a_change_of_the_platforms_keys_forgets_everyones_holdings(held: Held) -> None:
    held.directory.apply(changes.owner_topic(PLATFORM))
    assert held.known() == (True, True, False, False)


async def test_a_rotated_master_key_changes_nothing_here(held: Held) -> None:
    held.directory.apply(changes.MASTER_KEY)
    assert held.known() == (True, True, True, True)


@pytest.mark.parametrize(
    "topic",
    [
        changes.EVERYTHING,
        "platform",
        "policy:user:user_1",
        "",
        "owner:",
        "owner:user_1",
        "owner:planet:earth",
        "api_key:no-hex",
        "a topic of a later version",
    ],
)
async def test_a_topic_that_means_nothing_here_forgets_everything(held: Held, topic: str) -> None:
    held.directory.apply(topic)
    assert held.known() == (False, False, False, False)


class Overtaken(Database):
    """A database in which a change arrives at the end of each read, before the reader goes on."""

    directory: Directory
    topic = ""

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        async with super().read() as conn:
            yield conn
        if self.topic:
            self.directory.apply(self.topic)


async def test_a_load_that_a_change_overtook_is_used_once_and_not_kept(sqlite_url: str) -> None:
    database = await Overtaken.open(sqlite_url)
    try:
        user = await stored_user(database)
        key = await stored_key(database, user)
        directory = database.directory = Directory(database)
        database.topic = changes.api_key_topic(key.hash)
        principal = await directory.principal(key.hash)
        assert directory.known_principal(key.hash) is None
        database.topic = changes.owner_topic(principal.owner)
        await directory.holdings(principal)
        assert directory.known_holdings(principal) is None
        database.topic = ""
        await directory.holdings(await directory.principal(key.hash))
        assert directory.known_principal(key.hash) is not None
        assert directory.known_holdings(principal) is not None
    finally:
        await database.close()


class Slow(Database):
    """A database whose reads are counted and wait for `go`."""

    reads = 0
    go: asyncio.Event

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        self.reads += 1
        await self.go.wait()
        async with super().read() as conn:
            yield conn


@pytest.fixture
async def slow(sqlite_url: str) -> AsyncGenerator[Slow]:
    Slow.go = asyncio.Event()
    Slow.go.set()
    database = await Slow.open(sqlite_url)
    yield database
    await database.close()


async def test_a_crowd_shares_one_load(slow: Slow) -> None:
    user = await stored_user(slow)
    key = await stored_key(slow, user)
    directory = Directory(slow)
    slow.reads = 0
    principals = await asyncio.gather(*(directory.principal(key.hash) for _ in range(100)))
    assert slow.reads == 1
    assert len(set(map(id, principals))) == 1
    holdings = await asyncio.gather(*(directory.holdings(principals[0]) for _ in range(100)))
    assert slow.reads == 2
    assert len(set(map(id, holdings))) == 1


async def test_a_crowd_with_an_unknown_key_is_refused_after_one_load(slow: Slow) -> None:
    directory = Directory(slow)
    slow.reads = 0
    outcomes = await asyncio.gather(*(directory.principal(b"?" * 32) for _ in range(20)), return_exceptions=True)
    assert slow.reads == 1
    assert all(isinstance(outcome, Unauthenticated) for outcome in outcomes)


async def test_who_comes_after_a_change_does_not_join_the_load_before_it(slow: Slow) -> None:
    user = await stored_user(slow)
    key = await stored_key(slow, user)
    directory = Directory(slow)
    slow.reads = 0
    slow.go.clear()
    before = asyncio.create_task(directory.principal(key.hash))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    directory.apply(changes.api_key_topic(key.hash))
    after = asyncio.create_task(directory.principal(key.hash))
    slow.go.set()
    await asyncio.gather(before, after)
    assert slow.reads == 2
    assert directory.known_principal(key.hash) is after.result()


async def test_a_client_that_leaves_does_not_end_the_load_of_the_others(slow: Slow) -> None:
    user = await stored_user(slow)
    key = await stored_key(slow, user)
    directory = Directory(slow)
    slow.reads = 0
    slow.go.clear()
    first, second = (asyncio.create_task(directory.principal(key.hash)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    slow.go.set()
    assert (await second).user_id == user.id
    assert first.cancelled()
    assert slow.reads == 1


async def test_the_oldest_entry_makes_room(database: Database, user: User) -> None:
    directory = Directory(database, capacity=2)
    keys = [await stored_key(database, user) for _ in range(3)]
    for key in keys:
        await directory.principal(key.hash)
    assert [directory.known_principal(key.hash) is not None for key in keys] == [False, True, True]


async def test_later_work_ends_at_the_second_its_key_expires(database: Database, user: User) -> None:
    clock = Clock(100.0)
    directory, key = Directory(database, clock=clock), await stored_key(database, user, expires_at=200.0)
    clock.now = 199.9
    principal = await directory.principal_for(user.id, key.id)
    assert principal.api_key is not None
    clock.now = 200.0
    with pytest.raises(Unauthenticated):
        await directory.principal_for(user.id, key.id)
    assert (await directory.principal_for(user.id, None)).api_key is None
