"""Erasing a session whole: what runs is ended, what is stored goes, and a receipt says what went."""

from collections.abc import Sequence
from typing import Protocol

from msgspec.structs import replace

from ownkey.storage import workbench as rows
from ownkey.storage.database import Database
from ownkey.workbench.hosting.carrying_out import CarryingOut
from ownkey.workbench.hosting.sessions import Receipt, SessionStore

_USAGE_KEPT = (
    "Requests that went through this gateway stay in your account's usage: they are what was paid, without any text."
)


class JobBook(Protocol):
    """What the durable jobs remember."""

    async def forget(self, workflows: Sequence[tuple[str, int]]) -> int:
        """Delete what is stored of runs' workflows, each a run's id and its last round; how many there were."""
        ...


class Eraser:
    """Erases sessions and single runs."""

    def __init__(self, database: Database, sessions: SessionStore, carrying: CarryingOut, jobs: JobBook) -> None:
        self._database = database
        self._sessions = sessions
        self._carrying = carrying
        self._jobs = jobs

    async def erase(self, session_id: str) -> Receipt:
        """Erase a session. Raises NotFound when it is gone already."""
        async with self._database.read() as conn:
            session = await rows.sessions.get(conn, session_id)
            runs = [(run.id, run.round) for run in await rows.runs.list_of_session(conn, session_id)]
        receipt = await self._sessions.erase(session_id)
        # After the rows: a run that ends now finds nothing to write to.
        for run_id, _ in runs:
            self._carrying.stop(run_id)
        jobs = await self._jobs.forget(runs)
        kept = (_USAGE_KEPT,) if session is not None and session.user_id is not None else ()
        return replace(receipt, deleted=receipt.deleted | {"jobs": jobs}, kept=kept)

    async def erase_run(self, run_id: str, round_: int) -> None:
        """Delete a run and its results."""
        async with self._database.write() as conn:
            await rows.runs.delete(conn, run_id)
        self._carrying.stop(run_id)
        await self._jobs.forget([(run_id, round_)])
        if self._database.engine == "sqlite":
            # There it costs little. On Postgres it rewrites tables of keys, of which this had none.
            await self._database.scrub()
