"""Key health by itself: rests that end by the clock, states and last uses that reach the database."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.gateway.unit.clock import Clock
from tests.storage.values import a_credential, an_api_key, stored_user

from ownkey.domain.credential import Credential, CredentialStatus
from ownkey.domain.errors import Unavailable
from ownkey.domain.plan import Rest
from ownkey.domain.tenancy import PLATFORM, Owner, user_owner
from ownkey.gateway.health import KeyHealth
from ownkey.providers.verdict import FailureKind, Verdict
from ownkey.storage import Database, api_keys, changes, credentials
from ownkey.storage.records import StoredApiKey

MODEL = "model-1"
SLOW_DOWN = Verdict(FailureKind.RATE_LIMIT, "slow down", failover=True, rest_seconds=30.0, stated=True)
REVOKED = Verdict(
    FailureKind.REVOKED_KEY, "revoked", failover=True, credential_status=CredentialStatus.REVOKED, rest_seconds=300.0
)
ODD = Verdict(FailureKind.UNEXPECTED, "odd", failover=False)


class Failing(Database):
    """A database that can be away for writing."""

    away = False

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        if self.away:
            raise Unavailable("away")
        async with super().write() as conn:
            yield conn


@pytest.fixture
async def database(sqlite_url: str) -> AsyncGenerator[Failing]:
    database = await Failing.open(sqlite_url)
    yield database
    await database.close()


async def stored(database: Database, owner: Owner = PLATFORM) -> Credential:
    credential = a_credential(owner)
    async with database.write() as conn:
        await credentials.create(conn, credential, credential.id.encode())
    return credential


async def now(database: Database, credential: Credential) -> Credential:
    async with database.read() as conn:
        found = await credentials.get(conn, (credential.owner,), credential.id)
    assert found is not None
    return found


async def topics(database: Database) -> list[str]:
    async with database.read() as conn:
        return [change.topic for change in await changes.since(conn, 0)]


def test_a_rest_lasts_as_long_as_the_verdict_says_for_the_model_that_failed(database: Failing) -> None:
    clock = Clock(100.0)
    health, credential = KeyHealth(database, clock), a_credential(PLATFORM)
    health.failed(credential, MODEL, SLOW_DOWN)
    assert health.resting == {(credential.id, MODEL): Rest(130.0, stated=True)}
    health.failed(credential, MODEL, ODD)
    assert health.resting == {(credential.id, MODEL): Rest(130.0, stated=True)}


def test_a_key_that_gets_a_new_state_rests_as_a_whole(database: Failing) -> None:
    health, credential = KeyHealth(database, Clock(100.0)), a_credential(PLATFORM)
    health.failed(credential, MODEL, REVOKED)
    assert health.resting == {(credential.id, ""): Rest(400.0)}


def test_a_good_answer_ends_the_rests_of_the_key_and_of_the_model(database: Failing) -> None:
    health, credential = KeyHealth(database, Clock()), a_credential(PLATFORM)
    for verdict, model in ((SLOW_DOWN, MODEL), (REVOKED, MODEL), (SLOW_DOWN, "model-2")):
        health.failed(credential, model, verdict)
    health.succeeded(credential, MODEL)
    assert list(health.resting) == [(credential.id, "model-2")]


async def test_a_rest_that_is_over_is_forgotten_in_the_next_round(database: Failing) -> None:
    clock = Clock(100.0)
    health, credential = KeyHealth(database, clock), a_credential(PLATFORM)
    health.failed(credential, MODEL, SLOW_DOWN)
    clock.now = 129.9
    health.forget_past_rests()
    assert health.resting
    clock.now = 130.0
    health.forget_past_rests()
    assert not health.resting


async def test_a_new_state_is_written_and_announced_to_the_owner(database: Failing) -> None:
    health, owner = KeyHealth(database, Clock()), user_owner((await stored_user(database)).id)
    credential = await stored(database, owner)
    before = await topics(database)
    health.failed(credential, MODEL, REVOKED)
    await health.write()
    seen = await now(database, credential)
    assert (seen.status, seen.status_detail) == (CredentialStatus.REVOKED, "revoked")
    assert await topics(database) == [*before, changes.owner_topic(owner)]
    await health.write()
    assert await topics(database) == [*before, changes.owner_topic(owner)]


async def test_a_state_that_the_row_has_already_is_not_written(database: Failing) -> None:
    health, credential = KeyHealth(database, Clock()), await stored(database)
    health.note(credential, CredentialStatus.UNTESTED, "")
    await health.write()
    assert await topics(database) == []


async def test_an_answer_about_a_former_secret_says_nothing_about_the_new_one(database: Failing) -> None:
    health, credential = KeyHealth(database, Clock()), await stored(database)
    health.failed(credential, MODEL, REVOKED)
    async with database.write() as conn:
        await credentials.update(conn, PLATFORM, credential.id, sealed=b"new", masked_key="…", fingerprint=b"new")
    await health.write()
    assert (await now(database, credential)).status is CredentialStatus.UNTESTED


async def test_last_uses_are_written_with_the_time_of_the_clock(database: Failing) -> None:
    clock = Clock(100.0)
    user = await stored_user(database)
    health, credential, key = KeyHealth(database, clock), await stored(database), an_api_key(user.id)
    async with database.write() as conn:
        await api_keys.create(conn, key)
    health.succeeded(credential, MODEL)
    health.api_key_used(key.id, 90.0)
    await health.write()
    assert (await now(database, credential)).last_used_at == 100.0
    assert await last_used(database, key) == 90.0


async def last_used(database: Database, key: StoredApiKey) -> float | None:
    async with database.read() as conn:
        found = await api_keys.by_hash(conn, key.hash)
    assert found is not None
    return found.last_used_at


async def test_what_could_not_be_written_is_written_when_the_database_is_back(database: Failing) -> None:
    clock = Clock(100.0)
    health, credential = KeyHealth(database, clock), await stored(database)
    health.failed(credential, MODEL, REVOKED)
    health.succeeded(await stored(database), MODEL)
    health.succeeded(credential, MODEL)
    database.away = True
    await health.write()
    clock.now = 200.0
    health.failed(credential, MODEL, REVOKED)
    database.away = False
    await health.write()
    seen = await now(database, credential)
    assert (seen.status, seen.last_used_at) == (CredentialStatus.REVOKED, 100.0)
