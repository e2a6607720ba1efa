"""`kill -9` in the middle of a workbench run: it goes on by itself, and every prompt has exactly one result."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx2
import pytest
from tests.proof.servers import ForkedStack, Launcher
from tests.services.stack import Process

from ownkey.workbench.engine.runner import UNGRADED_AT_MOST

_PROMPTS, _CONCURRENCY = 10, 4


@pytest.fixture
def stack(launcher: Launcher, sandbox: Process, tmp_path: Path) -> Iterator[ForkedStack]:
    running = ForkedStack(launcher, tmp_path / "data", sandbox)
    yield running
    running.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("kills", "repeats"), [(3, 20), pytest.param(10, 60, marks=pytest.mark.long)])
async def test_a_run_goes_on_after_kills_and_repeats_nothing_that_was_done(
    stack: ForkedStack, kills: int, repeats: int
) -> None:
    user, key = stack.user("workbench-kill"), f"sk-{token_hex(12)}"
    session = _made(user.api, "/workbench/sessions", {"preset": "openai", "api_key": key, "model": "slow-60"})
    body = {"suite_id": "qa-easy", "repeats": repeats, "concurrency": _CONCURRENCY}
    run = _made(user.api, f"/workbench/sessions/{session['id']}/runs", body)
    path = f"/workbench/runs/{run['id']}"
    dice = random.Random(run["id"])
    seen = 0
    for _ in range(kills):
        # Some progress each time, so that each kill is in the middle of the run.
        seen = await _until_more_than(user.api, path, seen)
        await asyncio.sleep(dice.uniform(0, 0.2))
        stack.server.send_signal(signal.SIGKILL)
        assert await asyncio.to_thread(stack.server.wait) == -signal.SIGKILL
        stack.launch()
        await asyncio.to_thread(stack.server.wait_until_ready)
    ended = await _until_ended(user.api, path)
    assert ended["status"] == "completed"
    results = _all_results(user.api, path)
    slots = Counter((result["position"], result["repeat"]) for result in results)
    assert slots == {(position, repeat): 1 for position in range(_PROMPTS) for repeat in range(repeats)}
    assert {result["status"] for result in results} == {"ok"}
    assert len({result["seq"] for result in results}) == len(results)
    # Only what was under way at a kill, or answered and not stored yet, may have been asked twice.
    asked = _asked(stack.sandbox.url, key)
    assert len(results) <= asked <= len(results) + kills * _CONCURRENCY * UNGRADED_AT_MOST
    assert ended["metrics"]["targets"][0]["requests"] == len(results)


def _made(api: httpx2.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = api.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _until_more_than(api: httpx2.Client, path: str, count: int) -> int:
    while True:
        done = (await asyncio.to_thread(api.get, path, params={"results": 0})).json()["progress"]["done"]
        if done > count:
            return done
        await asyncio.sleep(0.02)


async def _until_ended(api: httpx2.Client, path: str) -> dict[str, Any]:
    while True:
        run = (await asyncio.to_thread(api.get, path, params={"results": 0})).json()
        if run["status"] not in ("pending", "running"):
            return run
        await asyncio.sleep(0.05)


def _all_results(api: httpx2.Client, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        params = {"limit": 500} | ({"cursor": cursor} if cursor else {})
        page = api.get(f"{path}/results", params=params).json()
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def _asked(sandbox_url: str, key: str) -> int:
    """How many requests the sandbox received with a key."""
    counts = httpx2.get(sandbox_url + "/__sandbox/stats", trust_env=False).json()["by_key"]
    return counts[sha256(key.encode()).hexdigest()[:16]]
