"""Sizes and deadlines, on both planes alike."""

import asyncio
import time

import pytest
from tests.gateway.edge.harness import PLAIN, AwaitableResponder, Client, Serve, Served, get, post

from ownkey.gateway.edge.exchange import Request

PATHS = ("/v1/x", "/api/x")


async def refused(served: Served, raw: bytes) -> tuple[int, str]:
    """(status, path given to the renderer) of a request that ends its connection."""
    client = await served.connect()
    await client.send(raw)
    answer = await client.answer()
    assert answer.headers["connection"] == "close"
    assert await client.at_end()
    return answer.status, answer.json["path"]


async def test_an_answer_to_a_body_beyond_the_limit_reaches_a_client_that_only_writes(serve: Serve) -> None:
    served = await serve(limits={"body": 1_000_000, "other_body": 100_000})
    for path in PATHS:
        for announced in (True, False):
            client = await served.connect()
            body = b"x" * 40_000_000
            head = post(path, b"").replace(b"Length: 0", b"Length: 40000000")
            if not announced:
                head = head.replace(b"Content-Length: 40000000", b"Transfer-Encoding: chunked") + b"2625a00\r\n"
            # Everything is written before anything is read, as most HTTP libraries do.
            await client.send(head, body)
            answer = await client.answer()
            assert (answer.status, answer.json["path"], answer.complete) == (413, path, True)
            client.leave()


async def test_the_application_has_its_own_smaller_limit(serve: Serve) -> None:
    served = await serve(limits={"body": 1000, "other_body": 10})
    assert (await served.ask(post("/api/x", b"x" * 10))).status == 200
    assert await refused(served, post("/api/x", b"x" * 11)) == (413, "/api/x")
    chunked = (
        b"POST /api/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n" + b"x" * 11 + b"\r\n0\r\n\r\n"
    )
    assert await refused(served, chunked) == (413, "/api/x")


async def test_a_chunked_body_of_the_application_is_cut_off_while_it_reads(serve: Serve) -> None:
    served = await serve(limits={"other_body": 1000})
    client = await served.connect()
    await client.send(b"POST /api/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" + b"x" * 1000)
    await served.until(lambda: bool(served.server.server_state.tasks))
    await client.send(b"\r\n1\r\nx\r\n")
    assert (await client.answer()).status == 413
    assert await client.at_end()
    await served.until(lambda: not served.server.server_state.tasks)


async def test_a_refusal_reaches_a_client_whose_body_nobody_reads(serve: Serve) -> None:
    forever = asyncio.Event()

    async def app(scope: object, receive: object, send: object) -> None:
        await forever.wait()

    served = await serve(app=app, limits={"other_body": 100_000})
    client = await served.connect()
    head = b"POST /api/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    await served.until(lambda: bool(served.connections))
    (connection,) = served.connections
    # Read at once, the first chunk makes uvicorn stop reading and the second is too much.
    connection.data_received(head + b"11170\r\n" + b"x" * 70_000 + b"\r\n1312d00\r\n" + b"x" * 40_000)
    async with asyncio.timeout(30):
        await client.send(b"x" * 20_000_000)
    assert (await client.answer()).status == 413
    forever.set()


async def test_heads_beyond_their_limits_are_refused(serve: Serve) -> None:
    served = await serve(limits={"head": 4000, "field": 2000, "target": 1000, "fields": 20})
    for path in PATHS:
        assert await refused(served, get(path, "X-Long: " + "x" * 2000)) == (431, path)
        assert await refused(served, get(path, *[f"X-{n}: " + "x" * 1500 for n in range(3)])) == (431, path)
        assert await refused(served, get(path, *["A:"] * 20)) == (431, path)
        assert (await refused(served, get(path + "?" + "x" * 1000)))[0] == 414
        assert (await served.ask(get(path, "X-Long: " + "x" * 1900))).status == 200
        assert (await served.ask(get(path + "?" + "x" * 900))).status == 200


