"""Runs of a session: created, looked at, cancelled, retried."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from time import monotonic

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.errors import Conflict, InvalidRequest, NotFound, RateLimited
from ownkey.domain.ids import new_id
from ownkey.storage import jobs
from ownkey.storage import workbench as rows
from ownkey.storage.database import Database
from ownkey.storage.workbench import StoredRun, WorkbenchSession
from ownkey.workbench.engine import preferences_of, turns
from ownkey.workbench.figures import Figures
from ownkey.workbench.hosting.executor import RunExecutor
from ownkey.workbench.hosting.feed import RunFeed
from ownkey.workbench.hosting.limits import Limits
from ownkey.workbench.hosting.run_store import RUN_JOB, RowRunStore, decode_result, job_key, stored_results
from ownkey.workbench.hosting.suites import SuiteStore
from ownkey.workbench.preview import Estimate, Preview
from ownkey.workbench.records import Prompt, Result, RunPlan, RunStatus
from ownkey.workbench.summary import RunSummary

_KEPT_S = 1.0
"""Computing figures reads all results and draws thousands of samples: an impatient client must not slow down the calls
that are being measured."""


class _Computation(Struct, frozen=True):
    begun: float
    computing: "asyncio.Future[RunSummary]"

    def is_fresh(self) -> bool:
        return not self.computing.done() or monotonic() - self.begun < _KEPT_S


class LiveFigures:
    """Figures of runs under way, computed at most once per second however many clients ask. `compute` gives the figures
    of what a run has brought so far."""

    def __init__(self, compute: Callable[[str, RunPlan], Awaitable[RunSummary]]) -> None:
        self._compute = compute
        self._known: dict[str, _Computation] = {}

    async def of(self, run_id: str, plan: RunPlan) -> RunSummary:
        """Figures that are at most a second old, or being computed already. Raises as `compute` does."""
        self._known = {id_: glance for id_, glance in self._known.items() if glance.is_fresh()}
        glance = self._known.get(run_id)
        if glance is None:
            computing = asyncio.ensure_future(self._compute(run_id, plan))
            glance = self._known[run_id] = _Computation(monotonic(), computing)
        # Whoever leaves does not take it from the others.
        return await asyncio.shield(glance.computing)


_OPEN = (RunStatus.PENDING, RunStatus.RUNNING)


class Run(Struct, frozen=True):
    """A run as it is looked at: its row, its plan, and its figures where it has ended."""

    row: StoredRun
    plan: RunPlan
    summary: RunSummary | None


class RunService:
    """Creates and ends runs. Callers have checked who may see the session. `wake` is called when a run was enqueued."""

    def __init__(
        self,
        database: Database,
        suites: SuiteStore,
        executor: RunExecutor,
        feed: RunFeed,
        wake: Callable[[], None],
    ) -> None:
        self._database = database
        self._suites = suites
        self._executor = executor
        self._live = LiveFigures(self._computed)
        self._feed = feed
        self._wake = wake

    async def preview(self, plan: RunPlan) -> Preview:
        """What a run may cost; nothing is sent."""
        estimate = Estimate(plan)
        async for prompt in self._suites.source(plan.suite)():
            if not estimate.add(prompt):
                break
        return estimate.preview()

    async def create(self, session: WorkbenchSession, plan: RunPlan, limits: Limits) -> Run:
        """Store a run and begin it. Raises InvalidRequest for a plan beyond the session's limits, RateLimited while as
        many runs as it may have go on."""
        plan = _within(plan, session, limits)
        row = StoredRun(
            id=new_id("wrun"),
            session_id=session.id,
            suite_id=plan.suite.id,
            plan=msgspec.json.encode(plan),
            status=RunStatus.PENDING.value,
            total=plan.total,
            created_at=time.time(),
        )
        async with self._database.write() as conn:
            await _find_room(conn, session, limits)
            if len(await rows.runs.list_of_session(conn, session.id)) >= limits.runs:
                raise InvalidRequest(f"A session has at most {limits.runs} runs: delete one, or begin another session.")
            await rows.runs.create(conn, row)
            await jobs.enqueue(conn, RUN_JOB, job_key(row.id, row.round), row.created_at)
        self._wake()
        return Run(row, plan, None)

    async def find(self, run_id: str) -> Run:
        """A run, whosever it is: the caller compares its session. Raises NotFound."""
        async with self._database.read() as conn:
            row = await rows.runs.get(conn, run_id)
        if row is None:
            raise NotFound("There is no run with this id.")
        summary = None if row.summary is None else msgspec.json.decode(row.summary, type=RunSummary)
        return Run(row, msgspec.json.decode(row.plan, type=RunPlan), summary)

    async def of_session(self, session: WorkbenchSession) -> list[StoredRun]:
        """The session's runs, newest first."""
        async with self._database.read() as conn:
            return await rows.runs.list_of_session(conn, session.id)

    async def figures(self, run: Run) -> RunSummary:
        """The stored figures of an ended run; of one that goes on, those of what is there."""
        if run.summary is not None and run.row.status not in _OPEN:
            return run.summary
        if run.row.status in _OPEN:
            return await self._live.of(run.row.id, run.plan)
        return await self._computed(run.row.id, run.plan)

    async def results(self, run: Run) -> AsyncGenerator[tuple[Prompt, Result]]:
        """Each result with its prompt, in the order in which they came. A prompt of a suite deleted since has its id
        alone."""
        prompts = self._suites.pages(run.plan.suite)
        async for result in stored_results(self._database, run.row.id):
            prompt = await prompts.get(result.slot.position)
            yield prompt or Prompt(result.prompt_id, ()), result

    async def page(self, run: Run, after: int, count: int) -> tuple[list[tuple[Prompt, Result]], bool]:
        """At most `count` results that came after number `after`, each with its prompt; whether there are more."""
        async with self._database.read() as conn:
            found = await rows.results.after(conn, run.row.id, after, count + 1)
        page: list[tuple[Prompt, Result]] = []
        prompts = self._suites.pages(run.plan.suite)
        for row in found[:count]:
            result = decode_result(row)
            prompt = await prompts.get(result.slot.position)
            page.append((prompt or Prompt(result.prompt_id, ()), result))
        return page, len(found) > count

    async def cancel(self, run: Run) -> None:
        """Ask for the end of a run. Raises Conflict when it has ended."""
        async with self._database.write() as conn:
            if not await rows.runs.request_cancel(conn, run.row.id):
                raise Conflict("The run has ended already.")
        self._executor.stop(run.row.id)
        self._feed.ring(run.row.id)

    async def retry_failed(self, session: WorkbenchSession, run: Run, limits: Limits) -> None:
        """Retry the calls that failed, and make those that were not made; answers remain. Raises Conflict while the run
        is running or when nothing is left to do, RateLimited while as many runs as the session may have are running."""
        async with self._database.write() as conn:
            failed = await rows.results.count_failed(conn, run.row.id)
            if run.row.status not in _OPEN and not failed and run.row.done >= run.row.total:
                raise Conflict("Every prompt of the run has its answer: there is nothing to retry.")
            if run.row.status not in _OPEN:
                await _find_room(conn, session, limits)
            round_ = await rows.runs.again(conn, run.row.id)
            if round_ is None:
                raise Conflict("The run is still running: cancel it first, or wait for its end.")
            await jobs.enqueue(conn, RUN_JOB, job_key(run.row.id, round_), time.time())
        self._wake()

    async def _computed(self, run_id: str, plan: RunPlan) -> RunSummary:
        """The figures of what is there. The numbers are computed off the event loop."""
        state = await RowRunStore(self._database, run_id, 1, self._feed.ring).state()
        figures = Figures(plan)
        async for result in turns(stored_results(self._database, run_id)):
            figures.add(result)
        summary = await asyncio.to_thread(figures.summary, preferences_of(plan, state.judgements))
        return replace(summary, spent=state.spending.reported())


