"""Figures of a run under way are computed once for all who look within a second."""

import asyncio

import pytest

from ownkey.domain.errors import Unavailable
from ownkey.workbench.hosting.runs import LiveFigures
from ownkey.workbench.records import RunPlan, SuiteInfo
from ownkey.workbench.summary import RunSummary

PLAN = RunPlan(suite=SuiteInfo(id="s", name="s", prompts=1), targets=())


class Counting:
    def __init__(self, failure: Exception | None = None) -> None:
        self.count = 0
        self.go_on = asyncio.Event()
        self._failure = failure

    async def compute(self, run_id: str, plan: RunPlan) -> RunSummary:
        self.count += 1
        await self.go_on.wait()
        if self._failure is not None:
            raise self._failure
        return RunSummary(targets=())


async def test_all_who_look_at_once_share_a_computation_and_one_who_leaves_does_not_end_it() -> None:
    work = Counting()
    live = LiveFigures(work.compute)
    looking = [asyncio.create_task(live.of("a", PLAN)) for _ in range(20)]
    other = asyncio.create_task(live.of("b", PLAN))
    await asyncio.sleep(0)
    looking[0].cancel()
    work.go_on.set()
    found = await asyncio.gather(*looking[1:], other)
    assert work.count == 2
    assert all(each is found[0] for each in found[:-1])


async def test_an_older_one_is_computed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ownkey.workbench.hosting.runs._KEPT_S", 0.0)
    work = Counting()
    work.go_on.set()
    live = LiveFigures(work.compute)
    for _ in range(3):
        await live.of("a", PLAN)
    assert work.count == 3


async def test_a_failure_is_told_to_all_who_wait() -> None:
    work = Counting(Unavailable("The database is away."))
    live = LiveFigures(work.compute)
    looking = [asyncio.create_task(live.of("a", PLAN)) for _ in range(3)]
    await asyncio.sleep(0)
    work.go_on.set()
    found = await asyncio.gather(*looking, return_exceptions=True)
    assert [type(each) for each in found] == [Unavailable] * 3
    assert work.count == 1
