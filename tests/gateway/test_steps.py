"""Requests for which everything is in memory: answered without a task, with the same answers and accounts."""

import asyncio
import json
import os
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ownkey.config import load_settings
from ownkey.gateway import steps
from ownkey.gateway.edge.http1 import Exchange
from ownkey.gateway.streams import PassedStream
from ownkey.main.lifecycle import DrainingServer, ServerReadiness
from ownkey.main.server import _open, _uvicorn_config
from ownkey.main.starting import prepare_first_operator
from ownkey.storage import usage

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]
OPERATOR = {"email": "operator@example.com", "password": "correct horse battery"}


def body(text: str = "hello") -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    used = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    return json.dumps(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": used}
    ).encode()


def head(length: int, status: int = 200, kind: str = "application/json") -> bytes:
    return f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n".encode()


def reply(content: bytes, status: int = 200, kind: str = "application/json") -> Reply:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(head(len(content), status, kind) + content)

    return send


async def never(writer: asyncio.StreamWriter) -> None:
    """Keep the request and answer nothing."""
    await asyncio.Event().wait()


class Provider:
    """Answers with what the test puts into `replies`, on connections that stay open."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.asked = asyncio.Semaphore(0)
        self.connections = 0
        self.keys: list[str] = []
        self._served: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Give up every connection."""
        for task in self._served:
            task.cancel()
        await asyncio.gather(*self._served, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._served.add(task)
        self.connections += 1
        try:
            await self._talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            fields = dict(line.split(": ", 1) for line in lines[1:] if line)
            await reader.readexactly(int(fields["content-length"]))
            self.keys.append(fields["authorization"].removeprefix("Bearer "))
            self.asked.release()
            answer = self.replies.pop(0) if self.replies else reply(body())
            await answer(writer)


class Warm:
    """A server whose next request by `ask` finds everything in memory and a connection open."""

    def __init__(self, server: DrainingServer, parts: Any, url: str, key: str, provider: Provider) -> None:
        self.server = server
        self.parts = parts
        self.key = key
        self.provider = provider
        self.awaited = 0
        """Waits that needed a task."""
        self.client = httpx2.AsyncClient(base_url=url, headers={"authorization": f"Bearer {key}"}, trust_env=False)

    async def ask(self, **more: Any) -> httpx2.Response:
        question = {"model": "groq/m", "messages": [{"role": "user", "content": "hi"}]} | more
        return await self.client.post("/v1/chat/completions", json=question, timeout=30.0)

    async def books(self, answered: httpx2.Response) -> Any:
        return await self.row(answered.headers["x-ownkey-request-id"])

    async def row(self, request_id: str) -> Any:
        await self.parts.gateway.flush_usage()
        async with self.parts.database.read() as connection:
            return await usage.get(connection, None, request_id)

    async def all_rows(self) -> list[Any]:
        await self.parts.gateway.flush_usage()
        async with self.parts.database.read() as connection:
            return (await usage.list_page(connection, None)).items


@pytest.fixture
async def warm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Warm]:
    provider = Provider()
    upstream = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    host, port = upstream.sockets[0].getsockname()
    settings = load_settings(
        {
            "OWNKEY_DATA_DIR": str(tmp_path),
            "OWNKEY_ADMIN_EMAIL": OPERATOR["email"],
            "OWNKEY_ADMIN_PASSWORD": OPERATOR["password"],
            "OWNKEY_PROVIDER_GROQ_BASE_URL": f"http://{host}:{port}",
            "OWNKEY_SHUTDOWN_GRACE": "1",
        },
        {},
        None,
    )
    async with upstream, AsyncExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        readiness = ServerReadiness()
        parts, control = await _open(stack, settings, readiness, None)
        await prepare_first_operator(settings, control, "http://127.0.0.1")
        config = _uvicorn_config(settings, parts, control)
        server = DrainingServer(config, readiness, 0.0)
        serving = asyncio.create_task(server.serve([listener]))
        url = "http://{}:{}".format(*listener.getsockname())
        key = await _account(url)
        ready = Warm(server, parts, url, key, provider)
        wait_in_task = steps._Awaited.then

        def counted(self: Any, waiter: Any) -> None:
            ready.awaited += 1
            wait_in_task(self, waiter)

        monkeypatch.setattr(steps._Awaited, "then", counted)
        # The first answer proves the keys good, which is written down and read again: only then all is quiet.
        assert (await ready.ask()).status_code == 200
        await parts.gateway.flush_usage()
        await parts.pipeline._health.write()
        await parts.gateway.changed()
        assert (await ready.ask()).status_code == 200
        ready.awaited = 0
        assert (await ready.ask()).status_code == 200
        assert (ready.awaited, provider.connections) == (0, 1)
        yield ready
        await ready.client.aclose()
        server.stop("the test is over")
        await serving
    await provider.close()