async def _find_room(conn: AsyncConnection, session: WorkbenchSession, limits: Limits) -> None:
    """Raises RateLimited while as many runs as may be go on. To be called in the transaction that begins one, so that
    two at once cannot both find room."""
    await rows.sessions.lock(conn, session.id)
    if await rows.runs.count_open(conn, session.id) >= limits.runs_at_once:
        text = f"At most {limits.runs_at_once} run(s) of a session go on at once: wait for one, or cancel it."
        raise RateLimited(text, retry_after=10.0)


def _within(plan: RunPlan, session: WorkbenchSession, limits: Limits) -> RunPlan:
    calls = plan.total + plan.warm_up * len(plan.targets)
    if not plan.total:
        raise InvalidRequest("The suite has no prompts.", param="suite_id")
    _check("concurrency", plan.concurrency, limits.concurrency)
    _check("max_tokens", plan.sampling.max_tokens, limits.max_tokens)
    _check("timeout_ms", plan.sampling.timeout_ms, limits.timeout_ms)
    if calls > limits.calls_a_run:
        text = f"The run would make {calls} calls, and {limits.calls_a_run} are the most here: lower limit or repeats."
        raise InvalidRequest(text, param="limit")
    if session.user_id is None and (plan.judge is not None or plan.embedding_model is not None):
        raise InvalidRequest("A judge and embeddings are paid by an account: sign in to use them.", param="judge")
    if plan.max_cost is not None:
        _check_prices(plan)
    if limits.run_ms_per_prompt is None:
        return plan
    # Ten prompts have five minutes, one after the other; more at once need no more time.
    deadline = limits.run_ms_per_prompt * max(calls / plan.concurrency, 10.0)
    return replace(plan, deadline_ms=deadline)


def _check_prices(plan: RunPlan) -> None:
    if any(target.prices is None for target in plan.targets):
        text = "A spending limit needs prices: give the model's prices in USD per million tokens with the endpoint."
        raise InvalidRequest(text, param="max_cost_usd")
    models = (
        (plan.judge and plan.judge.model, plan.judge_prices, "judge"),
        (plan.embedding_model, plan.embedding_prices, "embedding_model"),
    )
    for model, prices, param in models:
        if model is not None and prices is None:
            text = f"A spending limit needs prices, and none are known for {model}: choose another model, or no limit."
            raise InvalidRequest(text, param=param)


def _check(param: str, value: float, most_: float) -> None:
    if value > most_:
        raise InvalidRequest(f"{param} is at most {most_:g} here.", param=param)
