"""What the durable jobs carry out, joined."""

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from ownkey.domain.errors import NotFound, OwnkeyError, Unavailable
from ownkey.storage import workbench as rows
from ownkey.storage.database import Database
from ownkey.workbench.hosting.beating import Heart
from ownkey.workbench.hosting.carrying_out import CarryingOut
from ownkey.workbench.hosting.concluding import Concluding
from ownkey.workbench.hosting.erasing import Eraser
from ownkey.workbench.hosting.sessions import SessionStore

_BROKEN = OwnkeyError("The run broke off by an error of Ownkey's own: retry what has failed, and tell the operator.")

log = structlog.get_logger(__name__)


class Jobs(Protocol):
    """The durable jobs, as a sweep needs them."""

    async def take_up(self, run_id: str, round_: int) -> bool:
        """Carry on a round that nobody carries out; False when it broke off by an exception, as it would again."""
        ...

    async def remembered(self) -> dict[str, int]:
        """The runs of which something is stored, with their last rounds."""
        ...

    async def forget(self, workflows: Sequence[tuple[str, int]]) -> int:
        """Delete what is stored of runs, each by its id and last round; how much there was."""
        ...


class Work:
    """Implements `JobWork`. A run of which nothing was heard for `silent_s` seconds is taken up."""

    def __init__(
        self,
        database: Database,
        sessions: SessionStore,
        carrying: CarryingOut,
        concluding: Concluding,
        eraser: Eraser,
        heart: Heart,
        jobs: Jobs,
        silent_s: float,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._carrying = carrying
        self._eraser = eraser
        self._heart = heart
        self._jobs = jobs
        self._silent_s = silent_s
        self._silent: dict[tuple[str, int], float] = {}
        self.execute = carrying.execute
        self.pairs = concluding.pairs
        self.judge = concluding.judge
        self.conclude = concluding.conclude

    async def sweep(self) -> None:
        """Erase sessions whose time is over, take up runs whose process did not come back, and forget jobs whose runs
        are gone with their owner."""
        await self._erase_expired()
        await self._take_up_silent()
        await self._forget_ownerless()

    async def _erase_expired(self) -> None:
        count = 0
        while expired := await self._sessions.expired():
            for session_id in expired:
                # Its creator, or another process, was first.
                with suppress(NotFound):
                    await self._eraser.erase(session_id)
                    count += 1
        if count:
            log.info("expired workbench sessions erased", count=count)

    async def _take_up_silent(self) -> None:
        """Silence counts from when it was first noticed, too: when the database comes back after a while, all runs
        have been silent, and those that go on say so within seconds."""
        now = time.monotonic()
        try:
            async with self._database.read() as conn:
                silent = await rows.runs.abandoned(conn, time.time() - self._silent_s)
        except Unavailable:
            self._silent.clear()
            raise
        self._silent = {each: self._silent.get(each, now) for each in silent if not self._heart.beats_for(each[0])}
        for (run_id, round_), noticed in list(self._silent.items()):
            if now - noticed < self._silent_s / 4:
                continue
            log.warning("a workbench run that nobody carries out is taken up")
            if not await self._jobs.take_up(run_id, round_):
                await self._carrying.broken(run_id, round_, _BROKEN)
            del self._silent[run_id, round_]

    async def _forget_ownerless(self) -> None:
        remembered = await self._jobs.remembered()
        async with self._database.read() as conn:
            existing = await rows.runs.existing(conn, list(remembered))
        gone = [(run_id, last) for run_id, last in remembered.items() if run_id not in existing]
        if gone:
            await self._jobs.forget(gone)
