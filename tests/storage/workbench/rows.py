"""Rows of the workbench for storage tests, each with what the test says and plausible values for the rest."""

import os
from typing import Any

from msgspec.structs import replace
from tests.storage.values import NOW

from ownkey.domain.ids import new_id
from ownkey.storage import Database, workbench
from ownkey.storage.workbench import StoredResult, StoredRun, StoredSuite, StoredTarget, WorkbenchSession


async def a_session(database: Database, **fields: Any) -> WorkbenchSession:
    session = WorkbenchSession(
        id=new_id("wbs"), token_hash=os.urandom(32), peer_hash=os.urandom(32), created_at=NOW, expires_at=NOW + 3600
    )
    session = replace(session, **fields)
    async with database.write() as conn:
        assert await workbench.sessions.create(conn, session)
    return session


async def a_run(database: Database, session: WorkbenchSession, **fields: Any) -> StoredRun:
    run = StoredRun(
        id=new_id("wrun"),
        session_id=session.id,
        suite_id="qa-easy",
        plan=b"{}",
        status="pending",
        total=10,
        created_at=NOW,
    )
    run = replace(run, **fields)
    async with database.write() as conn:
        await workbench.runs.create(conn, run)
    return run


async def a_target(database: Database, session: WorkbenchSession, sealed: bytes | None = None) -> StoredTarget:
    target = StoredTarget(id=new_id("wbt"), session_id=session.id, body=b"{}", sealed=sealed, created_at=NOW)
    async with database.write() as conn:
        await workbench.targets.create(conn, target)
    return target


async def a_suite(database: Database, prompts: list[bytes], **owner: Any) -> StoredSuite:
    suite = StoredSuite(
        id=new_id("wsu"),
        name="mine",
        description="",
        prompts=len(prompts),
        size=sum(map(len, prompts)),
        created_at=NOW,
        **owner,
    )
    async with database.write() as conn:
        await workbench.suites.create(conn, suite, prompts)
    return suite


def a_result(position: int, seq: int, *, ok: bool = True, round_: int = 1, repeat: int = 0) -> StoredResult:
    return StoredResult(0, position, repeat, seq, round_, ok, b"%d of round %d" % (position, round_))


async def put(database: Database, run: StoredRun, *results: StoredResult, done: int = 0) -> None:
    async with database.write() as conn:
        await workbench.results.put(conn, run.id, results, done)
