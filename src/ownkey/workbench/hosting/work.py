"""What the durable jobs carry out, joined."""

import time
from contextlib import suppress
from typing import Protocol

import structlog

from ownkey.domain.errors import NotFound
from ownkey.storage import workbench as rows
from ownkey.storage.database import Database
from ownkey.workbench.hosting.carrying_out import CarryingOut
from ownkey.workbench.hosting.concluding import Concluding
from ownkey.workbench.hosting.erasing import Eraser
from ownkey.workbench.hosting.sessions import SessionBook

_SILENT_S = 120.0

log = structlog.get_logger(__name__)


class JobStarter(Protocol):
    """Begins durable work."""

    async def start(self, run_id: str, round_: int) -> None:
        """Begin a round of a run; nothing happens when that was begun already."""
        ...

    async def take_up(self, run_id: str, round_: int) -> None:
        """Carry on a round that another process left."""
        ...


class Work:
    """Implements `JobWork`."""

    def __init__(
        self,
        database: Database,
        sessions: SessionBook,
        carrying: CarryingOut,
        concluding: Concluding,
        eraser: Eraser,
        jobs: JobStarter,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._eraser = eraser
        self._jobs = jobs
        self.execute = carrying.execute
        self.pairs = concluding.pairs
        self.judge = concluding.judge
        self.conclude = concluding.conclude

    async def sweep(self) -> None:
        """Erase sessions whose time is over, and take up runs whose process did not come back."""
        async with self._database.read() as conn:
            silent = await rows.runs.abandoned(conn, time.time() - _SILENT_S)
        for run_id, round_ in silent:
            await self._jobs.take_up(run_id, round_)
        count = 0
        while expired := await self._sessions.expired():
            for session_id in expired:
                # Its creator, or another process, was first.
                with suppress(NotFound):
                    await self._eraser.erase(session_id)
                    count += 1
        if count:
            log.info("expired workbench sessions erased", count=count)
