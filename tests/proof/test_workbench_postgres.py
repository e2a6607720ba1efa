"""Workbench runs on Postgres: several workers, and a database that goes away in the middle."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from secrets import token_hex

import asyncpg
import httpx2
import pytest
from tests.proof.servers import TwoWorkers
from tests.proof.test_database_away import OwnPostgres
from tests.proof.workbench_runs import Bench
from tests.services.stack import Process

_TAKEOVER_S = 4


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[OwnPostgres]:
    folder = Path(tempfile.mkdtemp(prefix="ownkey-pg-runs-"))
    try:
        own = OwnPostgres(folder)
        own.start()
        yield own
        own.close()
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def workers(own_postgres: OwnPostgres, sandbox: Process, tmp_path: Path) -> Iterator[TwoWorkers]:
    url = own_postgres.cluster.url(asyncio.run(own_postgres.cluster.create()))
    variables = {"OWNKEY_DATABASE_URL": url, "OWNKEY_WORKBENCH_TAKEOVER": str(_TAKEOVER_S)}
    running = TwoWorkers(tmp_path / "data", sandbox, **variables)
    yield running
    running.stop()


def bench_of(stack: TwoWorkers, model: str) -> Bench:
    return Bench(stack.user(f"workers-{token_hex(4)}"), f"sk-{token_hex(12)}", model, stack.sandbox.url)


async def test_a_killed_workers_runs_are_taken_up_by_the_living(workers: TwoWorkers) -> None:
    bench = bench_of(workers, "slow-200")
    paths: list[str] = []
    # Each from a connection of its own, so that both workers have some.
    for _ in range(6):
        with httpx2.Client(base_url=bench.api.base_url, headers=bench.api.headers, trust_env=False) as api:
            body = {"suite_id": "qa-easy", "repeats": 2}
            made = api.post(f"/workbench/sessions/{bench.session}/runs", json=body)
            assert made.status_code == 201, made.text
            paths.append(f"/workbench/runs/{made.json()['id']}")
    for path in paths:
        await bench.begun(path, 1)
    os.kill(workers.worker_pids()[0], signal.SIGKILL)
    # The old connection may have been the dead worker's.
    with httpx2.Client(base_url=bench.api.base_url, headers=bench.api.headers, trust_env=False, timeout=30) as api:
        bench.api = api
        for path in paths:
            assert (await bench.ended(path))["status"] == "completed"
            bench.once_each(path, repeats=2)
    assert 120 <= bench.asked() <= 126
    assert "Traceback" not in workers.log


async def test_a_run_is_followed_cancelled_and_retried_through_either_worker(workers: TwoWorkers) -> None:
    bench = bench_of(workers, "slow-300")
    path = bench.start(repeats=5)
    for _ in range(6):
        with (
            httpx2.Client(base_url=bench.api.base_url, headers=bench.api.headers, trust_env=False) as api,
            api.stream("GET", f"{path}/events", timeout=20) as events,
        ):
            assert any(line.startswith("id: ") for line in events.iter_lines())
    with httpx2.Client(base_url=bench.api.base_url, headers=bench.api.headers, trust_env=False) as api:
        assert api.post(f"{path}/cancel").status_code == 202
    ended = await bench.ended(path)
    assert ended["status"] == "cancelled"
    with httpx2.Client(base_url=bench.api.base_url, headers=bench.api.headers, trust_env=False) as api:
        assert api.post(f"{path}/retry-failed").status_code == 202
    assert (await bench.ended(path))["status"] == "completed"
    bench.once_each(path, repeats=5)


async def test_erasing_on_postgres_in_mid_run_counts_what_went_and_leaves_nothing(
    workers: TwoWorkers, left: Callable[[], Awaitable[dict[str, int]]]
) -> None:
    bench = bench_of(workers, "slow-300")
    path = bench.start(repeats=10, concurrency=2)
    await bench.begun(path)
    done = bench.start(limit=1)
    await bench.ended(done)
    answers = await asyncio.gather(*[asyncio.to_thread(_erase, bench) for _ in range(4)])
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404]
    (receipt,) = [answer.json() for answer in answers if answer.status_code == 200]
    counted = receipt["deleted"]
    assert {name: counted[name] for name in ("sessions", "keys", "targets", "runs")} == {
        "sessions": 1,
        "keys": 1,
        "targets": 1,
        "runs": 2,
    }
    assert counted["results"] >= 3
    async with asyncio.timeout(60):
        while any((await left()).values()):
            continue
    assert "Traceback" not in workers.log


def _erase(bench: Bench) -> httpx2.Response:
    with httpx2.Client(base_url=bench.api.base_url, headers=bench.api.headers, trust_env=False, timeout=30) as api:
        return api.delete(f"/workbench/sessions/{bench.session}")


@pytest.fixture
def left(workers: TwoWorkers) -> Callable[[], Awaitable[dict[str, int]]]:
    """Counts what is left of runs and their jobs."""

    async def count() -> dict[str, int]:
        connection = await asyncpg.connect(workers.database_url)
        try:
            found = {
                table: await connection.fetchval(f"SELECT count(*) FROM {table}")
                for table in ("workbench_sessions", "workbench_targets", "workbench_runs", "workbench_results")
            }
            runs = "SELECT count(*) FROM jobs WHERE name = 'workbench-run'"
            return found | {"jobs": await connection.fetchval(runs)}
        finally:
            await connection.close()

    return count


async def test_a_paid_answer_waits_for_a_database_that_is_away(workers: TwoWorkers, own_postgres: OwnPostgres) -> None:
    bench = bench_of(workers, "slow-1000")
    path = bench.start(concurrency=2)
    await bench.begun(path)
    lines: list[str] = []
    listening = asyncio.Event()

    async def listen() -> None:
        async with (
            httpx2.AsyncClient(base_url=bench.api.base_url, headers=bench.api.headers, trust_env=False) as api,
            api.stream("GET", f"{path}/events", timeout=60) as events,
        ):
            async for line in events.aiter_lines():
                lines.append(line)
                listening.set()

    listener = asyncio.create_task(listen())
    await listening.wait()
    asked = bench.asked()
    await asyncio.to_thread(own_postgres.stop)
    try:
        await asyncio.to_thread(workers.command.output.wait_for, "waits for the database")
        refused = bench.api.post(f"/workbench/sessions/{bench.session}/runs", json={"suite_id": "qa-easy"})
        assert refused.status_code == 503
        # Longer than a run may be silent: that it was is nobody's fault.
        await asyncio.sleep(_TAKEOVER_S)
    finally:
        await asyncio.to_thread(own_postgres.start)
    assert (await bench.ended(path))["status"] == "completed"
    bench.once_each(path)
    assert asked <= bench.asked() == 10
    await listener
    assert lines.count("event: result") == 10
    assert "event: done" in lines
    assert "taken up" not in workers.log
    assert "Traceback" not in workers.log


async def test_a_server_whose_database_is_away_still_stops(workers: TwoWorkers, own_postgres: OwnPostgres) -> None:
    bench = bench_of(workers, "slow-500")
    path = bench.start(concurrency=2)
    await bench.begun(path)
    await asyncio.to_thread(own_postgres.stop)
    try:
        workers.command.stop()
    finally:
        await asyncio.to_thread(own_postgres.start)
    workers.start()
    with httpx2.Client(base_url=workers.url + "/api/v1", headers=bench.api.headers, trust_env=False) as api:
        bench.api = api
        ended = await bench.ended(path)
        assert ended["status"] == "completed", (ended, workers.log)
        bench.once_each(path)
