"""Sessions of the workbench: one an address, found by their secret alone, erased whole."""

import os

from tests.storage.values import NOW, stored_user
from tests.storage.workbench.rows import a_result, a_run, a_session, a_suite, a_target, put

from ownkey.storage import Database, workbench
from ownkey.storage.data_keys import DatabaseDataKeys
from ownkey.storage.workbench import WorkbenchSession
from ownkey.vault.data_keys import DataKey


async def test_an_address_has_one_session_at_a_time(database: Database) -> None:
    first = await a_session(database)
    second = WorkbenchSession(
        id="wbs_2", token_hash=os.urandom(32), peer_hash=first.peer_hash, created_at=NOW, expires_at=NOW + 1
    )
    async with database.write() as conn:
        assert not await workbench.sessions.create(conn, second)
    async with database.write() as conn:
        await workbench.sessions.erase(conn, first.id)
        assert await workbench.sessions.create(conn, second)


async def test_a_user_may_have_many_sessions(database: Database) -> None:
    user = await stored_user(database)
    made = [await a_session(database, user_id=user.id, peer_hash=None, created_at=NOW + n) for n in range(3)]
    async with database.read() as conn:
        found = await workbench.sessions.list_of_user(conn, user.id, NOW, 10)
    assert [session.id for session in found] == [session.id for session in reversed(made)]


async def test_a_session_is_found_by_its_own_token_until_it_expires(database: Database) -> None:
    mine, other = await a_session(database), await a_session(database)
    async with database.read() as conn:
        assert await workbench.sessions.by_token(conn, mine.id, mine.token_hash, NOW) == mine
        assert await workbench.sessions.of_token(conn, mine.token_hash, NOW) == mine
        assert await workbench.sessions.by_token(conn, mine.id, other.token_hash, NOW) is None
        assert await workbench.sessions.by_token(conn, other.id, mine.token_hash, NOW) is None
        assert await workbench.sessions.by_token(conn, mine.id, mine.token_hash, NOW + 3600) is None


async def test_a_user_finds_their_own_session_and_nobody_elses(database: Database) -> None:
    one, other = await stored_user(database), await stored_user(database)
    session = await a_session(database, user_id=one.id, peer_hash=None)
    async with database.read() as conn:
        assert await workbench.sessions.of_user(conn, session.id, one.id, NOW) == session
        assert await workbench.sessions.of_user(conn, session.id, other.id, NOW) is None


async def test_erasing_takes_everything_of_the_session_and_nothing_else(database: Database) -> None:
    mine, other = await a_session(database), await a_session(database)
    for session in (mine, other):
        await a_target(database, session, sealed=b"secret")
        await a_target(database, session)
        await a_suite(database, [b"1", b"2", b"3"], session_id=session.id)
        run = await a_run(database, session)
        await put(database, run, a_result(0, 1), a_result(1, 2))
        await DatabaseDataKeys(database).add(
            DataKey(
                id=f"dk_{session.id}",
                tenant=session.tenant,
                use="seal",
                generation=1,
                master_version="m",
                wrapped=b"w",
                created_at=NOW,
                retired=False,
            )
        )
    async with database.write() as conn:
        erased = await workbench.sessions.erase(conn, mine.id)
        assert await workbench.sessions.erase(conn, mine.id) is None
    assert erased is not None
    counts = (erased.keys, erased.targets, erased.suites, erased.prompts, erased.runs, erased.results, erased.data_keys)
    assert counts == (1, 2, 1, 3, 1, 2, 1)
    async with database.read() as conn:
        assert await workbench.sessions.get(conn, mine.id) is None
        assert len(await workbench.targets.list_of_session(conn, other.id)) == 2
        assert len(await workbench.suites.visible(conn, other.id, None)) == 1
        (left,) = await workbench.runs.list_of_session(conn, other.id)
        assert len(await workbench.results.after(conn, left.id, 0, 10)) == 2
    assert await DatabaseDataKeys(database).current(mine.tenant, "seal") is None
    assert await DatabaseDataKeys(database).current(other.tenant, "seal") is not None


async def test_expired_sessions_are_found_for_the_sweep(database: Database) -> None:
    over, open_ = await a_session(database, expires_at=NOW), await a_session(database)
    async with database.read() as conn:
        assert await workbench.sessions.expired(conn, NOW, 10) == [over.id]
        assert await workbench.sessions.expired(conn, NOW, 10, open_.peer_hash) == []
        assert await workbench.sessions.expired(conn, NOW, 10, over.peer_hash) == [over.id]


async def test_suites_are_seen_by_their_session_or_user_alone(database: Database) -> None:
    user, session, other = await stored_user(database), await a_session(database), await a_session(database)
    of_user = await a_suite(database, [b"u"], user_id=user.id)
    of_session = await a_suite(database, [b"s"], session_id=session.id)
    async with database.write() as conn:
        seen = await workbench.suites.visible(conn, session.id, user.id)
        assert {suite.id for suite in seen} == {of_user.id, of_session.id}
        assert await workbench.suites.visible(conn, None, None) == []
        assert await workbench.suites.get(conn, of_session.id, other.id, None) is None
        assert not await workbench.suites.delete(conn, of_session.id, other.id, None)
        assert await workbench.suites.delete(conn, of_session.id, session.id, None)


async def test_prompts_come_in_pages_in_their_order(database: Database) -> None:
    session = await a_session(database)
    suite = await a_suite(database, [b"%d" % number for number in range(1203)], session_id=session.id)
    async with database.read() as conn:
        assert await workbench.suites.page(conn, suite.id, 1200, 50) == [b"1200", b"1201", b"1202"]
        assert await workbench.suites.page(conn, suite.id, 499, 2) == [b"499", b"500"]
