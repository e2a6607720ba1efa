"""Live news of runs: an event in this process, and a query of the database for what other processes execute."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator

from msgspec import Struct

from ownkey.domain.errors import Unavailable
from ownkey.storage import workbench as rows
from ownkey.storage.database import Database
from ownkey.storage.workbench import RunProgress
from ownkey.workbench.hosting.run_store import decode_result
from ownkey.workbench.records import Result, RunStatus

_LOOK_S = 0.5
"""How long news from another process may stay unseen."""
_PAGE = 100
OPEN = frozenset({RunStatus.PENDING, RunStatus.RUNNING})


class News(Struct, frozen=True):
    """A new result, or None with the progress alone. The last news of a run has a status that is not open."""

    result: Result | None
    progress: RunProgress


class RunFeed:
    """Reports results as soon as they are stored."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: dict[str, set[asyncio.Event]] = defaultdict(set)

    def ring(self, run_id: str) -> None:
        """Something new is stored."""
        for event in self._listeners.get(run_id, ()):
            event.set()

    async def follow(self, run_id: str, after: int = 0) -> AsyncGenerator[News | None]:
        """The results with numbers above `after`, then each new one, until the run has ended or is gone; None twice a
        second where there is nothing new. A database that is away has no news."""
        bell = asyncio.Event()
        self._listeners[run_id].add(bell)
        reported: RunProgress | None = None
        try:
            while True:
                bell.clear()
                try:
                    async with self._database.read() as conn:
                        # Progress first: whatever is stored when a run has ended is then in the page.
                        progress = await rows.runs.progress(conn, run_id)
                        page = await rows.results.after(conn, run_id, after, _PAGE)
                except Unavailable:
                    yield None
                    await asyncio.sleep(_LOOK_S)
                    continue
                if progress is None:
                    return
                for row in page:
                    after = row.seq
                    yield News(decode_result(row), progress)
                if len(page) == _PAGE:
                    continue
                if page or progress != reported:
                    reported = progress
                    yield News(None, progress)
                if progress.status not in OPEN:
                    return
                try:
                    async with asyncio.timeout(_LOOK_S):
                        await bell.wait()
                except TimeoutError:
                    yield None
        finally:
            self._listeners[run_id].discard(bell)
            if not self._listeners[run_id]:
                del self._listeners[run_id]
