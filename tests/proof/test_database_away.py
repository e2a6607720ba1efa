"""The database goes away, is slow or is locked while calls flow: warm keys go on, and no usage is lost."""

import asyncio
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import asyncpg
import httpx2
import psutil
import pytest
from tests.proof.books import journal_runs, statuses
from tests.proof.load import Load, chat, message, running
from tests.proof.servers import ForkedStack, Launcher
from tests.services import postgres
from tests.services.postgres import Cluster
from tests.services.stack import Process, User

MIX = [chat("openai/echo"), message("openai/lorem-20", stream=True), chat("openai/lorem-20", stream=True)]


class OwnPostgres:
    """A Postgres of this module's own, which it may stop, freeze and start again."""

    def __init__(self, folder: Path) -> None:
        self.cluster = Cluster(folder)
        self._programs = postgres._programs()
        # The server ends with the thread that started it: it must be one that lives as long.
        self._starter = ThreadPoolExecutor(1)
        postgres._hand_over(folder)
        postgres._initialise(self._programs, self.cluster)

    def start(self) -> None:
        self._starter.submit(self._start).result()

    def close(self) -> None:
        self.stop()
        self._starter.shutdown()

    def _start(self) -> None:
        with (self.cluster.folder / "log").open("ab") as log:
            self._server = postgres._start(self._programs, self.cluster, log.fileno())
        postgres._wait_until_ready(self.cluster, self._server)

    def stop(self) -> None:
        """With connections cut, but not as a crash: this cluster does not flush to disk."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait(30)

    @contextmanager
    def frozen(self) -> Generator[None]:
        """Alive, connected, and silent: slow is worse than dead."""
        parent = psutil.Process(self._server.pid)
        processes = [parent, *parent.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[OwnPostgres]:
    folder = Path(tempfile.mkdtemp(prefix="ownkey-pg-away-"))
    try:
        own = OwnPostgres(folder)
        own.start()
        yield own
        own.close()
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def on_postgres(
    launcher: Launcher, sandbox: Process, tmp_path: Path, own_postgres: OwnPostgres
) -> Iterator[ForkedStack]:
    cluster = own_postgres.cluster
    url = cluster.url(asyncio.run(cluster.create()))
    stack = ForkedStack(launcher, tmp_path / "data", sandbox, OWNKEY_DATABASE_URL=url)
    yield stack
    stack.close()


async def warmed_up(load: Load, user: User) -> None:
    """Wait until the first calls' effects are written and read again: health states change what is held in memory."""
    async with asyncio.timeout(60):
        while await asyncio.to_thread(_status_of_key, user) != "valid":
            continue
    learnt = time.monotonic()
    await load.until(lambda calls: sum(call.sent > learnt + 1.0 for call in calls) > 20)


def _status_of_key(user: User) -> str:
    return user.api.get("/credentials").json()["items"][0]["status"]


async def test_calls_go_on_while_postgres_is_away(on_postgres: ForkedStack, own_postgres: OwnPostgres) -> None:
    user = on_postgres.user("warm", openai="sk-test-away-1")
    stranger = on_postgres.user("cold", openai="sk-test-away-2")
    async with running(on_postgres.url, user.key, [MIX] * 4) as load:
        await warmed_up(load, user)
        await asyncio.to_thread(own_postgres.stop)
        away = time.monotonic()
        try:
            await load.until(lambda calls: sum(call.sent > away for call in calls) > 60)
            assert (await _problems(on_postgres)) == ["database"]
            assert await _gauge(on_postgres, "ownkey_usage_pending") > 0
            assert await _gauge(on_postgres, "ownkey_usage_writer_failing") == 1
            # Who is not known yet cannot be looked up: a clear refusal, not somebody else's key.
            refused = await asyncio.to_thread(stranger.chat, "openai/echo")
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "unavailable")
        finally:
            await asyncio.to_thread(own_postgres.start)
        await _until_ready(on_postgres)
        back = len(load.calls)
        await load.until(lambda calls: len(calls) > back + 20)
        welcome = await asyncio.to_thread(stranger.chat, "openai/echo")
        assert welcome.status_code == 200, welcome.text
    bad = [call for call in load.calls if call.status != 200 or not call.whole]
    assert bad == [], (len(bad), bad[:3])
    assert on_postgres.stop() == 0, on_postgres.server.log
    rows = await _statuses(on_postgres)
    assert {call.request_id for call in load.calls} <= rows.keys()
    assert set(rows.values()) == {"completed"}


