"""Makes the calls of a stored run, as the durable jobs ask for it. After a crash it goes on where the results end."""

import asyncio
import time
from weakref import WeakValueDictionary

import msgspec

from ownkey.domain.errors import Conflict, OwnkeyError, SecretUnreadable, Unauthenticated, Unavailable
from ownkey.storage import workbench as rows
from ownkey.storage.database import Database
from ownkey.storage.workbench import StoredRun, WorkbenchSession
from ownkey.workbench.engine import Ending, Purse, Runner
from ownkey.workbench.hosting.account import Account
from ownkey.workbench.hosting.beating import Heart
from ownkey.workbench.hosting.feed import RunFeed
from ownkey.workbench.hosting.grading import GraderFactory
from ownkey.workbench.hosting.keeping import Keeper, keep_spending, patiently, purse_of
from ownkey.workbench.hosting.suites import SuiteStore
from ownkey.workbench.hosting.targets import TargetStore
from ownkey.workbench.records import RunPlan, RunStatus, Slot


class CarryingOut:
    """Runs under way in this process."""

    def __init__(
        self,
        database: Database,
        targets: TargetStore,
        suites: SuiteStore,
        graders: GraderFactory,
        feed: RunFeed,
        heart: Heart,
    ) -> None:
        self._database = database
        self._targets = targets
        self._suites = suites
        self._graders = graders
        self._feed = feed
        self._heart = heart
        self._runners: dict[str, Runner] = {}
        self._alone: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def stop(self, run_id: str) -> None:
        """End a run that this process carries out, at once. Others see it within a second."""
        runner = self._runners.get(run_id)
        if runner is not None:
            runner.stop()

    async def execute(self, run_id: str, round_: int) -> str | None:
        """See `JobWork.execute`."""
        # A run that was taken up for dead while it still went on here is carried out by one of the two at a time.
        alone = self._alone.setdefault(run_id, asyncio.Lock())
        async with alone:
            async with self._database.write() as conn:
                run = await rows.runs.get(conn, run_id)
                session = None if run is None else await rows.sessions.get(conn, run.session_id)
                if run is None or session is None or not await rows.runs.begin(conn, run_id, round_, time.time()):
                    return None
            self._feed.ring(run_id)
            if run.cancel_requested:
                return Ending.STOPPED.value
            return await self._carry_out(session, run, round_)

    async def _carry_out(self, session: WorkbenchSession, run: StoredRun, round_: int) -> str | None:
        plan = msgspec.json.decode(run.plan, type=RunPlan)
        account = self._targets.account(session, plan.peer)
        try:
            purse = purse_of(run, plan)
            runner = await self._runner(session, run, plan, round_, account, purse)
        except OwnkeyError as error:
            if isinstance(error, Unavailable) and not isinstance(error, SecretUnreadable):
                raise
            await self.broken(run.id, round_, error)
            return None
        lost: list[Unauthenticated] = []

        def end(reason: Unauthenticated | None) -> None:
            if reason is not None:
                lost.append(reason)
            runner.stop()

        self._runners[run.id] = runner
        try:
            async with self._heart.beating(run.id, account, end):
                ending = await runner.run()
                # Grading that was broken off with the run may have cost something after the last result.
                await keep_spending(self._database, run.id, purse)
        except Conflict:
            # The session was erased, and the run with it.
            return None
        finally:
            del self._runners[run.id]
        if lost:
            await self.broken(run.id, round_, lost[0])
            return None
        return ending.value

    async def _runner(
        self,
        session: WorkbenchSession,
        run: StoredRun,
        plan: RunPlan,
        round_: int,
        account: Account | None,
        purse: Purse,
    ) -> Runner:
        callers = [await self._targets.caller(session, target, account) for target in plan.targets]
        async with self._database.read() as conn:
            settled = {Slot(*key) for key in await rows.results.settled(conn, run.id, round_)}
            seq = await rows.results.last_seq(conn, run.id)
        done = sum(slot.repeat >= 0 for slot in settled)
        keeper = Keeper(self._database, run.id, round_, seq, done, purse, self._feed.ring)
        return Runner(
            plan=plan,
            callers=callers,
            grader=self._graders.grader(account, plan, purse),
            source=self._suites.source(plan.suite),
            keep=keeper.keep,
            settled=settled,
            purse=purse,
        )

    async def broken(self, run_id: str, round_: int, error: OwnkeyError) -> None:
        """The run cannot begin or go on: say why, where its owner looks."""

        async def end() -> None:
            async with self._database.write() as conn:
                await rows.runs.end(conn, run_id, round_, RunStatus.FAILED, error.public, None, time.time())

        await patiently(end)
        self._feed.ring(run_id)
