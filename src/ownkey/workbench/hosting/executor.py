"""The durable job of a run: its parts from rows, its execution, and the watch over its owner's wishes and rights."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import msgspec

from ownkey.domain.errors import Conflict, OwnkeyError, SecretUnreadable, Unauthenticated, Unavailable
from ownkey.gateway import Gateway
from ownkey.jobs import Job
from ownkey.storage import workbench as rows
from ownkey.storage.database import Database
from ownkey.storage.workbench import StoredRun, WorkbenchSession
from ownkey.workbench.endpoint import Clock, EmbeddingCaller, EndpointCaller
from ownkey.workbench.engine import (
    PayingCaller,
    PayingEmbedder,
    Purse,
    RunExecution,
)
from ownkey.workbench.graders import Graders
from ownkey.workbench.graders.judge import Judge
from ownkey.workbench.graders.schema_workers import SchemaWorkers
from ownkey.workbench.hosting.account import Account, GatewayTransport
from ownkey.workbench.hosting.feed import RunFeed
from ownkey.workbench.hosting.run_store import RUN_JOB, RowRunStore
from ownkey.workbench.hosting.suites import SuiteStore
from ownkey.workbench.hosting.targets import TargetStore
from ownkey.workbench.records import EndpointKind, RunPlan, RunStatus, Target

_WATCH_S = 1.0
_BROKEN = OwnkeyError("The run failed because of an error in Ownkey: retry what has failed, and tell the operator.")


class RunExecutor:
    """Carries out runs in this process. After a crash a run continues where its results end."""

    def __init__(
        self,
        database: Database,
        targets: TargetStore,
        suites: SuiteStore,
        gateway: Gateway,
        clock: Clock,
        schemas: SchemaWorkers,
        feed: RunFeed,
    ) -> None:
        self._database = database
        self._targets = targets
        self._suites = suites
        self._gateway = gateway
        self._clock = clock
        self._schemas = schemas
        self._feed = feed
        self._executions: dict[str, RunExecution] = {}

    @property
    def job(self) -> Job:
        return Job(name=RUN_JOB, work=self._run, dead=self._fail)

    def stop(self, run_id: str) -> None:
        """End a run that this process carries out, at once. Other processes notice within a second."""
        execution = self._executions.get(run_id)
        if execution is not None:
            execution.stop()

    async def _run(self, key: str) -> None:
        run_id, round_ = _parsed(key)
        async with self._database.write() as conn:
            run = await rows.runs.get(conn, run_id)
            session = None if run is None else await rows.sessions.get(conn, run.session_id)
            if run is None or session is None or not await rows.runs.begin(conn, run_id, round_, time.time()):
                return
        self._feed.ring(run_id)
        store = RowRunStore(self._database, run_id, round_, self._feed.ring)
        plan = msgspec.json.decode(run.plan, type=RunPlan)
        account = self._targets.account(session, plan.peer)
        # A run that was erased has nothing left to write to.
        with suppress(Conflict):
            try:
                execution = await self._execution(session, plan, store, account)
            except OwnkeyError as error:
                if isinstance(error, Unavailable) and not isinstance(error, SecretUnreadable):
                    raise
                await store.end(RunStatus.FAILED, error.public, None)
                return
            if run.cancel_requested:
                execution.stop()
            async with self._watched(run, account, execution):
                await execution.run()

    async def _fail(self, key: str) -> None:
        """Record that a run broke off by an error of ours, as it would again."""
        run_id, round_ = _parsed(key)
        store = RowRunStore(self._database, run_id, round_, self._feed.ring)
        await store.end(RunStatus.FAILED, _BROKEN.public, None)

    async def _execution(
        self, session: WorkbenchSession, plan: RunPlan, store: RowRunStore, account: Account | None
    ) -> RunExecution:
        callers = [await self._targets.caller(session, target, account) for target in plan.targets]
        state = await store.state()
        purse = Purse(plan.max_cost, state.spending)
        judge, embedder = self._judge(account, plan, purse), self._embedder(account, plan, purse)
        return RunExecution(
            plan=plan,
            store=store,
            state=state,
            purse=purse,
            callers=callers,
            grader=Graders(judge=judge, embedder=embedder, schemas=self._schemas),
            judge=judge,
            source=self._suites.source(plan.suite),
        )

    def _judge(self, account: Account | None, plan: RunPlan, purse: Purse) -> Judge | None:
        """The run's judge, reached through this gateway and paid by the account; without one there is none."""
        if plan.judge is None or account is None:
            return None
        model = plan.judge.model
        target = Target(
            id="judge",
            label="judge",
            kind=EndpointKind.GATEWAY,
            model=model,
            credential=plan.judge.credential,
            prices=plan.judge_prices,
        )
        transport = GatewayTransport(self._gateway, account, plan.judge.credential)
        return Judge(PayingCaller(EndpointCaller(transport, target, self._clock), target, purse), model)

    def _embedder(self, account: Account | None, plan: RunPlan, purse: Purse) -> PayingEmbedder | None:
        if plan.embedding_model is None or account is None:
            return None
        caller = EmbeddingCaller(GatewayTransport(self._gateway, account), plan.embedding_model)
        return PayingEmbedder(caller, plan.embedding_prices, purse)

    @asynccontextmanager
    async def _watched(self, run: StoredRun, account: Account | None, execution: RunExecution) -> AsyncGenerator[None]:
        """While the block runs, stop the execution when its owner wishes, or when the rights of its account end."""
        self._executions[run.id] = execution
        watch = asyncio.create_task(self._watch(run.id, account, execution))
        try:
            yield
        finally:
            watch.cancel()
            del self._executions[run.id]

    async def _watch(self, run_id: str, account: Account | None, execution: RunExecution) -> None:
        never = asyncio.Event()
        while True:
            with suppress(Unavailable):
                async with self._database.read() as conn:
                    progress = await rows.runs.progress(conn, run_id)
                if progress is None or progress.cancel_requested:
                    execution.stop()
                    return
                if account is not None:
                    try:
                        await account.principal()
                    except Unauthenticated as ended:
                        execution.stop(ended)
                        return
            with suppress(TimeoutError):
                async with asyncio.timeout(_WATCH_S):
                    await (never if account is None else account.lost).wait()


def _parsed(key: str) -> tuple[str, int]:
    run_id, _, round_ = key.rpartition(":")
    return run_id, int(round_)
