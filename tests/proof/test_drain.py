"""SIGTERM: what was accepted is finished, nothing is lost, and the end comes in time."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx2
import pytest
from tests.proof.books import journal_runs, statuses
from tests.proof.load import Call, Question, ask, chat, message
from tests.proof.servers import ForkedStack, Launcher
from tests.services.stack import Process, User

Start = Callable[..., ForkedStack]
ENDLESS = chat("openai/lorem-900000", stream=True)
"""At four hundred tokens a second it lasts longer than any test may: only the server can end it."""


@pytest.fixture
def start(launcher: Launcher, paced_sandbox: Process, tmp_path: Path) -> Iterator[Start]:
    running: list[ForkedStack] = []

    def start(**variables: str) -> ForkedStack:
        running.append(ForkedStack(launcher, tmp_path / "data", paced_sandbox, **variables))
        return running[-1]

    yield start
    for stack in running:
        stack.close()


class Under:
    """Calls under way: `begun` once all of them are with a provider, and streams have their heads."""

    def __init__(self, stack: ForkedStack, user: User, questions: Sequence[Question]) -> None:
        self._stack = stack
        self._user = user
        self._expected = len(questions)
        self._streams = sum(bool(question.body.get("stream")) for question in questions)
        self._heads = asyncio.Semaphore(0)
        self.tasks = [asyncio.create_task(ask(stack.url, user.key, question, self._told)) for question in questions]

    def _told(self, _: Call) -> None:
        self._heads.release()

    async def begun(self) -> None:
        async with httpx2.AsyncClient(trust_env=False) as client, asyncio.timeout(60):
            while True:
                metrics = (await client.get(self._stack.url + "/metrics")).text
                if f"ownkey_open_requests {self._expected}.0" in metrics:
                    break
                await asyncio.sleep(0.02)
            for _ in range(self._streams):
                await self._heads.acquire()

    async def ended(self) -> list[Call]:
        return await asyncio.gather(*self.tasks)


async def test_accepted_streams_and_calls_are_finished(start: Start) -> None:
    stack = start()
    user = stack.user("drained", openai="sk-test-drain-0001", anthropic="sk-ant-test-drain")
    questions = [
        *[chat("openai/lorem-400", stream=True)] * 3,
        *[message("openai/lorem-400", stream=True)] * 3,
        *[chat("anthropic/lorem-400", stream=True)] * 2,
        *[chat("openai/slow-1000")] * 4,
    ]
    under = Under(stack, user, questions)
    await under.begun()
    stack.server.send_signal(signal.SIGTERM)
    calls = await under.ended()
    assert all(call.whole and call.status == 200 for call in calls), calls
    assert await asyncio.to_thread(stack.server.wait) == 0, stack.server.log
    assert statuses(stack.data_dir) == {call.request_id: "completed" for call in calls}
    assert journal_runs(stack.data_dir) == []


async def test_readiness_goes_off_before_the_port_closes(start: Start) -> None:
    stack = start(OWNKEY_SHUTDOWN_NOTICE="60")
    user = stack.user("noticed", openai="sk-test-drain-0002")
    async with httpx2.AsyncClient(base_url=stack.url, trust_env=False) as client:
        assert (await client.get("/readyz")).status_code == 200
        stack.server.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            while (answer := await client.get("/readyz")).status_code == 200:
                continue
    assert (answer.status_code, answer.json()["problems"]) == (503, ["draining"])
    late = await ask(stack.url, user.key, chat("openai/echo", "still here"))
    assert late.whole
    assert late.status == 200
    # The second signal ends the waiting.
    stack.server.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(stack.server.wait) == 0
    assert statuses(stack.data_dir) == {late.request_id: "completed"}


@pytest.mark.parametrize("how", ["grace is over", "second signal"])
async def test_what_does_not_end_is_cut_off_and_written_down(start: Start, how: str) -> None:
    stack = start(OWNKEY_SHUTDOWN_GRACE="1" if how == "grace is over" else "300")
    user = stack.user("endless", openai="sk-test-drain-0003")
    under = Under(stack, user, [ENDLESS, ENDLESS, chat("openai/slow-600000")])
    await under.begun()
    stack.server.send_signal(signal.SIGTERM)
    if how == "second signal":
        await asyncio.to_thread(stack.server.output.wait_for, "draining")
        stack.server.send_signal(signal.SIGTERM)
    calls = await under.ended()
    assert await asyncio.to_thread(stack.server.wait) == 0, stack.server.log
    *streams, call = calls
    assert all(stream.status == 200 and not stream.whole for stream in streams)
    assert (call.status, call.whole) == (503, True), call
    rows = statuses(stack.data_dir)
    assert {rows[stream.request_id or ""] for stream in streams} == {"interrupted"}
    assert sorted(rows.values()) == ["interrupted"] * 3
    assert journal_runs(stack.data_dir) == []


async def test_an_idle_and_a_half_sent_connection_do_not_delay_the_end(start: Start) -> None:
    stack = start(OWNKEY_SHUTDOWN_GRACE="2")
    host, port = stack.url.removeprefix("http://").split(":")
    idle = await asyncio.open_connection(host, int(port))
    half = await asyncio.open_connection(host, int(port))
    half[1].write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
    await half[1].drain()
    began = time.monotonic()
    assert await asyncio.to_thread(stack.server.stop) == 0, stack.server.log
    # The grace ends it, and not the thirty seconds that a body may take.
    assert time.monotonic() - began < 25
    for _, writer in (idle, half):
        writer.close()
