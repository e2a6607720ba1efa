"""What a handler may rely on, whichever adapter carries it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.gateway.edge.asgi_adapter import asgi_data_plane
from tests.gateway.edge.harness import (
    PLAIN,
    AsyncHandler,
    AwaitableResponder,
    Serve,
    Served,
    control_app,
    echo,
    get,
    in_task,
    post,
    render_error,
    serving,
)

from ownkey.gateway.edge.exchange import Request
from ownkey.gateway.edge.limits import Limits
from ownkey.gateway.edge.protocol import data_plane_protocol


@pytest.fixture(params=["protocol", "asgi"])
async def carry(request: pytest.FixtureRequest) -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def start(handler: AsyncHandler = echo, **limits: Any) -> Served:
            bounds = Limits(**limits)
            if request.param == "protocol":
                http: Any = data_plane_protocol(in_task(handler), bounds, render_error)
                return await stack.enter_async_context(serving(http, control_app, {}))
            app = asgi_data_plane(in_task(handler), bounds, render_error, control_app)
            return await stack.enter_async_context(serving("httptools", app, {}))

        yield start


async def test_a_request_arrives_whole(carry: Serve) -> None:
    served = await carry()
    answer = await served.ask(post("/v1/a%20b%2Fc?x=%20&y", b"hello", "X-One: 1", "X-Two: a", "x-two: b"))
    seen = answer.json
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert (seen["method"], seen["path"], seen["query"]) == ("POST", "/v1/a b/c", "x=%20&y")
    assert (seen["body"], seen["peer"]) == ("hello", "127.0.0.1")
    assert [value for name, value in seen["headers"] if name == "x-two"] == ["a", "b"]


async def test_lookups_tell_repeated_fields(carry: Serve) -> None:
    found: list[Any] = []

    async def handler(request: Request, responder: AwaitableResponder) -> None:
        found.append(request.header(b"x-api-key"))
        found.append(request.headers(b"x-api-key"))
        found.append(request.header(b"absent"))
        found.append(request.headers(b"absent"))
        responder.answer(200, (), b"")

    served = await carry(handler)
    await served.ask(get("/v1/models", "X-Api-Key: one", "x-api-key: two"))
    assert found == [b"one", [b"one", b"two"], None, []]


async def test_other_paths_go_to_the_application(carry: Serve) -> None:
    served = await carry()
    for path in ("/", "/api/v1/me", "/v1x", "/v2/chat", "/v1betax/"):
        assert (await served.ask(post(path, b"abc"))).json["asgi"]
    for path in ("/v1", "/v1/", "/v1/models", "/v1beta/models/x:generateContent", "/%76%31/models"):
        assert "asgi" not in (await served.ask(get(path))).json


async def test_a_stream_of_unknown_length_is_chunked(carry: Serve) -> None:
    async def handler(_: Request, responder: AwaitableResponder) -> None:
        responder.start(200, PLAIN, None)
        for piece in (b"one", b"", b"two", b"x" * 100_000):
            responder.write(piece)
            await responder.drain()
        responder.end()

    answer = await (await carry(handler)).ask(get("/v1/stream"))
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.complete
    assert answer.body == b"onetwo" + b"x" * 100_000


async def test_a_stream_of_known_length_says_so(carry: Serve) -> None:
    async def handler(_: Request, responder: AwaitableResponder) -> None:
        responder.start(201, PLAIN, 6)
        responder.write(b"one")
        responder.write(b"two")
        responder.end()

    answer = await (await carry(handler)).ask(get("/v1/stream"))
    assert (answer.status, answer.headers["content-length"], answer.body) == (201, "6", b"onetwo")


async def test_pieces_arrive_when_they_are_written(carry: Serve) -> None:
    go_on = asyncio.Event()

    async def handler(_: Request, responder: AwaitableResponder) -> None:
        responder.start(200, PLAIN, None)
        responder.write(b"first")
        await go_on.wait()
        responder.write(b"second")
        responder.end()

    client = await (await carry(handler)).connect()
    await client.send(get("/v1/stream"))
    assert (await client.reader.readuntil(b"first")).endswith(b"first")
    go_on.set()
    assert (await client.reader.readuntil(b"0\r\n\r\n")).endswith(b"second\r\n0\r\n\r\n")


@pytest.mark.parametrize("streamed", [False, True])
async def test_head_gets_no_body(carry: Serve, streamed: bool) -> None:
    async def handler(_: Request, responder: AwaitableResponder) -> None:
        if streamed:
            responder.start(200, PLAIN, 5)
            responder.write(b"hello")
            responder.end()
        else:
            responder.answer(200, PLAIN, b"hello")

    client = await (await carry(handler)).connect()
    for _ in range(2):
        await client.send(get("/v1/models").replace(b"GET", b"HEAD"))
        answer = await client.answer("HEAD")
        assert (answer.status, answer.headers["content-length"]) == (200, "5")


async def test_an_answer_without_content_has_no_length(carry: Serve) -> None:
    async def handler(_: Request, responder: AwaitableResponder) -> None:
        responder.answer(204, (), b"")

    client = await (await carry(handler)).connect()
    for _ in range(2):
        await client.send(get("/v1/models"))
        answer = await client.answer()
        assert answer.status == 204
        assert "content-length" not in answer.headers


@pytest.mark.parametrize("how", ["abort", "short", "return", "raise"])
async def test_an_unfinished_stream_is_seen_as_truncated(carry: Serve, how: str) -> None:
    async def handler(_: Request, responder: AwaitableResponder) -> None:
        responder.start(200, PLAIN, 100 if how == "short" else None)
        responder.write(b"half")
        await responder.drain()
        match how:
            case "abort":
                responder.abort()
            case "short":
                responder.end()
            case "raise":
                raise LookupError("sk-secret")
            case _:
                pass

    served = await carry(handler)
    client = await served.connect()
    await client.send(get("/v1/stream"))
    status, headers = await client.head()
    rest = await client.reader.read()
    assert status == 200
    assert b"half" in rest
    assert not rest.endswith(b"0\r\n\r\n")
    assert headers.get("content-length", "100") == "100"


@pytest.mark.parametrize("how", ["return", "raise"])
async def test_a_handler_that_does_not_answer_gives_500_without_its_reasons(carry: Serve, how: str) -> None:
    async def handler(_: Request, responder: AwaitableResponder) -> None:
        if how == "raise":
            raise LookupError("sk-secret")

    answer = await (await carry(handler)).ask(get("/v1/models"))
    assert answer.status == 500
    assert answer.json["path"] == "/v1/models"
    assert b"sk-secret" not in answer.body


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_unfit_header_is_refused_before_a_byte_is_sent(carry: Serve, streamed: bool) -> None:
    unfit = [
        (b"x-a", b"b\r\nset-cookie: c"),
        (b"x-a", b"b\nc"),
        (b"x-a", b"b\rc"),
        (b"x-a", b"b\x00c"),
        (b"x-a", b"b\x7f"),
        (b"x-a\r\nx-b", b"c"),
        (b"x-a: b\r\nx", b"c"),
        (b"x a", b"c"),
        (b"", b"c"),
        (b"content-length", b"5"),
        (b"transfer-encoding", b"chunked"),
        (b"connection", b"close"),
    ]

    async def handler(_: Request, responder: AwaitableResponder) -> None:
        for field in unfit:
            fields = [*PLAIN, field]
            with pytest.raises(ValueError, match="header"):
                responder.start(200, fields, None) if streamed else responder.answer(200, fields, b"never")
        responder.answer(418, PLAIN, b"teapot")

    answer = await (await carry(handler)).ask(get("/v1/models"))
    assert (answer.status, answer.body) == (418, b"teapot")
    assert set(answer.headers) == {"content-type", "content-length", "date"}


async def test_misuse_of_the_responder_is_an_error(carry: Serve) -> None:
    async def handler(_: Request, responder: AwaitableResponder) -> None:
        with pytest.raises(RuntimeError):
            responder.write(b"early")
        with pytest.raises(RuntimeError):
            responder.end()
        with pytest.raises(ValueError, match="status"):
            responder.answer(100, (), b"")
        responder.start(200, PLAIN, 4)
        with pytest.raises(RuntimeError):
            responder.answer(200, (), b"")
        with pytest.raises(RuntimeError):
            responder.write(b"too long")
        responder.write(b"good")
        responder.end()
        with pytest.raises(RuntimeError):
            responder.write(b"late")
        with pytest.raises(RuntimeError):
            responder.end()

    answer = await (await carry(handler)).ask(get("/v1/models"))
    assert (answer.body, answer.complete) == (b"good", True)


@pytest.mark.parametrize("started", [False, True])
async def test_a_client_that_leaves_is_told_and_nobody_is_cancelled(carry: Serve, started: bool) -> None:
    waiting, over = asyncio.Event(), asyncio.Event()
    told: list[bool] = []

    async def handler(_: Request, responder: AwaitableResponder) -> None:
        told.append(responder.gone)
        if started:
            responder.start(200, PLAIN, None)
            responder.write(b"x")
        waiting.set()
        await responder.left
        told.append(responder.gone)
        responder.write(b"into the void")
        await responder.drain()
        responder.end()
        if not started:
            responder.start(200, (), None)
            responder.answer(200, (), b"nobody")
        responder.abort()
        await asyncio.sleep(0)
        over.set()

    client = await (await carry(handler)).connect()
    await client.send(post("/v1/x", b"{}"))
    await waiting.wait()
    client.leave()
    async with asyncio.timeout(30):
        await over.wait()
    assert told == [False, True]


async def test_asking_for_left_after_the_fact_gives_a_finished_future(carry: Serve) -> None:
    waiting, over = asyncio.Event(), asyncio.Event()

    async def handler(_: Request, responder: AwaitableResponder) -> None:
        waiting.set()
        while not responder.gone:  # noqa: ASYNC110 (asking for the event would make it)
            await asyncio.sleep(0.002)
        assert responder.left.done()
        over.set()

    client = await (await carry(handler)).connect()
    await client.send(get("/v1/x"))
    await waiting.wait()
    client.leave()
    async with asyncio.timeout(30):
        await over.wait()


async def test_a_slow_reader_holds_the_writer_back(carry: Serve) -> None:
    piece = b"x" * 65_536
    written = 0

    async def handler(_: Request, responder: AwaitableResponder) -> None:
        nonlocal written
        responder.start(200, PLAIN, None)
        while written < 160:
            responder.write(piece)
            await responder.drain()
            written += 1
        responder.end()

    client = await (await carry(handler)).connect(receive_buffer=65_536)
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await client.send(get("/v1/x"))
    stood_still = -1
    while stood_still != written or not written:
        stood_still = written
        await asyncio.sleep(0.1)
    assert written < 130
    client.writer.transport.resume_reading()  # type: ignore[attr-defined]
    answer = await client.answer()
    assert (len(answer.body), written) == (160 * 65_536, 160)


async def test_a_writer_held_back_goes_on_when_the_client_leaves(carry: Serve) -> None:
    over = asyncio.Event()
    held_back = asyncio.Event()

    async def handler(_: Request, responder: AwaitableResponder) -> None:
        responder.start(200, PLAIN, None)
        while not responder.gone:
            responder.write(b"x" * 65_536)
            asyncio.get_running_loop().call_later(0.05, held_back.set)
            await responder.drain()
        over.set()

    client = await (await carry(handler)).connect(receive_buffer=65_536)
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await client.send(get("/v1/x"))
    await held_back.wait()
    client.leave()
    async with asyncio.timeout(30):
        await over.wait()


async def test_a_body_beyond_the_limit_is_refused_in_the_clients_shape(carry: Serve) -> None:
    served = await carry(body=1000)
    assert (await served.ask(post("/v1/x", b"x" * 1000))).status == 200
    answer = await served.ask(post("/v1/x", b"x" * 1001))
    assert (answer.status, answer.json["code"]) == (413, "request_too_large")
    chunked = b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await served.ask(chunked + b"3e8\r\n" + b"x" * 1000 + b"\r\n1\r\nx\r\n0\r\n\r\n")
    assert (answer.status, answer.json["path"]) == (413, "/v1/x")


async def test_a_target_that_two_readers_could_read_differently_is_refused(carry: Serve) -> None:
    served = await carry()
    for target, text in {
        "/v1/../api": "segments",
        "/v1/%2e%2E/api": "segments",
        "/v1/.": "segments",
        "/v1/%2e%2e%2fapi": "segments",
        "/v1/%00": "control",
        "/v1/%0d%0a": "control",
        "/v1/%5c": "backslash",
        "/v1/a%zz": "percent-encoded",
        "/v1/a%f": "percent-encoded",
        "/v1/%ff": "UTF-8",
        "/v1/%c0%ae%c0%ae/x": "UTF-8",
        "/v1/%ed%a0%80": "UTF-8",
    }.items():
        answer = await served.ask(get(target))
        assert answer.status == 400, target
        assert text in answer.json["message"]


@pytest.mark.parametrize("name", ["Host", "Content-Type", "Content-Encoding"])
async def test_repeated_fields_with_one_meaning_are_refused(carry: Serve, name: str) -> None:
    answer = await (await carry()).ask(get("/v1/x", f"{name}: a", f"{name.lower()}: a"))
    assert answer.status == 400
    assert "more than once" in answer.json["message"]


async def test_too_many_headers_are_refused(carry: Serve) -> None:
    served = await carry(fields=10)
    assert (await served.ask(get("/v1/x", *[f"X-{n}: 1" for n in range(9)]))).status == 200
    assert (await served.ask(get("/v1/x", *[f"X-{n}: 1" for n in range(10)]))).status == 431


async def test_large_bodies_share_a_budget(carry: Serve) -> None:
    hold, holding = asyncio.Event(), asyncio.Event()

    async def handler(request: Request, responder: AwaitableResponder) -> None:
        if request.path == "/v1/hold":
            holding.set()
            await hold.wait()
        responder.answer(200, PLAIN, b"%d" % len(request.body))

    served = await carry(handler, buffered=150_000)
    first = await served.connect()
    await first.send(post("/v1/hold", b"x" * 100_000))
    await holding.wait()
    refused = await served.ask(post("/v1/x", b"x" * 100_000))
    assert (refused.status, refused.json["code"]) == (503, "unavailable")
    hold.set()
    assert (await first.answer()).body == b"100000"
    assert (await served.ask(post("/v1/x", b"x" * 100_000))).body == b"100000"


async def test_forty_requests_at_once_keep_their_own_bodies(carry: Serve) -> None:
    served = await carry()

    async def one(number: int) -> None:
        body = json.dumps({"n": number}).encode()
        assert json.loads((await served.ask(post("/v1/x", body))).json["body"]) == {"n": number}

    await asyncio.gather(*(one(number) for number in range(40)))
