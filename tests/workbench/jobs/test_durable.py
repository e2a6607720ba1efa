"""The durable jobs by themselves: the library with a database of its own, and work that a test scripts."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ownkey.domain.errors import Unavailable
from ownkey.workbench.jobs import DurableJobs
from ownkey.workbench.jobs.bridge import LoopBridge, ServerStops


class Scripted:
    """Work that counts what it is asked for. `away` times each step finds no database."""

    def __init__(self, away: int = 0, broken: bool = False) -> None:
        self.jobs: DurableJobs
        self.asked: Counter[str] = Counter()
        self.concluded: asyncio.Queue[tuple[str, int, str, tuple[str, ...]]] = asyncio.Queue()
        self.swept: asyncio.Queue[dict[str, int]] = asyncio.Queue()
        self.under_way = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self._away = away
        self._broken = broken

    async def execute(self, run_id: str, round_: int) -> str | None:
        self._count("execute")
        self.under_way.set()
        await self.go_on.wait()
        if self._broken:
            raise ZeroDivisionError
        return None if run_id == "gone" else "finished"

    async def pairs(self, run_id: str) -> int:
        self._count("pairs")
        return 10

    async def judge(self, run_id: str, start: int, count: int) -> list[str]:
        self._count("judge")
        return [f"1:{number}" for number in range(start, min(start + count, 10))]

    async def conclude(self, run_id: str, round_: int, ending: str, outcomes: Sequence[str]) -> None:
        self._count("conclude")
        self.concluded.put_nowait((run_id, round_, ending, tuple(outcomes)))

    async def sweep(self) -> None:
        self.swept.put_nowait(await self.jobs.remembered())

    def _count(self, step: str) -> None:
        self.asked[step] += 1
        if self.asked[step] <= self._away:
            raise Unavailable("The database is away.")


@asynccontextmanager
async def running(folder: Path, work: Scripted, name: str = "one") -> AsyncGenerator[DurableJobs]:
    jobs = DurableJobs(f"sqlite:///{folder / 'jobs.db'}", name, asyncio.get_running_loop())
    work.jobs = jobs
    task = asyncio.create_task(jobs.run(work))
    try:
        yield jobs
    finally:
        task.cancel()
        await asyncio.wait([task])
        await jobs.close()


async def test_a_run_is_executed_judged_in_batches_and_concluded(tmp_path: Path) -> None:
    work = Scripted()
    async with running(tmp_path, work) as jobs:
        await jobs.start("run", 1)
        await jobs.start("run", 1)
        assert await work.concluded.get() == ("run", 1, "finished", tuple(f"1:{number}" for number in range(10)))
        assert work.asked == {"execute": 1, "pairs": 1, "judge": 2, "conclude": 1}
        assert await jobs.remembered() == {"run": 1}
        assert await jobs.forget([("run", 1), ("never", 3)]) == 1
        assert await jobs.remembered() == {}


async def test_each_step_waits_for_a_database_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ownkey.workbench.jobs.bridge._PAUSE_S", 0.01)
    work = Scripted(away=2)
    async with running(tmp_path, work) as jobs:
        await jobs.start("run", 1)
        assert (await work.concluded.get())[2] == "finished"
        assert work.asked == {"execute": 3, "pairs": 3, "judge": 4, "conclude": 3}


async def test_what_a_stop_breaks_off_goes_on_with_the_next_start(tmp_path: Path) -> None:
    work = Scripted()
    work.go_on.clear()
    async with running(tmp_path, work) as jobs:
        await jobs.start("run", 1)
        await work.under_way.wait()
    assert work.concluded.empty()
    work.go_on.set()
    async with running(tmp_path, work):
        assert (await work.concluded.get())[:3] == ("run", 1, "finished")
    assert threads_of_the_library() == []


async def test_a_run_that_nobody_carries_out_is_taken_up_however_it_was_left(tmp_path: Path) -> None:
    work = Scripted()
    work.go_on.clear()
    async with running(tmp_path, work, "dead") as jobs:
        await jobs.start("left", 1)
        await work.under_way.wait()
    work.go_on.set()
    async with running(tmp_path, work, "alive") as jobs:
        # Another process's; one that never began; one whose end the run's own database has forgotten.
        for run_id in ("left", "new", "left"):
            assert await jobs.take_up(run_id, 1) is True
            assert (await work.concluded.get())[0] == run_id
            await ended(jobs, run_id)


async def test_a_run_that_broke_off_by_an_error_of_ours_is_not_taken_up_again(tmp_path: Path) -> None:
    work = Scripted(broken=True)
    async with running(tmp_path, work) as jobs:
        await jobs.start("broken", 1)
        await work.under_way.wait()
        async with asyncio.timeout(60):
            while await jobs.take_up("broken", 1):
                continue
        assert await jobs.forget([("broken", 1)]) == 1


async def test_a_sweep_on_schedule_may_ask_the_library_too(tmp_path: Path) -> None:
    """It runs in a workflow's step, in which the library would take such questions for parts of the workflow."""
    from dbos import DBOS

    work = Scripted()
    async with running(tmp_path, work) as jobs:
        await work.swept.get()
        await jobs.start("gone", 1)
        handle = await asyncio.to_thread(DBOS.trigger_schedule, "workbench-sweep")
        assert await work.swept.get() == {"gone": 1}
        assert await asyncio.to_thread(handle.get_result) is None


async def test_without_its_database_asking_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ownkey.workbench.jobs.durable._PATIENCE_S", 0.05)
    jobs = DurableJobs(f"sqlite:///{tmp_path / 'jobs.db'}", "one", asyncio.get_running_loop())
    await jobs.start("run", 1)
    assert await jobs.forget([("run", 1)]) == 0
    with pytest.raises(Unavailable):
        await jobs.take_up("run", 1)
    await jobs.close()


async def test_the_bridge_ends_those_who_wait_when_it_is_closed() -> None:
    bridge = LoopBridge(asyncio.get_running_loop())
    begun = asyncio.Event()

    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    def wait(work: Callable[[], object]) -> bool:
        try:
            bridge.wait(endless)
        except ServerStops:
            return True
        return False

    waiting = asyncio.create_task(asyncio.to_thread(wait, endless))
    await begun.wait()
    await bridge.close()
    assert await waiting
    assert await asyncio.to_thread(wait, endless)


async def ended(jobs: DurableJobs, run_id: str) -> None:
    """Wait until the library has written down that the workflow is over."""
    from dbos import DBOS

    async with asyncio.timeout(60):
        while await asyncio.to_thread(lambda: DBOS.list_workflows(workflow_id_prefix=run_id, status="PENDING")):
            continue


def threads_of_the_library() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "dbos" in thread.name.lower()]