async def test_calls_go_on_while_postgres_is_silent(on_postgres: ForkedStack, own_postgres: OwnPostgres) -> None:
    user = on_postgres.user("patient", openai="sk-test-away-3")
    async with running(on_postgres.url, user.key, [MIX] * 4) as load:
        await warmed_up(load, user)
        with own_postgres.frozen():
            frozen = time.monotonic()
            await load.until(lambda calls: sum(call.sent > frozen for call in calls) > 60)
            # Frozen, the database answers nobody: that there is an answer means that nobody waits for it.
            assert (await _problems(on_postgres)) == ["database"]
        await _until_ready(on_postgres)
    bad = [call for call in load.calls if call.status != 200 or not call.whole]
    assert bad == [], (len(bad), bad[:3])
    assert on_postgres.stop() == 0, on_postgres.server.log
    assert {call.request_id for call in load.calls} <= (await _statuses(on_postgres)).keys()


async def test_what_postgres_has_not_got_at_the_stop_comes_with_the_next_start(
    on_postgres: ForkedStack, own_postgres: OwnPostgres
) -> None:
    user = on_postgres.user("later", openai="sk-test-away-4")
    async with running(on_postgres.url, user.key, [MIX] * 2) as load:
        await warmed_up(load, user)
        await asyncio.to_thread(own_postgres.stop)
        away = time.monotonic()
        await load.until(lambda calls: sum(call.sent > away for call in calls) > 20)
    status = await asyncio.to_thread(on_postgres.stop)
    await asyncio.to_thread(own_postgres.start)
    assert status == 0, on_postgres.server.log
    assert len(journal_runs(on_postgres.data_dir)) == 1
    await asyncio.to_thread(on_postgres.start)
    await asyncio.to_thread(on_postgres.server.output.wait_for, "journal of a dead process stored")
    rows = await _statuses(on_postgres)
    assert rows == {call.request_id: "completed" for call in load.calls}


async def test_calls_go_on_while_another_process_holds_sqlites_lock(forked: ForkedStack) -> None:
    user = forked.user("locked", openai="sk-test-away-5")
    async with running(forked.url, user.key, [MIX] * 4) as load:
        await warmed_up(load, user)
        with closing(sqlite3.connect(forked.data_dir / "ownkey.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            locked = time.monotonic()
            creation = asyncio.create_task(asyncio.to_thread(_make_key, user))
            await load.until(lambda calls: sum(call.sent > locked + 1.5 for call in calls) > 20)
            assert not creation.done()
            # Who only reads is not held up.
            assert await _problems(forked) == []
            assert await _gauge(forked, "ownkey_usage_pending") > 0
            other.execute("ROLLBACK")
        assert await creation == 201
    bad = [call for call in load.calls if call.status != 200 or not call.whole]
    assert bad == [], (len(bad), bad[:3])
    assert forked.stop() == 0, forked.server.log
    assert statuses(forked.data_dir) == {call.request_id: "completed" for call in load.calls}


def _make_key(user: User) -> int:
    return user.api.post("/api-keys", json={"name": "while locked"}).status_code


async def _problems(stack: ForkedStack) -> list[str]:
    async with httpx2.AsyncClient(timeout=30.0, trust_env=False) as client:
        answer = await client.get(stack.url + "/readyz")
    assert answer.status_code == (503 if answer.json()["problems"] else 200)
    return answer.json()["problems"]


async def _until_ready(stack: ForkedStack) -> None:
    async with asyncio.timeout(60):
        while await _problems(stack):
            continue


async def _gauge(stack: ForkedStack, name: str) -> float:
    async with httpx2.AsyncClient(timeout=30.0, trust_env=False) as client:
        text = (await client.get(stack.url + "/metrics")).text
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " "))


async def _statuses(stack: ForkedStack) -> dict[str, str]:
    connection = await asyncpg.connect(stack.database_url)
    try:
        return {row["id"]: row["status"] for row in await connection.fetch("SELECT id, status FROM requests")}
    finally:
        await connection.close()
