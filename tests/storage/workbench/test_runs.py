"""Runs and their results: one result a call whatever comes twice, rounds, cancelling, ends."""

import gc

import pytest
from tests.storage.values import NOW
from tests.storage.workbench.rows import a_result, a_run, a_session, put

from ownkey.domain.errors import Conflict
from ownkey.storage import Database, workbench
from ownkey.storage.workbench import StoredJudgement, StoredResult, StoredRun


async def results_of(database: Database, run: StoredRun, after: int = 0) -> list[StoredResult]:
    async with database.read() as conn:
        return await workbench.results.after(conn, run.id, after, 100)


async def test_a_call_has_one_result_whoever_brings_it_again(database: Database) -> None:
    """Two processes that carry the same run out, as after a machine that was only thought dead."""
    run = await a_run(database, await a_session(database))
    await put(database, run, a_result(0, 1), a_result(1, 2))
    await put(database, run, StoredResult(0, 0, 0, 3, 1, True, b"another"))
    assert [result.body for result in await results_of(database, run)] == [b"0 of round 1", b"1 of round 1"]


async def test_a_later_round_replaces_a_failure_and_comes_last(database: Database) -> None:
    run = await a_run(database, await a_session(database))
    await put(database, run, a_result(0, 1, ok=False), a_result(1, 2))
    await put(database, run, a_result(0, 3, round_=2))
    found = await results_of(database, run)
    assert [(result.position, result.seq, result.ok) for result in found] == [(1, 2, True), (0, 3, True)]


async def test_what_is_settled_is_what_was_answered_or_tried_in_the_round(database: Database) -> None:
    run = await a_run(database, await a_session(database))
    await put(database, run, a_result(0, 1), a_result(1, 2, ok=False), a_result(2, 3, ok=False, round_=2))
    async with database.read() as conn:
        assert await workbench.results.settled(conn, run.id, 1) == {(0, 0, 0), (0, 1, 0), (0, 2, 0)}
        assert await workbench.results.settled(conn, run.id, 2) == {(0, 0, 0), (0, 2, 0)}
        assert await workbench.results.settled(conn, run.id, 3) == {(0, 0, 0)}


async def test_results_come_in_pages_by_number(database: Database) -> None:
    run = await a_run(database, await a_session(database))
    await put(database, run, *(a_result(position, position + 1) for position in range(5)), done=5)
    assert [result.seq for result in await results_of(database, run, after=3)] == [4, 5]
    async with database.read() as conn:
        assert await workbench.results.last_seq(conn, run.id) == 5
        progress = await workbench.runs.progress(conn, run.id)
    assert progress is not None
    assert progress.done == 5


async def test_storing_results_leaves_little_to_the_garbage_collector(database: Database) -> None:
    """It would free hundreds of thousands of objects at once, in the middle of calls that are being timed."""
    run = await a_run(database, await a_session(database))
    await put(database, run, a_result(0, 1))
    gc.collect()
    gc.disable()
    try:
        for position in range(1, 51):
            await put(database, run, a_result(position, position + 1))
        cyclic = gc.collect()
    finally:
        gc.enable()
    assert cyclic < 50


async def test_results_of_a_run_that_is_gone_are_refused(database: Database) -> None:
    session = await a_session(database)
    run = await a_run(database, session)
    async with database.write() as conn:
        await workbench.sessions.erase(conn, session.id)
    with pytest.raises(Conflict):
        await put(database, run, a_result(0, 1))


async def test_warm_ups_do_not_count_as_failures_to_retry(database: Database) -> None:
    run = await a_run(database, await a_session(database))
    await put(database, run, a_result(0, 1, ok=False, repeat=-1), a_result(0, 2))
    async with database.read() as conn:
        assert await workbench.results.count_failed(conn, run.id) == 0


async def test_a_run_begins_once_a_round_and_ends_once(database: Database) -> None:
    run = await a_run(database, await a_session(database))
    async with database.write() as conn:
        assert await workbench.runs.begin(conn, run.id, 1, NOW)
        # Again, as after a crash.
        assert await workbench.runs.begin(conn, run.id, 1, NOW + 5)
        assert not await workbench.runs.begin(conn, run.id, 2, NOW)
        assert not await workbench.runs.end(conn, run.id, 2, "completed", "", b"{}", NOW)
        assert await workbench.runs.end(conn, run.id, 1, "completed", "", b"{}", NOW + 9)
        assert not await workbench.runs.end(conn, run.id, 1, "failed", "", b"{}", NOW + 10)
        assert not await workbench.runs.begin(conn, run.id, 1, NOW)
        found = await workbench.runs.get(conn, run.id)
    assert found is not None
    assert (found.status, found.started_at, found.ended_at) == ("completed", NOW, NOW + 9)


async def test_only_an_ended_run_is_opened_again(database: Database) -> None:
    run = await a_run(database, await a_session(database))
    async with database.write() as conn:
        assert await workbench.runs.again(conn, run.id) is None
        await workbench.runs.end(conn, run.id, 1, "failed", "why", None, NOW)
        assert await workbench.runs.again(conn, run.id) == 2
        found = await workbench.runs.get(conn, run.id)
    assert found is not None
    assert (found.status, found.detail, found.ended_at) == ("pending", "", None)


async def test_cancelling_is_asked_for_until_the_run_has_ended(database: Database) -> None:
    run = await a_run(database, await a_session(database))
    async with database.write() as conn:
        assert await workbench.runs.request_cancel(conn, run.id)
        progress = await workbench.runs.progress(conn, run.id)
        await workbench.runs.end(conn, run.id, 1, "cancelled", "", None, NOW)
        assert not await workbench.runs.request_cancel(conn, run.id)
    assert progress is not None
    assert progress.cancel_requested


async def test_a_pair_of_answers_has_one_verdict(database: Database) -> None:
    session = await a_session(database)
    run = await a_run(database, session)
    async with database.write() as conn:
        await workbench.results.put_judgement(conn, run.id, StoredJudgement(1, 4, "a", False), b"{}")
        await workbench.results.put_judgement(conn, run.id, StoredJudgement(1, 4, "b", False), b"{}")
        await workbench.results.put_judgement(conn, run.id, StoredJudgement(1, 0, "cannot_tell", True), b"{}")
        found = await workbench.results.judgements(conn, run.id)
        await workbench.sessions.erase(conn, session.id)
        left = await workbench.results.judgements(conn, run.id)
    assert found == [StoredJudgement(1, 0, "cannot_tell", True), StoredJudgement(1, 4, "a", False)]
    assert left == []
