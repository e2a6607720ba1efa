"""Several processes behind one port: all serve, dead ones are replaced, they stop together."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from tests.proof.load import Question, ask, chat, message, running
from tests.proof.servers import TwoWorkers
from tests.services.stack import Process

METRICS = Question("metrics", "/metrics", {}, method="GET")


@pytest.fixture
def workers(paced_sandbox: Process, tmp_path: Path, empty_postgres_url: str) -> Iterator[TwoWorkers]:
    running = TwoWorkers(tmp_path / "data", paced_sandbox, OWNKEY_DATABASE_URL=empty_postgres_url)
    yield running
    running.stop()


async def test_a_killed_worker_is_replaced_and_its_requests_are_booked(
    workers: TwoWorkers, empty_postgres_url: str
) -> None:
    await _until_all_serve(workers)
    user = workers.user("replaced", openai="sk-test-workers-1")
    questions = [chat("openai/lorem-40", stream=True), message("openai/slow-50")]
    async with running(workers.url, user.key, [questions] * 8) as load:
        await load.until(lambda calls: len(calls) > 40)
        victim = workers.worker_pids()[0]
        os.kill(victim, signal.SIGKILL)
        await asyncio.to_thread(workers.command.output.wait_for, "a worker died")
        known = len(load.calls)
        await load.until(lambda calls: sum(call.whole for call in calls[known:]) > 40)
    await _until_all_serve(workers)
    assert victim not in workers.worker_pids()
    await asyncio.to_thread(workers.command.output.wait_for, "journal of a dead process stored", 40.0)
    assert await asyncio.to_thread(workers.stop) == 0, workers.log
    rows = await _statuses(empty_postgres_url)
    assert {call.request_id for call in load.calls if call.request_id} <= rows.keys()
    assert {rows[call.request_id or ""] for call in load.calls if call.whole} == {"completed"}
    assert set(rows.values()) <= {"completed", "interrupted"}


async def test_streams_on_all_workers_are_finished_before_the_end(workers: TwoWorkers, empty_postgres_url: str) -> None:
    await _until_all_serve(workers)
    # Also on a database that was empty before: what is made once was made once, and told once.
    assert workers.log.count("Operator: ") == 1
    user = workers.user("together", openai="sk-test-workers-2")
    begun = asyncio.Semaphore(0)
    stream = chat("openai/lorem-400", stream=True)
    tasks = [asyncio.create_task(ask(workers.url, user.key, stream, told=lambda _: begun.release())) for _ in range(12)]
    for _ in tasks:
        await begun.acquire()
    # As Ctrl-C does: the whole group gets it, and the workers must not take it for a second order.
    for pid in [workers.command.pid, *workers.worker_pids()]:
        os.kill(pid, signal.SIGINT)
    calls = await asyncio.gather(*tasks)
    assert all(call.whole and call.status == 200 for call in calls), calls
    assert await asyncio.to_thread(workers.command.wait) == 0, workers.log
    assert await _statuses(empty_postgres_url) == {call.request_id: "completed" for call in calls}


async def test_workers_do_not_outlive_their_supervisor(workers: TwoWorkers) -> None:
    processes = [psutil.Process(pid) for pid in workers.worker_pids()]
    assert len(processes) == 2
    os.kill(workers.command.pid, signal.SIGKILL)
    assert await asyncio.to_thread(workers.command.wait) == -signal.SIGKILL
    gone, alive = await asyncio.to_thread(psutil.wait_procs, processes, 20)
    assert (len(gone), alive) == (2, [])


async def _until_all_serve(workers: TwoWorkers) -> None:
    """Both have answered for their metrics."""
    async with asyncio.timeout(60):
        seen: set[bytes] = set()
        while len(seen) < 2:
            answers = await asyncio.gather(*[ask(workers.url, "", METRICS) for _ in range(8)])
            seen |= {label for label in (b'worker="0"', b'worker="1"') for answer in answers if label in answer.body}


async def _statuses(url: str) -> dict[str, str]:
    connection = await asyncpg.connect(url)
    try:
        return {row["id"]: row["status"] for row in await connection.fetch("SELECT id, status FROM requests")}
    finally:
        await connection.close()
