"""The authenticator by itself: what is refused and with which words, and what is known without waiting."""

import pytest
from tests.storage.values import an_api_key, stored_user

from ownkey.domain.api_key import mint_api_key
from ownkey.domain.errors import NotAllowed, Unauthenticated
from ownkey.domain.tenancy import KeyScope
from ownkey.gateway.authenticate import Authenticator
from ownkey.gateway.directory import Directory
from ownkey.gateway.edge.exchange import Request
from ownkey.storage import Database, api_keys, changes

PEPPER = b"p" * 32
KEY = mint_api_key(b"k" * 32)
STARTED = 1_900_000_000.0


def request(*fields: tuple[bytes, bytes], started_at: float = STARTED) -> Request:
    return Request("POST", "/v1/messages", b"", list(fields), b"", "192.0.2.7", 0.0, started_at)


BY_KEY = (b"authorization", b"Bearer " + KEY.encode())


class Door:
    """An authenticator and its directory, with one stored key."""

    def __init__(self, database: Database) -> None:
        self.directory = Directory(database)
        self.authenticator = Authenticator(self.directory, PEPPER)


async def door_for(database: Database, **rights: object) -> Door:
    door = Door(database)
    user = await stored_user(database)
    async with database.write() as conn:
        await api_keys.create(conn, an_api_key(user.id, hash=door.authenticator.hash(KEY), **rights))
    return door


async def test_a_key_is_known_after_it_was_looked_up_once(sqlite_database: Database) -> None:
    authenticator = (await door_for(sqlite_database)).authenticator
    assert authenticator.known(request(BY_KEY), KeyScope.GATEWAY) is None
    principal = await authenticator.authenticate(request(BY_KEY), KeyScope.GATEWAY)
    assert authenticator.known(request(BY_KEY), KeyScope.GATEWAY) is principal
    assert authenticator.known(request((b"x-api-key", KEY.encode())), KeyScope.GATEWAY) is principal


async def test_a_revoked_key_is_unknown_although_its_hash_is_remembered(sqlite_database: Database) -> None:
    door = await door_for(sqlite_database)
    principal = await door.authenticator.authenticate(request(BY_KEY), KeyScope.GATEWAY)
    assert principal.api_key is not None
    async with sqlite_database.write() as conn:
        await api_keys.delete(conn, principal.owner, principal.api_key.id)
    door.directory.apply(changes.api_key_topic(door.authenticator.hash(KEY)))
    assert door.authenticator.known(request(BY_KEY), KeyScope.GATEWAY) is None
    with pytest.raises(Unauthenticated):
        await door.authenticator.authenticate(request(BY_KEY), KeyScope.GATEWAY)


async def test_a_known_key_keeps_its_limits(sqlite_database: Database) -> None:
    door = await door_for(sqlite_database, expires_at=STARTED + 10)
    known = door.authenticator.known
    await door.authenticator.authenticate(request(BY_KEY), KeyScope.GATEWAY)
    assert known(request(BY_KEY, started_at=STARTED + 9.9), KeyScope.GATEWAY) is not None
    with pytest.raises(Unauthenticated, match="expired"):
        known(request(BY_KEY, started_at=STARTED + 10), KeyScope.GATEWAY)
    with pytest.raises(NotAllowed):
        known(request(BY_KEY), KeyScope.MANAGE)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ((), "No API key"),
        (((b"authorization", b"Basic abc"),), "No API key"),
        (((b"x-api-key", b"sk-of-a-provider"),), "not an Ownkey API key"),
        (((b"authorization", b"Bearer eyJhbGciOi"),), "not an Ownkey API key"),
        (((b"x-api-key", KEY.encode()[:-1] + b"!"),), "checksum"),
        (((b"x-api-key", mint_api_key(b"x" * 32).encode()),), "Unknown API key"),
    ],
)
async def test_each_way_to_fail_says_what_to_do(
    sqlite_database: Database, fields: tuple[tuple[bytes, bytes], ...], text: str
) -> None:
    authenticator = Door(sqlite_database).authenticator
    with pytest.raises(Unauthenticated, match=text):
        await authenticator.authenticate(request(*fields), KeyScope.GATEWAY)