async def _account(url: str) -> str:
    async with httpx2.AsyncClient(base_url=url + "/api/v1", trust_env=False, timeout=30.0) as client:
        assert (await client.post("/auth/login", json=OPERATOR)).is_success
        for number in (1, 2):
            stored = {"provider": "groq", "api_key": f"gsk_warm_{number}", "test": False, "priority": number}
            answered = await client.post("/credentials", json=stored)
            assert answered.status_code == 201, answered.text
        return (await client.post("/api-keys", json={"name": "warm"})).json()["key"]


async def test_an_answer_has_its_receipt_and_its_row(warm: Warm) -> None:
    warm.provider.replies.append(reply(body("warm")))
    answered = await warm.ask()
    assert answered.json()["choices"][0]["message"]["content"] == "warm"
    assert answered.headers["x-ownkey-attempts"] == "1"
    assert answered.headers["x-ownkey-cost-usd"]
    row = await warm.books(answered)
    assert (row.status, row.input_tokens, row.output_tokens, row.attempts) == ("completed", 3, 5, 1)
    assert row.ttft_ms is not None
    assert "answered" in row.detail


async def test_an_answer_in_pieces_is_read_to_its_end(warm: Warm) -> None:
    content = body("in pieces")

    async def send(writer: asyncio.StreamWriter) -> None:
        for piece in (head(len(content))[:20], head(len(content))[20:], content[:10], content[10:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    warm.provider.replies.append(send)
    answered = await warm.ask()
    assert answered.content == content
    assert (await warm.books(answered)).status == "completed"
    assert warm.awaited == 0


async def test_a_stream_needs_no_task(warm: Warm) -> None:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    first = chunk | {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}]}
    last = chunk | {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}}
    events = b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in (first, last)) + b"data: [DONE]\n\n"
    warm.provider.replies.append(reply(events, kind="text/event-stream"))
    answered = await warm.ask(stream=True)
    assert answered.text.endswith("data: [DONE]\n\n")
    row = await warm.books(answered)
    assert (row.status, row.streamed, row.output_tokens) == ("completed", True, 1)
    assert warm.awaited == 0


@pytest.mark.parametrize("status", [401, 503])
async def test_the_second_key_answers_when_the_first_is_refused(warm: Warm, status: int) -> None:
    warm.provider.replies += [reply(b'{"error":{"message":"no"}}', status), reply(body("second"))]
    answered = await warm.ask()
    assert answered.json()["choices"][0]["message"]["content"] == "second"
    assert warm.provider.keys[-2:] == ["gsk_warm_1", "gsk_warm_2"]
    row = await warm.books(answered)
    assert (row.status, row.attempts) == ("completed", 2)


async def test_a_connection_lost_in_the_middle_fails_over_to_the_second_key(warm: Warm) -> None:
    async def lose(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    warm.provider.replies += [lose, reply(body("second"))]
    answered = await warm.ask()
    assert answered.json()["choices"][0]["message"]["content"] == "second"
    assert (await warm.books(answered)).attempts == 2


@pytest.mark.parametrize("content", [b"<html>log in</html>", b"no json"])
async def test_what_is_no_answer_is_told_as_an_error(warm: Warm, content: bytes) -> None:
    kind = "text/html" if content.startswith(b"<") else "application/json"
    warm.provider.replies += [reply(content, kind=kind)] * 2
    answered = await warm.ask()
    assert answered.status_code == 502
    assert answered.json()["error"]["code"] == "upstream_error"
    assert (await warm.books(answered)).status == "failed"


async def test_a_client_that_leaves_ends_the_request(warm: Warm) -> None:
    warm.provider.replies.append(never)
    while not warm.provider.asked.locked():
        await warm.provider.asked.acquire()
    asking = asyncio.create_task(warm.ask())
    await warm.provider.asked.acquire()
    asking.cancel()
    await asyncio.wait([asking])
    async with asyncio.timeout(60):
        while warm.parts.ledger._own_journal.open_requests:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    newest = (await warm.all_rows())[0]
    assert newest.status == "cancelled"
    assert (newest.error, newest.output_tokens) == ("cancelled", 0)
    # What the provider was still working on is not reused, and the next request is answered.
    assert (await warm.ask()).status_code == 200
    assert warm.provider.connections == 2


async def test_a_server_that_stops_answers_and_settles_what_takes_too_long(warm: Warm) -> None:
    warm.provider.replies.append(never)
    while not warm.provider.asked.locked():
        await warm.provider.asked.acquire()
    asking = asyncio.create_task(warm.ask())
    await warm.provider.asked.acquire()
    warm.server.stop("told to")
    answered = await asking
    assert answered.status_code == 503
    newest = (await warm.all_rows())[0]
    assert (newest.status, newest.error) == ("interrupted", "interrupted")


async def test_a_journal_that_refuses_stops_the_request_before_anything_is_sent(
    warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = len(warm.provider.keys)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    answered = await warm.ask()
    monkeypatch.undo()
    assert answered.status_code == 503
    assert len(warm.provider.keys) == asked


async def test_requests_on_one_connection_are_answered_in_order(warm: Warm) -> None:
    warm.provider.replies += [reply(body(str(number))) for number in range(20)]
    texts = [(await warm.ask()).json()["choices"][0]["message"]["content"] for _ in range(20)]
    assert texts == [str(number) for number in range(20)]


def pieces(*texts: str) -> list[bytes]:
    """A streamed chat's events with these texts, each as a chunk of a body."""
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    events = [chunk | {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]} for text in texts]
    lines = [b"data: %b\n\n" % json.dumps(event).encode() for event in events]
    return [b"%x\r\n%b\r\n" % (len(line), line) for line in lines]


CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize("last", [True, False])
async def test_what_goes_wrong_while_a_stream_is_relayed_ends_it(
    warm: Warm, monkeypatch: pytest.MonkeyPatch, begun: bool, last: bool
) -> None:
    """The bytes come by a call from the connection: an exception there must reach the request all the same."""
    feed = PassedStream.feed

    def fails(self: PassedStream, chunk: bytes) -> bytes:
        if b"fatal" in chunk:
            raise LookupError("a mistake of ours")
        return feed(self, chunk)

    monkeypatch.setattr(PassedStream, "feed", fails)
    fine, fatal = pieces("fine", "fatal")
    client_has_begun = asyncio.Event()

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + (fine if begun else b""))
        await client_has_begun.wait()
        writer.write(fatal + (b"0\r\n\r\n" if last else b""))
        if not last:
            await asyncio.Event().wait()

    warm.provider.replies.append(send)
    asyncio.get_running_loop().call_later(0.2, client_has_begun.set)
    async with asyncio.timeout(20):
        answered = await warm.ask(stream=True)
    assert (answered.status_code, "fine" in answered.text) == ((200, True) if begun else (500, False))
    assert "internal_error" in answered.text
    row = await warm.books(answered)
    assert (row.status, row.error) == ("failed", "internal_error")
    assert not warm.server.server_state.tasks


