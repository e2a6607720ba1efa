"""Two servers on one data directory and an embedded database work: an old and a new one during a change-over."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator

import httpx2
import pytest
from tests.proof.books import journal_runs, statuses
from tests.proof.load import ask, chat, running
from tests.proof.servers import Forked, ForkedStack, Launcher


@pytest.fixture
def second(launcher: Launcher, forked: ForkedStack) -> Iterator[Forked]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = forked.beside(listener)
        server.wait_until_ready()
    # The socket is the server's alone from here on: when it dies, nobody listens.
    yield server
    server.stop()


async def test_both_serve_and_learn_what_the_other_was_told(forked: ForkedStack, second: Forked) -> None:
    user = forked.user("shared", openai="sk-test-shared-1")
    mix = [chat("openai/echo", "one"), chat("openai/lorem-20", stream=True)]
    async with running(forked.url, user.key, [mix] * 4) as here, running(second.url, user.key, [mix] * 4) as there:
        for load in (here, there):
            await load.until(lambda calls: sum(call.status == 200 for call in calls) > 20)
        api_key = user.api.get("/api-keys").json()["items"][0]["id"]
        assert user.api.delete(f"/api-keys/{api_key}").status_code == 204
        for load in (here, there):
            await load.until(lambda calls: sum(call.status == 401 for call in calls) > 10)
    for load in (here, there):
        learnt = min(call.ended for call in load.calls if call.status == 401)
        assert {call.status for call in load.calls if call.sent > learnt} == {401}
    calls = here.calls + there.calls
    assert await asyncio.to_thread(second.stop) == 0, second.log
    assert await asyncio.to_thread(forked.stop) == 0, forked.server.log
    served = [call for call in calls if call.status == 200]
    assert statuses(forked.data_dir) == {call.request_id: "completed" for call in served}
    assert journal_runs(forked.data_dir) == []


async def test_the_survivor_books_what_the_dead_one_had_begun(forked: ForkedStack, second: Forked) -> None:
    user = forked.user("survived", openai="sk-test-shared-2")
    async with running(second.url, user.key, [[chat("openai/echo")]] * 4) as load:
        await load.until(lambda calls: len(calls) > 8)
    endless = asyncio.create_task(ask(second.url, user.key, chat("openai/slow-60000")))
    await _until_one_is_open(second.url)
    os.kill(second.pid, signal.SIGKILL)
    assert (await endless).status is None
    await asyncio.to_thread(forked.server.output.wait_for, "journal of a dead process stored", 45.0)
    rows = statuses(forked.data_dir)
    assert {call.request_id for call in load.calls} <= rows.keys()
    assert sorted(rows.values()) == ["completed"] * len(load.calls) + ["interrupted"]


async def _until_one_is_open(url: str) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client, asyncio.timeout(60):
        while True:
            if "ownkey_open_requests 1.0" in (await client.get(url + "/metrics")).text:
                return
            await asyncio.sleep(0.02)
