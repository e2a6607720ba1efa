"""Clients that leave in every phase, and a server that stops while they are served."""

import asyncio
import gc
from typing import Any

import pytest
from tests.gateway.edge.harness import PLAIN, AwaitableResponder, Client, Serve, Served, get, post

from ownkey.gateway.edge.exchange import Request


@pytest.mark.parametrize("half", [False, True])
async def test_leaving_before_the_request_is_complete_starts_no_handler(serve: Serve, half: bool) -> None:
    started: list[str] = []

    async def handler(request: Request, responder: AwaitableResponder) -> None:
        started.append(request.path)

    served = await serve(handler)
    raw = post("/v1/x", b"hello")
    for length in (0, 1, 10, len(raw) - 5, len(raw) - 1):
        client = await served.connect()
        await client.send(raw[:length])
        await served.until(lambda: bool(served.connections))
        if half:
            client.writer.write_eof()
        else:
            client.leave()
        await served.until(lambda: not served.connections)
    assert started == []


async def test_half_closing_counts_as_leaving(serve: Serve) -> None:
    over = asyncio.Event()

    async def handler(_: Request, responder: AwaitableResponder) -> None:
        responder.start(200, PLAIN, None)
        responder.write(b"x")
        await responder.left
        over.set()

    client = await (await serve(handler)).connect()
    await client.send(get("/v1/x"))
    await client.reader.readuntil(b"1\r\nx\r\n")
    client.writer.write_eof()
    async with asyncio.timeout(30):
        await over.wait()


async def test_half_closing_frees_a_writer_that_is_held_back(serve: Serve) -> None:
    over = asyncio.Event()
    held_back = asyncio.Event()

    async def handler(_: Request, responder: AwaitableResponder) -> None:
        responder.start(200, PLAIN, None)
        while not responder.gone:
            responder.write(b"x" * 65_536)
            asyncio.get_running_loop().call_later(0.05, held_back.set)
            await responder.drain()
        over.set()

    served = await serve(handler)
    client = await served.connect(receive_buffer=8192)
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await client.send(get("/v1/x"))
    await held_back.wait()
    client.writer.write_eof()
    async with asyncio.timeout(30):
        await over.wait()


async def test_every_request_on_a_lost_connection_is_told(serve: Serve) -> None:
    running, over = asyncio.Event(), asyncio.Event()
    started: list[str] = []

    async def handler(request: Request, responder: AwaitableResponder) -> None:
        started.append(request.path)
        running.set()
        await responder.left
        over.set()

    served = await serve(handler)
    client = await served.connect()
    await client.send(get("/v1/running") + get("/v1/waiting") + post("/api/waiting", b"x") + b"GET /v1/half HT")
    await running.wait()
    (connection,) = served.connections
    # With requests waiting nothing is read, so the loss shows when it is looked for.
    connection.flow.resume_reading()
    client.reset()
    async with asyncio.timeout(30):
        await over.wait()
    await served.until(lambda: not served.server.server_state.tasks)
    assert started == ["/v1/running"]


async def test_leaving_after_the_answer_tells_nobody(serve: Serve) -> None:
    responders: list[AwaitableResponder] = []
    lefts: list[asyncio.Future[None]] = []

    async def handler(_: Request, responder: AwaitableResponder) -> None:
        responders.append(responder)
        lefts.append(responder.left)
        responder.answer(200, PLAIN, b"ok")

    served = await serve(handler)
    client = await served.connect()
    await client.send(get("/v1/x"))
    await client.answer()
    client.leave()
    await served.until(lambda: not served.connections)
    assert not responders[0].gone
    assert not lefts[0].done()


async def test_an_idle_connection_keeps_no_body(serve: Serve) -> None:
    served = await serve()
    client = await served.connect()
    await client.send(post("/v1/x", b"y" * 5_000_000))
    await client.answer()
    (connection,) = served.connections
    assert connection.service.buffered.held == 0
    assert not [each for each in gc.get_objects() if isinstance(each, Request) and len(each.body) == 5_000_000]


async def test_a_handler_that_cancels_itself_when_the_client_leaves_ends_quietly(serve: Serve) -> None:
    waiting = asyncio.Event()
    ends: list[str] = []

    async def handler(_: Request, responder: AwaitableResponder) -> None:
        task = asyncio.current_task()
        assert task is not None
        responder.left.add_done_callback(lambda _: task.cancel())
        waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("settled")

    served = await serve(handler)
    client = await served.connect()
    await client.send(get("/v1/x"))
    await waiting.wait()
    client.leave()
    await served.until(lambda: ends == ["settled"] and not served.server.server_state.tasks)


class Stopping:
    """A handler that streams until told to end, and says when it began."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.end = asyncio.Event()
        self.ends: list[str] = []

    async def __call__(self, request: Request, responder: AwaitableResponder) -> None:
        self.began.set()
        try:
            if request.path == "/v1/stream":
                responder.start(200, PLAIN, None)
                responder.write(b"first")
            await self.end.wait()
            if request.path == "/v1/stream":
                responder.write(b"last")
                responder.end()
            else:
                responder.answer(200, PLAIN, b"whole")
            self.ends.append("answered")
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise


async def _stopping(serve: Serve, path: str, **options: Any) -> tuple[Stopping, Served, Client]:
    handler = Stopping()
    served = await serve(handler.__call__, **options)
    client = await served.connect()
    await client.send(get(path))
    await handler.began.wait()
    return handler, served, client


@pytest.mark.parametrize("path", ["/v1/stream", "/v1/whole"])
async def test_stopping_lets_the_running_exchange_finish_and_closes_idle_connections(serve: Serve, path: str) -> None:
    handler, served, client = await _stopping(serve, path)
    idle = await served.connect()
    await idle.send(get("/api/x"))
    await idle.answer()
    stopping = served.stop()
    assert await idle.at_end()
    assert not stopping.done()
    handler.end.set()
    answer = await client.answer()
    assert (answer.body, answer.complete) == (b"firstlast" if path == "/v1/stream" else b"whole", True)
    assert answer.headers.get("connection") == (None if path == "/v1/stream" else "close")
    assert await client.at_end()
    await stopping
    assert handler.ends == ["answered"]


async def test_stopping_answers_what_is_already_waiting_on_a_connection(serve: Serve) -> None:
    handler, served, client = await _stopping(serve, "/v1/stream")
    await client.send(get("/v1/whole") + get("/api/x"))
    await served.until(lambda: len(served.connections[0].pipeline) == 2)
    stopping = served.stop()
    handler.end.set()
    assert [(await client.answer()).status for _ in range(3)] == [200, 200, 200]
    assert await client.at_end()
    await stopping


@pytest.mark.parametrize("path", ["/v1/stream", "/v1/whole"])
async def test_the_end_of_the_grace_period_cancels_handlers_so_that_they_settle(serve: Serve, path: str) -> None:
    handler, served, client = await _stopping(serve, path, timeout_graceful_shutdown=0.2)
    await served.stop()
    await served.until(lambda: handler.ends == ["cancelled"])
    answer = await client.answer()
    if path == "/v1/stream":
        assert (answer.status, answer.complete) == (200, False)
    else:
        assert (answer.status, answer.json["code"]) == (503, "unavailable")
    assert await client.at_end()
