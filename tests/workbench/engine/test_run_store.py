"""The contract of `RunStore`, held by a run's file and by its rows alike."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from tests.storage.values import NOW
from tests.storage.workbench.rows import a_run, a_session
from tests.workbench.engine.scripted import a_plan, a_target, answered, failed

from ownkey.cli.workbench.run_files import FORMAT, FileRunStore, Header, RunFile
from ownkey.cli.workbench.targets import Way
from ownkey.storage import Database, workbench
from ownkey.workbench.engine import Judgement, RunState, RunStore, Spending
from ownkey.workbench.hosting.run_store import RowRunStore
from ownkey.workbench.records import FailureKind, Message, Prompt, Result, RunStatus, Slot
from ownkey.workbench.summary import RunSummary, Verdict

PLAN = a_plan(4, a_target("a"), a_target("b"))

Reopen = Callable[[bool], Awaitable[RunStore]]
"""Another process's store of the same run: for the round as it was left, or (True) a round that retries failures."""
Recorded = Callable[[], Awaitable[tuple[str, str]]]
"""The status and detail that a reader sees."""


class Stores:
    """Opens stores of one run. A new process opens the run again each time."""

    def __init__(self, reopen: Reopen, recorded: Recorded) -> None:
        self.reopen = reopen
        self.recorded = recorded


def file_stores(tmp_path: Path) -> Stores:
    prompts = tuple(Prompt(f"p{number}", (Message("user", "?"),)) for number in range(4))
    way = Way("https://x.example/v1")
    header = Header(format=FORMAT, id="wrun_contract", created_at=NOW, plan=PLAN, ways=(way, way))
    files = [RunFile.create(tmp_path, header, prompts)]
    opened: list[RunFile] = []

    async def reopen(retry_failed: bool) -> RunStore:
        # The lock of a process goes with it.
        for file in opened:
            file.close()
        opened[:] = [files.pop() if files else RunFile.reopen(tmp_path / "wrun_contract.jsonl")]
        return FileRunStore(opened[0], retry_failed=retry_failed, kept=lambda _: None)

    async def recorded() -> tuple[str, str]:
        end = RunFile.read(tmp_path / "wrun_contract.jsonl").end
        assert end is not None
        return end.status.value, end.detail

    return Stores(reopen, recorded)


async def row_stores(database: Database) -> Stores:
    run = await a_run(database, await a_session(database), plan=msgspec.json.encode(PLAN), total=PLAN.total)
    rounds = [1]

    async def reopen(retry_failed: bool) -> RunStore:
        async with database.write() as conn:
            if retry_failed:
                await workbench.runs.end(conn, run.id, rounds[-1], "failed", "", None, NOW)
                again = await workbench.runs.again(conn, run.id)
                assert again is not None
                rounds.append(again)
            await workbench.runs.begin(conn, run.id, rounds[-1], NOW)
        return RowRunStore(database, run.id, rounds[-1], lambda _: None)

    async def recorded() -> tuple[str, str]:
        async with database.read() as conn:
            row = await workbench.runs.get(conn, run.id)
        assert row is not None
        return row.status, row.detail

    return Stores(reopen, recorded)


