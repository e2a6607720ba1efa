"""Runs of the workbench outlast stops, lost files, other servers on the same data, and a full disk."""

import asyncio
import os
import resource
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from secrets import token_hex

import httpx2
import pytest
from tests.proof.servers import Forked, ForkedStack, Launcher
from tests.proof.spellings import files_below, occurrences
from tests.proof.workbench_runs import Bench
from tests.services.stack import Process

from ownkey.workbench.engine.runner import UNGRADED_AT_MOST

_TAKEOVER_S = 4


@pytest.fixture
def stack(launcher: Launcher, sandbox: Process, tmp_path: Path) -> Iterator[ForkedStack]:
    running = ForkedStack(launcher, tmp_path / "data", sandbox, OWNKEY_WORKBENCH_TAKEOVER=str(_TAKEOVER_S))
    yield running
    running.close()


def bench_of(stack: ForkedStack, model: str = "slow-200") -> Bench:
    return Bench(stack.user(f"durable-{token_hex(4)}"), f"sk-{token_hex(12)}", model, stack.sandbox.url)


def assert_quiet(log: str) -> None:
    """The log has no stack traces: nothing that happened was unforeseen."""
    assert "Traceback" not in log, log
    assert "File " not in log, log


async def test_a_stop_in_mid_run_is_quick_and_the_run_goes_on_afterwards(stack: ForkedStack) -> None:
    bench = bench_of(stack, "slow-400")
    path = bench.start(repeats=3, concurrency=2)
    told: list[str] = []

    async def listen() -> None:
        async with (
            httpx2.AsyncClient(base_url=bench.api.base_url, headers=bench.api.headers, trust_env=False) as api,
            api.stream("GET", f"{path}/events", timeout=60) as events,
        ):
            told.extend([line async for line in events.aiter_lines()])

    listener = asyncio.create_task(listen())
    await bench.begun(path)
    assert await asyncio.to_thread(stack.server.stop) == 0
    await listener
    # It did not wait for the run.
    assert not any(line == "event: done" for line in told)
    assert_quiet(stack.server.log)
    stack.launch()
    await asyncio.to_thread(stack.server.wait_until_ready)
    ended = await bench.ended(path)
    assert (ended["status"], ended["detail"], ended["round"]) == ("completed", "", 1)
    bench.once_each(path, repeats=3)
    # What was under way, or answered and not stored yet, is asked again, and no other.
    assert 30 <= bench.asked() <= 30 + 2 * UNGRADED_AT_MOST
    assert_quiet(stack.server.log)


@pytest.fixture
def second(launcher: Launcher, stack: ForkedStack) -> Iterator[Forked]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = stack.beside(listener)
        server.wait_until_ready()
    yield server
    server.stop()


async def test_two_servers_on_one_data_directory_carry_each_run_out_once(stack: ForkedStack, second: Forked) -> None:
    bench = bench_of(stack, "slow-50")
    there = httpx2.Client(base_url=second.url + "/api/v1", headers=bench.api.headers, trust_env=False, timeout=30)
    body = {"suite_id": "qa-easy", "repeats": 8}
    with there:
        paths = [bench.start(repeats=8) for _ in range(3)]
        for _ in range(3):
            made = there.post(f"/workbench/sessions/{bench.session}/runs", json=body)
            assert made.status_code == 201, made.text
            paths.append(f"/workbench/runs/{made.json()['id']}")
        # Long enough for each server to look around a few times while the other's runs go on.
        for path in paths:
            assert (await bench.ended(path))["status"] == "completed"
            bench.once_each(path, repeats=8)
    assert bench.asked() == 6 * 80
    for log in (stack.server.log, second.log):
        assert "taken up" not in log
        assert_quiet(log)


async def test_the_survivor_takes_up_the_dead_ones_run_and_ends_it(stack: ForkedStack, second: Forked) -> None:
    bench = bench_of(stack)
    session = f"/workbench/sessions/{bench.session}/runs"
    with httpx2.Client(base_url=second.url + "/api/v1", headers=bench.api.headers, trust_env=False) as there:
        made = there.post(session, json={"suite_id": "qa-easy", "repeats": 2, "concurrency": 2}).json()
    path = f"/workbench/runs/{made['id']}"
    await bench.begun(path)
    os.kill(second.pid, signal.SIGKILL)
    killed = time.monotonic()
    ended = await bench.ended(path)
    assert ended["status"] == "completed"
    assert time.monotonic() - killed > _TAKEOVER_S / 2
    bench.once_each(path, repeats=2)
    assert bench.asked() <= 20 + 2 * UNGRADED_AT_MOST
    assert "taken up" in stack.server.log
    assert_quiet(stack.server.log)


