"""Ends a run: a judge's preferences, the figures, the status."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from ownkey.storage import workbench as rows
from ownkey.storage.database import Database
from ownkey.workbench.engine import Ending, side_by_side
from ownkey.workbench.figures import Figures
from ownkey.workbench.graders.finding import Ungradable
from ownkey.workbench.graders.judge import Judge
from ownkey.workbench.graders.preference import PreferenceTally
from ownkey.workbench.hosting.beating import Heart
from ownkey.workbench.hosting.feed import RunFeed, decode_result
from ownkey.workbench.hosting.grading import GraderFactory
from ownkey.workbench.hosting.keeping import keep_spending, patiently, purse_of, spending_of
from ownkey.workbench.hosting.suites import SuiteStore
from ownkey.workbench.hosting.targets import TargetStore
from ownkey.workbench.records import Prompt, Result, RunPlan, RunStatus
from ownkey.workbench.summary import Preference, RunSummary, Verdict

_PAGE = 200
_TURN = 4
"""Results that are counted in one turn of the event loop: thirty microseconds each, where answers have fifty chunks."""
_UNJUDGED, _FLIPPED = "-", "flip"

_DETAILS = {
    Ending.FINISHED: "",
    Ending.STOPPED: "Cancelled before all prompts were sent; what was answered is kept.",
    Ending.OUT_OF_TIME: "The run's time was over before all prompts were sent: retry the rest, or ask for less.",
    Ending.OUT_OF_MONEY: "The next call could have passed the run's spending limit: make a run with a higher one.",
}
_NOT_JUDGED = "Cancelled while the judge compared the answers; all of them are kept."
_ALL_FAILED = "Every prompt failed: the failures below say why."


class Concluding:
    """The last steps of a run."""

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

    async def pairs(self, run_id: str) -> int:
        """See `JobWork.pairs`."""
        return len(await self._pairs(run_id))

    async def judge(self, run_id: str, start: int, count: int) -> list[str]:
        """See `JobWork.judge`: `1:a` says that of targets 0 and 1 the judge preferred the first; `b` the second,
        `cannot_tell` neither, `flip` that it contradicted itself when the order was turned, `-` that it did not say."""
        async with self._database.read() as conn:
            run = await rows.runs.get(conn, run_id)
            session = None if run is None else await rows.sessions.get(conn, run.session_id)
        if run is None or session is None:
            return []
        plan = msgspec.json.decode(run.plan, type=RunPlan)
        account, purse = self._targets.account(session, plan.peer), purse_of(run, plan)
        judge = self._graders.judge(account, plan, purse)
        stopped = asyncio.Event()
        if run.cancel_requested:
            stopped.set()
        prompts = self._suites.pages(plan.suite)

        async def compare(other: int, position: int) -> str:
            word = _UNJUDGED
            if judge is not None and not stopped.is_set():
                word = await self._preferred(judge, run_id, await prompts.get(position), other, position)
                await keep_spending(self._database, run_id, purse)
            return f"{other}:{word}"

        async with self._heart.beating(run_id, account, lambda _: stopped.set()):
            pairs = (await self._pairs(run_id))[start : start + count]
            outcomes = await side_by_side(plan.concurrency, [partial(compare, *pair) for pair in pairs])
            # Of two that were stored at once, the earlier may have come last.
            await keep_spending(self._database, run_id, purse)
        return outcomes

    async def _preferred(self, judge: Judge, run_id: str, prompt: Prompt | None, other: int, position: int) -> str:
        first = await self._answer(run_id, 0, position)
        second = await self._answer(run_id, other, position)
        if prompt is None or first is None or second is None:
            return _UNJUDGED
        try:
            preferred, flipped = await judge.prefer(prompt, first, second)
        except Ungradable:
            return _UNJUDGED
        return _FLIPPED if flipped else preferred.value

    async def conclude(self, run_id: str, round_: int, ending: str, outcomes: Sequence[str]) -> None:
        """See `JobWork.conclude`."""
        async with self._database.read() as conn:
            run = await rows.runs.get(conn, run_id)
        if run is None:
            return
        plan = msgspec.json.decode(run.plan, type=RunPlan)
        async with self._heart.beating(run_id, None, lambda _: None):
            summary = await self.summary(run_id, plan, outcomes)
        answered = sum(target.success.count for target in summary.targets)
        asked = sum(target.requests for target in summary.targets)
        status, detail = _status(Ending(ending), answered, asked)
        if (
            status is RunStatus.COMPLETED
            and run.cancel_requested
            and any(each.endswith(_UNJUDGED) for each in outcomes)
        ):
            status, detail = RunStatus.CANCELLED, _NOT_JUDGED

        async def end() -> None:
            async with self._database.write() as conn:
                encoded = msgspec.json.encode(summary)
                await rows.runs.end(conn, run_id, round_, status, detail, encoded, time.time())

        await patiently(end)
        self._feed.ring(run_id)

    async def summary(self, run_id: str, plan: RunPlan, outcomes: Sequence[str] = ()) -> RunSummary:
        """The figures of what is there. The numbers are computed off the event loop."""
        async with self._database.read() as conn:
            run = await rows.runs.get(conn, run_id)
        figures = Figures(plan)
        counted = 0
        async for result in self.results(run_id):
            figures.add(result)
            counted += 1
            if not counted % _TURN:
                # A whole page at a stretch would show in the times of the calls that are under way.
                await asyncio.sleep(0)
        summary = await asyncio.to_thread(figures.summary, _preferences(plan, outcomes))
        return summary if run is None else replace(summary, spent=spending_of(run).told())

    async def results(self, run_id: str) -> AsyncGenerator[Result]:
        """A run's results in the order in which they came, a page at a time in memory."""
        after = 0
        while True:
            async with self._database.read() as conn:
                page = await rows.results.after(conn, run_id, after, _PAGE)
            for row in page:
                yield decode_result(row)
            if len(page) < _PAGE:
                return
            after = page[-1].seq

    async def _pairs(self, run_id: str) -> list[tuple[int, int]]:
        """(the other target, position) of the answers to be compared with the first target's: one repetition."""
        async with self._database.read() as conn:
            run = await rows.runs.get(conn, run_id)
            if run is None or msgspec.json.decode(run.plan, type=RunPlan).judge is None:
                return []
            answered = await rows.results.answered(conn, run_id, 0)
        first = {position for target, position in answered if target == 0}
        return [(target, position) for target, position in answered if target > 0 and position in first]

    async def _answer(self, run_id: str, target: int, position: int) -> str | None:
        async with self._database.read() as conn:
            row = await rows.results.one(conn, run_id, target, position, 0)
        return None if row is None else decode_result(row).observation.text


def _status(ending: Ending, answered: int, asked: int) -> tuple[RunStatus, str]:
    if ending is Ending.STOPPED:
        return RunStatus.CANCELLED, _DETAILS[ending]
    if asked and not answered:
        # One that was cut short did not send every prompt, and why is told, too.
        cut_short = f"Every prompt that was sent failed. {_DETAILS[ending]}"
        return RunStatus.FAILED, _ALL_FAILED if ending is Ending.FINISHED else cut_short
    return RunStatus.COMPLETED, _DETAILS[ending]


def _preferences(plan: RunPlan, outcomes: Sequence[str]) -> dict[tuple[int, int], Preference]:
    if plan.judge is None:
        return {}
    tallies: dict[int, PreferenceTally] = {}
    for outcome in outcomes:
        other, _, word = outcome.partition(":")
        tally = tallies.setdefault(int(other), PreferenceTally(plan.judge.model))
        if word == _UNJUDGED:
            tally.add_unjudged()
        elif word == _FLIPPED:
            tally.add(Verdict.CANNOT_TELL, flipped=True)
        else:
            tally.add(Verdict(word), flipped=False)
    found = {(0, other): tally.preference() for other, tally in tallies.items()}
    return {pair: preference for pair, preference in found.items() if preference is not None}