async def test_a_ping_that_fails_ends_the_request(warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is called by a timer, whose exceptions nobody would see."""

    def fails(_: object) -> bytes:
        raise LookupError("a mistake of ours")

    monkeypatch.setattr("ownkey.gateway.relayed.ping_of", fails)
    monkeypatch.setattr(warm.parts.pipeline._relay, "_ping_interval", 0.05)

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + pieces("fine")[0])
        await never(writer)

    warm.provider.replies.append(send)
    async with asyncio.timeout(20):
        answered = await warm.ask(stream=True)
    assert "internal_error" in answered.text
    assert (await warm.books(answered)).error == "internal_error"
    assert not warm.server.server_state.tasks


class Raw:
    """A client that writes what it likes."""

    def __init__(self, warm: Warm) -> None:
        self._key = warm.key
        self._url = warm.client.base_url

    def request(self, path: str, **question: Any) -> bytes:
        content = json.dumps({"model": "groq/m", "messages": [{"role": "user", "content": "hi"}]} | question).encode()
        fields = f"host: x\r\nauthorization: Bearer {self._key}\r\ncontent-type: application/json"
        return f"POST {path} HTTP/1.1\r\n{fields}\r\ncontent-length: {len(content)}\r\n\r\n".encode() + content

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._url.host, self._url.port)


async def test_requests_that_wait_behind_another_do_not_share_its_stack(
    warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Raw(warm)
    depths: list[int] = []
    answer = Exchange.answer

    def measured(self: Exchange, *args: Any) -> None:
        depths.append(len(traceback.extract_stack(limit=None)))
        answer(self, *args)

    monkeypatch.setattr(Exchange, "answer", measured)
    reader, writer = await client.connect()
    writer.write(client.request("/v1/chat/completions"))
    writer.write(client.request("/v1/messages/count_tokens", max_tokens=5) * 64)
    async with asyncio.timeout(60):
        for _ in range(65):
            head_ = await reader.readuntil(b"\r\n\r\n")
            assert head_.startswith(b"HTTP/1.1 200 ")
            await reader.readexactly(int(head_.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    writer.close()
    assert max(depths) - min(depths) < 100


async def test_a_server_that_stops_begins_nothing_that_waits_behind_what_it_cuts_off(warm: Warm) -> None:
    warm.provider.replies += [never] * 3
    while not warm.provider.asked.locked():
        await warm.provider.asked.acquire()
    client = Raw(warm)
    reader, writer = await client.connect()
    writer.write(client.request("/v1/chat/completions") * 3)
    await warm.provider.asked.acquire()
    warm.server.stop("told to")
    async with asyncio.timeout(20):
        answered = await reader.read()
    writer.close()
    assert answered.count(b"HTTP/1.1 503 ") == 1
    assert b"connection: close" in answered
    assert warm.provider.asked.locked()
    assert not warm.server.server_state.tasks
    assert [row.status for row in await warm.all_rows()][:2] == ["interrupted", "completed"]