async def test_the_run_of_another_server_is_cancelled_and_erased_from_here(stack: ForkedStack, second: Forked) -> None:
    bench = bench_of(stack, "slow-500")
    session = f"/workbench/sessions/{bench.session}"
    with httpx2.Client(base_url=second.url + "/api/v1", headers=bench.api.headers, trust_env=False) as there:
        made = there.post(f"{session}/runs", json={"suite_id": "qa-easy", "repeats": 100}).json()
        path = f"/workbench/runs/{made['id']}"
        await bench.begun(path, 1)
        assert bench.api.post(f"{path}/cancel").status_code == 202
        ended = await bench.ended(path)
        assert ended["status"] == "cancelled"
        again = there.post(f"{path}/retry-failed")
        assert again.status_code == 202, again.text
        await bench.begun(path, ended["progress"]["done"] + 1)
    receipt = bench.api.delete(session).json()
    assert receipt["deleted"]["runs"] == 1
    asked = bench.asked()
    # The other server hears of it within a second, and makes no further call.
    async with asyncio.timeout(60):
        while (now := bench.asked()) != asked or occurrences(made["id"], files_below(stack.data_dir)):
            asked = now
            await asyncio.sleep(1.0)
    for log in (stack.server.log, second.log):
        assert_quiet(log)


async def test_a_full_disk_stops_nothing_for_good(stack: ForkedStack) -> None:
    bench = bench_of(stack)
    path = bench.start(repeats=2, concurrency=2)
    await bench.begun(path)
    pid = stack.server.pid
    limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    smallest = min(file.stat().st_size for file in stack.data_dir.glob("*.db*"))
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (smallest, limits[1]))
    try:
        asked = bench.asked()
        # Calls that were under way come back to a disk without room.
        await asyncio.to_thread(stack.server.output.wait_for, "waits for the database")
        assert bench.asked() <= asked + 2
        refused = await asyncio.to_thread(
            bench.api.post, f"/workbench/sessions/{bench.session}/runs", json={"suite_id": "qa-easy"}
        )
        assert refused.status_code == 503, refused.text
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    ended = await bench.ended(path)
    assert ended["status"] == "completed"
    bench.once_each(path, repeats=2)
    later = bench.start(limit=1)
    assert (await bench.ended(later))["status"] == "completed"


async def test_a_session_that_expires_in_mid_run_is_swept_with_all_that_hangs_on_it(stack: ForkedStack) -> None:
    key = f"sk-{token_hex(12)}"
    async with httpx2.AsyncClient(base_url=stack.url + "/api/v1/workbench", trust_env=False, timeout=30) as api:
        body = {"preset": "openai", "api_key": key, "model": "slow-300"}
        session = (await api.post("/sessions", json=body)).json()
        api.headers["authorization"] = f"Bearer {session['token']}"
        sent = await api.post("/suites?filename=own.jsonl", content=b'{"prompt": "why?"}\n')
        assert sent.status_code == 201
        run = (await api.post(f"/sessions/{session['id']}/runs", json={"suite_id": "qa-easy", "repeats": 20})).json()
        async with api.stream("GET", f"/runs/{run['id']}/events") as events:
            lines = events.aiter_lines()
            async for line in lines:
                if line.startswith("id: "):
                    break
            with closing(sqlite3.connect(stack.data_dir / "ownkey.db", timeout=10)) as database, database:
                database.execute("UPDATE workbench_sessions SET expires_at = 1")
            rest = "".join([line async for line in lines])
    assert '"status":"erased"' in rest
    await asyncio.to_thread(stack.server.output.wait_for, "expired workbench sessions erased")
    left = [session["id"], run["id"], session["token"], key]
    with closing(sqlite3.connect(stack.data_dir / "ownkey.db", timeout=10)) as database:
        for table in ("sessions", "targets", "suites", "prompts", "runs", "results"):
            assert database.execute(f"SELECT count(*) FROM workbench_{table}").fetchone() == (0,), table
        assert database.execute("SELECT count(*) FROM data_keys WHERE tenant LIKE 'workbench:%'").fetchone() == (0,)
    assert await asyncio.to_thread(stack.server.stop) == 0
    for text in left:
        assert occurrences(text, files_below(stack.data_dir)) == [], text
    assert_quiet(stack.server.log)


async def test_a_judge_that_takes_its_time_is_not_taken_for_dead_and_may_be_cancelled(stack: ForkedStack) -> None:
    """Its model says nothing that could be read, slowly: each pair is asked for in both orders, and again."""
    bench = bench_of(stack, "echo")
    bench.user.add_key("openai", f"sk-{token_hex(12)}")
    fields = {"compare_with": "parrot", "judge": {"model": "openai/slow-1500"}}
    patient, cancelled = bench.start(limit=2, **fields), bench.start(**fields)
    await bench.until(cancelled, lambda run: run["progress"]["done"] == 20)
    assert bench.api.post(f"{cancelled}/cancel").status_code == 202
    ended = await bench.ended(cancelled)
    assert (ended["status"], ended["progress"]["done"]) == ("cancelled", 20)
    assert "judge" in ended["detail"]
    ended = await bench.ended(patient)
    assert ended["status"] == "completed"
    assert ended["metrics"]["comparisons"][0]["preference"] is None
    assert "taken up" not in stack.server.log
    assert_quiet(stack.server.log)