@pytest.mark.parametrize(
    ("endless", "status"),
    [
        (b"GET /v1/" + b"x" * 100_000, 414),
        (b"GET /v1/x HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000, 431),
        (b"GET /v1/x HTTP/1.1\r\nHost: a\r\n" + b"x" * 100_000, 431),
        (b"GET /v1/x HTTP/1.1\r\nHost: a\r\n" + b"x:y\r\n" * 20_000, 431),
        (b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 100_000, 431),
        (b"POST /api/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: " + b"x" * 100_000, 431),
    ],
)
async def test_endless_heads_chunk_extensions_and_trailers_are_cut_off(
    serve: Serve, endless: bytes, status: int
) -> None:
    client = await (await serve(limits={"head": 10_000})).connect()
    for start in range(0, len(endless), 1000):
        client.writer.write(endless[start : start + 1000])
        await asyncio.sleep(0.001)
    assert (await client.answer()).status == status


async def test_a_large_pipelined_batch_does_not_count_as_one_head(serve: Serve) -> None:
    client = await (await serve(limits={"head": 2000, "target": 500})).connect()
    raw = get("/v1/x", "X-Some: " + "x" * 300) * 30
    await client.send(raw[:-100], raw[-100:])
    assert [(await client.answer()).status for _ in range(30)] == [200] * 30


@pytest.mark.parametrize("raw", [b"G", b"GET /v1/x HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"GET /api/x HTTP/1.1\r\n"])
async def test_a_head_that_never_ends_meets_its_deadline_however_it_trickles(serve: Serve, raw: bytes) -> None:
    client = await (await serve(limits={"head_seconds": 0.3})).connect()
    began = time.monotonic()
    await client.send(raw)
    trickle = asyncio.create_task(_trickle(client, b"" if raw == b"G" else b"x"))
    answer = await client.answer()
    assert time.monotonic() - began > 0.25
    assert (answer.status, answer.json["code"]) == (408, "request_timeout")
    trickle.cancel()


async def _trickle(client: Client, byte: bytes) -> None:
    # A method cannot grow for ever, so after half a method nothing follows.
    while byte:
        await client.send(byte)
        await asyncio.sleep(0.05)


async def test_a_connection_without_a_byte_is_closed(serve: Serve) -> None:
    client = await (await serve(limits={"head_seconds": 0.2})).connect()
    assert await client.at_end()


async def test_a_second_head_that_never_ends_meets_its_deadline(serve: Serve) -> None:
    client = await (await serve(limits={"head_seconds": 0.5})).connect()
    await client.send(get("/v1/x") + b"GET /v1/y HT")
    assert (await client.answer()).status == 200
    assert (await client.answer()).status == 408
    assert await client.at_end()


@pytest.mark.parametrize("path", PATHS)
async def test_a_body_that_never_ends_meets_its_deadline(serve: Serve, path: str) -> None:
    served = await serve(limits={"body_seconds": 0.3, "body_rate": 1_000_000})
    client = await served.connect()
    await client.send(post(path, b"x" * 1000)[:-500])
    trickle = asyncio.create_task(_trickle(client, b"x"))
    answer = await client.answer()
    assert (answer.status, answer.json["path"]) == (408, path)
    trickle.cancel()
    await served.until(lambda: not served.server.server_state.tasks)


async def test_a_body_that_keeps_the_pace_may_take_longer(serve: Serve) -> None:
    client = await (await serve(limits={"body_seconds": 0.2, "body_rate": 100})).connect()
    raw = post("/v1/x", b"x" * 1000)
    await client.send(raw[:-750])
    for start in range(len(raw) - 750, len(raw), 250):
        await client.send(raw[start : start + 250])
        await asyncio.sleep(0.15)
    assert (await client.answer()).status == 200


async def test_deadlines_do_not_run_while_the_server_is_the_slow_one(serve: Serve) -> None:
    async def handler(_: Request, responder: AwaitableResponder) -> None:
        await asyncio.sleep(1.5)
        responder.answer(200, PLAIN, b"ok")

    client = await (
        await serve(handler, limits={"head_seconds": 1.0, "body_seconds": 1.0, "body_rate": 10**9})
    ).connect()
    # More than the sockets' buffers hold: the rest must come after the first answer.
    client.writer.write(get("/v1/x") + post("/v1/y", b"x" * 8_000_000))
    assert [(await client.answer()).status for _ in range(2)] == [200, 200]


async def test_a_client_that_stops_reading_is_given_up(serve: Serve) -> None:
    over = asyncio.Event()

    async def handler(_: Request, responder: AwaitableResponder) -> None:
        responder.start(200, PLAIN, None)
        while not responder.gone:
            responder.write(b"x" * 65_536)
            await responder.drain()
        over.set()

    client = await (await serve(handler, limits={"stall_seconds": 0.3})).connect(receive_buffer=8192)
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await client.send(get("/v1/x"))
    async with asyncio.timeout(30):
        await over.wait()


async def test_a_client_that_does_not_take_the_last_answer_is_given_up(serve: Serve) -> None:
    async def handler(_: Request, responder: AwaitableResponder) -> None:
        responder.answer(200, PLAIN, b"x" * 20_000_000)

    served = await serve(handler, limits={"stall_seconds": 0.3})
    client = await served.connect(receive_buffer=8192)
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    await client.send(get("/v1/x", "Connection: close"))
    await served.until(lambda: bool(served.connections))
    await served.until(lambda: not served.connections)


async def test_a_refused_client_that_neither_reads_nor_leaves_is_given_up(serve: Serve) -> None:
    served = await serve(limits={"linger_seconds": 0.3})
    client = await served.connect()
    await client.send(b"nonsense\r\n\r\n")
    await served.until(lambda: bool(served.connections))
    await served.until(lambda: not served.connections)
    assert (await client.answer()).status == 400
