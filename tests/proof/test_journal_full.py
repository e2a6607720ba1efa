"""A journal that cannot be written: nothing is sent that could not be accounted for, and all recovers by itself."""

import asyncio
import resource
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
from tests.proof.books import journal_runs, statuses
from tests.proof.load import ask, chat, message
from tests.proof.servers import ForkedStack, Launcher
from tests.services.stack import Process

KEY = "sk-test-full-disk"


@pytest.fixture
def stack(launcher: Launcher, paced_sandbox: Process, tmp_path: Path) -> Iterator[ForkedStack]:
    running = ForkedStack(launcher, tmp_path / "data", paced_sandbox)
    yield running
    running.close()


@contextmanager
def no_room(stack: ForkedStack, spare: int) -> Generator[None]:
    """No file of the server's may grow beyond the journal's size and `spare` bytes, as on a full disk."""
    [run] = journal_runs(stack.data_dir)
    size = max(segment.stat().st_size for segment in run.glob("*.segment"))
    limits = resource.prlimit(stack.server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(stack.server.pid, resource.RLIMIT_FSIZE, (size + spare, limits[1]))
    try:
        yield
    finally:
        resource.prlimit(stack.server.pid, resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("spare", [0, 100], ids=["not a byte", "a part of a frame"])
async def test_nothing_is_sent_without_an_account(stack: ForkedStack, spare: int) -> None:
    user = stack.user("full", openai=KEY, anthropic="sk-ant-" + KEY)
    assert user.chat("openai/echo").status_code == 200
    begun = asyncio.Event()
    stream = chat("openai/lorem-600", stream=True)
    under_way = asyncio.create_task(ask(stack.url, user.key, stream, told=lambda _: begun.set()))
    await begun.wait()
    with no_room(stack, spare):
        sent = await _sent(stack)
        refused = [
            await ask(stack.url, user.key, question)
            for question in (chat("openai/echo"), chat("openai/echo", stream=True), message("openai/echo"))
        ]
        assert [answer.status for answer in refused] == [503] * 3
        assert b'"code":"unavailable"' in refused[0].body
        assert b'"type":"error"' in refused[2].body
        assert all(b"usage journal" in answer.body for answer in refused)
        assert await _sent(stack) == sent
        assert await _problems(stack) == ["journal"]
        # What had begun goes on to its end, and its account waits in memory.
        finished = await under_way
        assert finished.whole
    later = await ask(stack.url, user.key, chat("openai/echo"))
    assert later.status == 200
    assert await _problems(stack) == []
    assert await asyncio.to_thread(stack.stop) == 0, stack.server.log
    assert "usage journal cannot write" in stack.server.log
    rows = statuses(stack.data_dir)
    assert {rows[finished.request_id or ""], rows[later.request_id or ""]} == {"completed"}
    assert not {answer.request_id for answer in refused} & rows.keys()
    assert journal_runs(stack.data_dir) == []


async def _sent(stack: ForkedStack) -> int:
    """How many requests reached the provider with this key."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        counts = (await client.get(stack.sandbox.url + "/__sandbox/stats")).json()["by_key"]
    return counts.get(sha256(KEY.encode()).hexdigest()[:16], 0)


async def _problems(stack: ForkedStack) -> list[str]:
    async with httpx2.AsyncClient(trust_env=False) as client:
        return (await client.get(stack.url + "/readyz")).json()["problems"]
