"""Runs that this process carries out say so every second, and hear whether they are to end."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

from ownkey.domain.errors import Unauthenticated, Unavailable
from ownkey.storage import workbench as rows
from ownkey.storage.database import Database
from ownkey.workbench.hosting.account import Account

_BEAT_S = 1.0

End = Callable[[Unauthenticated | None], None]
"""Called once, when a run is to end: by its owner's wish or with its session (None), or because the rights of the
account it goes under have ended."""


class Heart:
    """Beats for runs, whatever step of theirs is carried out: one that is silent is taken up by another process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._under_way: Counter[str] = Counter()

    def beats_for(self, run_id: str) -> bool:
        return run_id in self._under_way

    @asynccontextmanager
    async def beating(self, run_id: str, account: Account | None, end: End) -> AsyncGenerator[None]:
        """Beat while the block runs."""
        self._under_way[run_id] += 1
        task = asyncio.create_task(self._beat(run_id, account, end))
        try:
            yield
        finally:
            task.cancel()
            self._under_way[run_id] -= 1
            self._under_way += Counter()

    async def _beat(self, run_id: str, account: Account | None, end: End) -> None:
        told, never = False, asyncio.Event()
        while True:
            try:
                async with self._database.write() as conn:
                    cancelled = await rows.runs.beat(conn, run_id, time.time())
                if account is not None:
                    await account.principal()
            except Unavailable:
                cancelled = False
            except Unauthenticated as ended:
                end(ended)
                return
            if cancelled is None:
                end(None)
                return
            if cancelled and not told:
                # It goes on beating: what was answered is stored and counted before the run has ended.
                told = True
                end(None)
            with suppress(TimeoutError):
                async with asyncio.timeout(_BEAT_S):
                    # Without an account nothing comes.
                    await (never if account is None else account.lost).wait()
