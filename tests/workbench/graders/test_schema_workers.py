"""Hostile schemas hold nothing up: a worker process is ended by its processor time, and the next check goes on."""

import asyncio
import json
import os
import signal
import threading
from typing import Any

import pytest
from tests.workbench.graders.scripted import grade

from ownkey.workbench.graders import Graders, validate_check
from ownkey.workbench.graders.finding import BadCheck, Ungradable
from ownkey.workbench.graders.schema_workers import SchemaTooCostly, SchemaWorker, SchemaWorkers
from ownkey.workbench.records import Check

POINT = Check("is-json", {"properties": {"x": {"type": "integer"}}, "required": ["x"]})
QUICK = 0.2
"""Seconds of processor time: enough for what is honest here, and over at once for what is not."""


def endless() -> dict[str, Any]:
    """Forty definitions that each apply the one before twice: 2^40 evaluations for an integer."""
    steps: dict[str, Any] = {"d0": {"type": "integer"}}
    for step in range(1, 41):
        steps[f"d{step}"] = {"allOf": [{"$ref": f"#/$defs/d{step - 1}"}] * 2}
    return {"$ref": "#/$defs/d40", "$defs": steps}


def slow_to_compile() -> dict[str, Any]:
    return {"allOf": [{"unevaluatedProperties": False, "allOf": [{"$ref": "#"}]}] * 800}


def process_of(worker: SchemaWorker) -> int:
    return worker._process.pid


def lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_schema_that_takes_for_ever_is_left_ungraded_and_the_next_one_is_graded() -> None:
    with SchemaWorkers(limit=1, cpu_seconds=QUICK) as workers:
        graders = Graders(schemas=workers)
        given = await grade(Check("is-json", endless()), "1", graders)
        assert given.passed is None
        assert "more than 0.2 s of processor time" in given.reason
        assert workers.overruns == 1
        assert (await grade(POINT, '{"x": 1}', graders)).passed is True
        assert workers.overruns == 1


async def test_the_event_loop_takes_turns_while_a_schema_runs_away() -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    turning = asyncio.create_task(turn())
    with SchemaWorkers(limit=1, cpu_seconds=QUICK) as workers:
        await grade(Check("is-json", endless()), "1", Graders(schemas=workers))
    turning.cancel()
    assert turns > 10


def test_a_schema_that_takes_for_ever_to_compile_is_refused() -> None:
    with SchemaWorkers(limit=1, cpu_seconds=QUICK) as workers:
        refusal = validate_check(Check("is-json", slow_to_compile()), workers)
    assert refusal is not None
    assert "processor time" in refusal


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"anyOf": [{"$ref": "#"}, {"not": {"$ref": "#"}}]}])
async def test_a_schema_that_refers_to_itself_ends_somehow_and_harms_nobody(schema: dict[str, Any]) -> None:
    with SchemaWorkers(limit=1, cpu_seconds=QUICK) as workers:
        graders = Graders(schemas=workers)
        assert (await grade(Check("is-json", schema), "[]", graders)).reason
        assert (await grade(POINT, '{"x": 1}', graders)).passed is True


async def test_without_workers_a_schema_is_left_ungraded_and_no_schema_is_none_the_worse() -> None:
    assert (await grade(POINT, '{"x": 1}', Graders())).passed is None
    assert (await grade(Check("is-json"), "{}", Graders())).passed is True


def test_no_process_starts_before_a_schema_is_checked_and_one_serves_many() -> None:
    with SchemaWorkers(limit=1) as workers:
        assert workers.call(process_of) == workers.call(process_of)


def test_at_most_so_many_processes_run() -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def work(worker: SchemaWorker) -> int:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        worker.compile("{}")
        with lock:
            inside -= 1
        return worker._process.pid

    with SchemaWorkers(limit=2) as workers:
        found: list[int] = []
        threads = [threading.Thread(target=lambda: found.append(workers.call(work))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 8
    assert len(set(found)) <= 2
    assert most <= 2


def test_closing_ends_an_idle_process_and_one_in_the_middle_of_a_check() -> None:
    workers = SchemaWorkers(limit=2, cpu_seconds=3600)
    begun, told = threading.Event(), list[Exception]()
    processes: list[int] = []

    def work(worker: SchemaWorker) -> None:
        processes.append(worker._process.pid)
        worker.compile("{}")
        begun.set()
        worker.first_valid(_as_text(endless()), ["1"])

    def check() -> None:
        try:
            workers.call(work)
        except Ungradable as error:
            told.append(error)

    thread = threading.Thread(target=check)
    thread.start()
    assert begun.wait(60)
    idle = workers.call(process_of)
    assert idle not in processes
    workers.close()
    thread.join(60)
    assert not thread.is_alive()
    assert len(told) == 1
    assert not any(lives(process) for process in (idle, *processes))
    with pytest.raises((Ungradable, RuntimeError)):
        workers.call(process_of)


def test_a_process_that_something_else_ended_is_replaced() -> None:
    with SchemaWorkers(limit=1) as workers:
        first = workers.call(process_of)
        os.kill(first, signal.SIGKILL)
        with pytest.raises(Ungradable, match="has ended"):
            workers.call(lambda worker: worker.compile("{}"))
        workers.call(lambda worker: worker.compile("{}"))
        assert workers.call(process_of) != first


def test_a_schema_that_needs_too_much_memory_is_too_costly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ownkey.workbench.graders.schema_workers.MEMORY", 1 << 26)
    with SchemaWorkers(limit=1) as workers, pytest.raises(SchemaTooCostly):
        workers.call(lambda worker: worker.first_valid("{}", ["[" + "0," * 3_000_000 + "0]"]))


def test_the_process_does_not_see_the_servers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWNKEY_MASTER_KEY", "a secret of the server")
    with SchemaWorkers(limit=1) as workers:
        process = workers.call(process_of)
        with open(f"/proc/{process}/environ", "rb") as file:
            assert b"OWNKEY" not in file.read()


def test_an_invalid_schema_leaves_the_process_for_the_next_one() -> None:
    with SchemaWorkers(limit=1) as workers:
        first = workers.call(process_of)
        with pytest.raises(BadCheck):
            workers.call(lambda worker: worker.compile('{"type": 5}'))
        assert workers.call(process_of) == first


def _as_text(schema: dict[str, Any]) -> str:
    return json.dumps(schema)
