"""`kill -9` at random instants under load: no request is lost from the books, none stands in them twice."""

import asyncio
import os
import random
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
from tests.proof.books import journal_runs
from tests.proof.load import Call, Load, chat, message, running
from tests.proof.servers import ForkedStack, Launcher
from tests.proof.spellings import files_below, new_mark, occurrences
from tests.services.stack import Process

_TOKENS = 40


@pytest.fixture
def stack(launcher: Launcher, paced_sandbox: Process, tmp_path: Path) -> Iterator[ForkedStack]:
    running = ForkedStack(launcher, tmp_path / "data", paced_sandbox)
    yield running
    running.close()


async def test_no_request_is_lost_or_doubled_by_a_few_kills(stack: ForkedStack) -> None:
    await kill_often(stack, kills=6, longest=1.0)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_no_request_is_lost_or_doubled_by_many_kills(stack: ForkedStack) -> None:
    account = await kill_often(stack, kills=250, longest=1.5)
    print(account)  # noqa: T201
    assert account["interrupted"] > 0
    assert account["cut off after the head"] > 0


async def kill_often(stack: ForkedStack, kills: int, longest: float) -> dict[str, int]:
    """Kill the server at instants up to `longest` seconds after its start, then compare all accounts."""
    key_mark, prompt_mark = new_mark(), new_mark()
    provider_key = f"sk-proj-{key_mark}-tail"
    user = stack.user("killed", openai=provider_key)
    user.add_key("anthropic", f"sk-ant-{key_mark}-tail")
    questions = [
        chat("openai/echo", prompt_mark),
        chat("openai/slow-30", prompt_mark),
        chat(f"openai/lorem-{_TOKENS}", prompt_mark, stream=True),
        message("anthropic/echo", prompt_mark),
        message("openai/echo", prompt_mark, stream=True),
        chat(f"anthropic/lorem-{_TOKENS}", prompt_mark, stream=True, stream_options={"include_usage": True}),
    ]
    mixes = [questions[number:] + questions[:number] for number in range(len(questions))] * 2
    dice = random.Random(os.urandom(8))
    async with running(stack.url, user.key, mixes) as load:
        for number in range(kills):
            await asyncio.sleep(dice.uniform(0, longest))
            stack.server.send_signal(signal.SIGKILL)
            assert await asyncio.to_thread(stack.server.wait) == -signal.SIGKILL, stack.server.log
            found = occurrences(key_mark, files_below(stack.data_dir))
            found += occurrences(prompt_mark, files_below(stack.data_dir))
            assert found == [], f"after kill {number}"
            stack.launch()
        await asyncio.to_thread(stack.server.wait_until_ready)
        await _until_served(load)
    await _until_recovered(stack.data_dir)
    assert stack.stop() == 0, stack.server.log
    rows = _rows(stack.data_dir)
    _compare(load.calls, rows, _sent_upstream(stack.sandbox.url, (provider_key, f"sk-ant-{key_mark}-tail")))
    return {
        "kills": kills,
        "requests": len(load.calls),
        "cut off after the head": sum(call.status is not None and not call.whole for call in load.calls),
        **Counter(status for status, _, _ in rows.values()),
    }


async def _until_served(load: Load) -> None:
    """At least one more call is answered in full, after the last start."""
    known = len(load.calls)
    await load.until(lambda calls: any(call.whole for call in calls[known:]))


async def _until_recovered(data_dir: Path) -> None:
    """Only the living server's journal is left."""
    async with asyncio.timeout(60):
        while len(journal_runs(data_dir)) > 1:  # noqa: ASYNC110 (a directory tells nobody)
            await asyncio.sleep(0.05)


def _rows(data_dir: Path) -> dict[str, tuple[str, int, int]]:
    """(status, output tokens, attempts) by request id."""
    with closing(sqlite3.connect(data_dir / "ownkey.db")) as database:
        found = database.execute("SELECT id, status, output_tokens, attempts FROM requests").fetchall()
    return {id_: (status, tokens, attempts) for id_, status, tokens, attempts in found}


def _sent_upstream(sandbox_url: str, keys: Sequence[str]) -> int:
    """How many requests the providers received with these keys."""
    counts = httpx2.get(sandbox_url + "/__sandbox/stats", trust_env=False).json()["by_key"]
    return sum(counts.get(sha256(key.encode()).hexdigest()[:16], 0) for key in keys)


def _compare(calls: Sequence[Call], rows: dict[str, tuple[str, int, int]], sent_upstream: int) -> None:
    seen = [call for call in calls if call.request_id is not None]
    assert len({call.request_id for call in seen}) == len(seen)
    missing = [call for call in seen if call.request_id not in rows]
    assert missing == [], "heads reached clients of requests that are not in the books"
    assert {status for status, _, _ in rows.values()} <= {"completed", "interrupted"}
    for call in seen:
        status, tokens, _ = rows[call.request_id or ""]
        if call.whole:
            assert (call.status, status) == (200, "completed"), call
            if "lorem" in call.what:
                assert tokens == _TOKENS, call
    # Each request makes at most one row, and nothing was sent to a provider without one.
    assert len(rows) <= len(calls)
    assert sent_upstream <= len(rows)
    assert any(status == "completed" for status, _, _ in rows.values())