@pytest.fixture(params=["file", "sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    """The database, None for a file."""
    if request.param == "file":
        return None
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture
async def stores(url: str | None, tmp_path: Path) -> AsyncGenerator[Stores]:
    if url is None:
        yield file_stores(tmp_path)
        return
    database = await Database.open(url)
    yield await row_stores(database)
    await database.close()


def result(target: int, position: int, *, ok: bool = True, repeat: int = 0) -> Result:
    seen = answered(f"answer {target}.{position}") if ok else failed(FailureKind.SERVER_ERROR)
    return Result(slot=Slot(target, position, repeat), prompt_id=f"p{position}", observation=seen, warm_up=repeat < 0)


async def all_of(store: RunStore) -> list[Result]:
    return [each async for each in store.results()]


async def test_a_new_run_has_brought_nothing(stores: Stores) -> None:
    store = await stores.reopen(False)
    assert await store.state() == RunState()
    assert await all_of(store) == []
    assert await store.answer(0, 0) is None


async def test_results_are_numbered_as_they_came_and_outlive_the_process(stores: Stores) -> None:
    store = await stores.reopen(False)
    await store.state()
    await store.keep([result(0, 1), result(1, 1, ok=False)], Spending(answers=5))
    await store.keep([result(0, 0), result(0, 3, repeat=-1)], Spending(answers=7))
    again = await stores.reopen(False)
    state = await again.state()
    slots = [Slot(0, 1, 0), Slot(1, 1, 0), Slot(0, 0, 0), Slot(0, 3, -1)]
    assert (state.settled, state.spending) == (frozenset(slots), Spending(answers=7))
    assert [(each.seq, each.slot) for each in await all_of(again)] == list(enumerate(slots, 1))


async def test_numbers_go_on_after_a_process_has_died(stores: Stores) -> None:
    store = await stores.reopen(False)
    await store.state()
    await store.keep([result(0, 0)], Spending())
    again = await stores.reopen(False)
    await again.state()
    await again.keep([result(0, 1)], Spending())
    assert [each.seq for each in await all_of(again)] == [1, 2]


async def test_a_round_that_retries_settles_answers_and_no_failures(stores: Stores) -> None:
    store = await stores.reopen(False)
    await store.state()
    await store.keep([result(0, 0), result(0, 1, ok=False)], Spending(answers=3))
    again = await stores.reopen(True)
    state = await again.state()
    assert (state.settled, state.spending.answers) == ({Slot(0, 0, 0)}, 3)
    await again.keep([result(0, 1)], Spending(answers=4))
    assert (await all_of(again))[-1].observation.ok
    assert await again.answer(0, 1) == "answer 0.1"


async def test_spending_is_stored_without_results_too(stores: Stores) -> None:
    store = await stores.reopen(False)
    await store.state()
    await store.keep((), Spending(beside=9, calls_beside=2))
    assert (await (await stores.reopen(False)).state()).spending == Spending(beside=9, calls_beside=2)


async def test_an_answer_of_the_first_repetition_is_found_and_a_failure_is_none(stores: Stores) -> None:
    store = await stores.reopen(False)
    await store.state()
    await store.keep([result(1, 2), result(0, 2, ok=False), result(0, 3, repeat=1)], Spending())
    assert await store.answer(1, 2) == "answer 1.2"
    assert await store.answer(0, 2) is None
    assert await store.answer(0, 3) is None


async def test_verdicts_outlive_the_process_with_what_they_cost(stores: Stores) -> None:
    store = await stores.reopen(False)
    await store.state()
    verdicts = (Judgement(1, 0, Verdict.B), Judgement(1, 2, Verdict.CANNOT_TELL, flipped=True))
    for number, each in enumerate(verdicts, 1):
        await store.keep_judgement(each, Spending(beside=number))
    state = await (await stores.reopen(False)).state()
    assert (state.judgements, state.spending.beside) == (verdicts, 2)


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED])
async def test_the_first_end_of_a_round_stands(stores: Stores, status: RunStatus) -> None:
    store = await stores.reopen(False)
    await store.state()
    await store.end(status, "why", RunSummary(targets=()))
    await store.end(RunStatus.FAILED, "later", None)
    assert await stores.recorded() == (status.value, "why")


async def test_the_end_of_a_later_round_replaces_that_of_an_earlier_one(stores: Stores) -> None:
    store = await stores.reopen(False)
    await store.state()
    await store.keep([result(0, 0, ok=False)], Spending())
    await store.end(RunStatus.FAILED, "why", None)
    again = await stores.reopen(True)
    await again.state()
    await again.end(RunStatus.COMPLETED, "", RunSummary(targets=()))
    assert await stores.recorded() == ("completed", "")
