"""Requests in order on one connection: split anywhere, reused, pipelined, across both planes."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.gateway.edge.harness import PLAIN, AwaitableResponder, Serve, get, post

from ownkey.gateway.edge.exchange import Request

CHUNKED = b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_request_split_at_every_byte_reads_the_same(serve: Serve) -> None:
    served = await serve()
    raw = post("/v1/chat/completions?x=1", b'{"a": 1}', "X-Empty:", "X-Padded:  b \t")
    client = await served.connect()
    for split in range(1, len(raw)):
        await client.send(raw[:split])
        await asyncio.sleep(0)
        await client.send(raw[split:])
        seen = (await client.answer()).json
        assert (seen["path"], seen["query"], seen["body"]) == ("/v1/chat/completions", "x=1", '{"a": 1}')
        assert ["x-empty", ""] in seen["headers"]
        assert ["x-padded", "b"] in seen["headers"]
    assert len(served.connections) == 1


async def test_a_chunked_upload_in_single_bytes_is_put_together(serve: Serve) -> None:
    raw = CHUNKED + b"3;ext=1\r\nabc\r\na\r\n0123456789\r\n0\r\nX-Trailer: not-a-header\r\n\r\n"
    client = await (await serve()).connect()
    for byte in raw:
        await client.send(bytes((byte,)))
        await asyncio.sleep(0)
    seen = (await client.answer()).json
    assert seen["body"] == "abc0123456789"
    assert all(name != "x-trailer" for name, _ in seen["headers"])


async def test_forty_megabytes_arrive_when_the_limit_allows(serve: Serve) -> None:
    body = b"0123456789" * 4_000_000
    served = await serve(limits={"body": 50_000_000})
    assert (await served.ask(post("/v1/x", body))).json["size"] == len(body)
    chunked = CHUNKED + b"".join(b"%x\r\n%b\r\n" % (4_000_000, body[:4_000_000]) for _ in range(10)) + b"0\r\n\r\n"
    assert (await served.ask(chunked)).json["size"] == len(body)
    await served.until(lambda: all(connection.service.buffered.held == 0 for connection in served.connections))


async def test_a_large_answer_arrives_whole(serve: Serve) -> None:
    body = b"0123456789" * 1_000_000

    async def handler(_: Request, responder: AwaitableResponder) -> None:
        responder.answer(200, PLAIN, body)

    assert (await (await serve(handler)).ask(get("/v1/x"))).body == body


async def test_pipelined_requests_are_answered_in_order_across_both_planes(serve: Serve) -> None:
    slow = asyncio.Event()

    async def handler(request: Request, responder: AwaitableResponder) -> None:
        if request.path == "/v1/first":
            await slow.wait()
        responder.answer(200, PLAIN, request.path.encode() + request.body)

    served = await serve(handler)
    client = await served.connect()
    raw = b"".join(
        (
            post("/v1/first", b"1"),
            post("/api/second", b"22"),
            get("/v1/third"),
            get("/api/fourth"),
            post("/api/fifth", b"5"),
            post("/v1/sixth", b"6"),
            CHUNKED + b"1\r\n7\r\n0\r\n\r\n",
        )
    )
    await client.send(raw[:300], raw[300:])
    await served.until(lambda: any(connection.pipeline for connection in served.connections))
    slow.set()
    answers = [await client.answer() for _ in range(7)]
    said = [answer.json["path"] if answer.body[:1] == b"{" else answer.body.decode() for answer in answers]
    assert said == ["/v1/first1", "/api/second", "/v1/third", "/api/fourth", "/api/fifth", "/v1/sixth6", "/v1/x7"]


async def test_pipelined_requests_split_anywhere_are_answered_in_order(serve: Serve) -> None:
    raw = post("/v1/a", b"1") + get("/api/b") + post("/v1/c", b"33") + post("/api/d", b"4")
    client = await (await serve()).connect()
    for split in range(1, len(raw), 3):
        await client.send(raw[:split])
        await asyncio.sleep(0)
        await client.send(raw[split:])
        assert [(await client.answer()).json["path"] for _ in range(4)] == ["/v1/a", "/api/b", "/v1/c", "/api/d"]


async def test_a_large_body_behind_a_slow_answer_waits_in_the_network(serve: Serve) -> None:
    slow = asyncio.Event()

    async def handler(request: Request, responder: AwaitableResponder) -> None:
        if request.path == "/v1/slow":
            await slow.wait()
        responder.answer(200, PLAIN, b"%d" % len(request.body))

    served = await serve(handler)
    client = await served.connect()
    client.writer.write(get("/v1/slow") + post("/v1/x", b"x" * 20_000_000))
    await served.until(lambda: any(connection.pipeline for connection in served.connections))
    (connection,) = served.connections
    assert connection.service.buffered.held < 1_000_000
    slow.set()
    assert [(await client.answer()).body for _ in range(2)] == [b"0", b"20000000"]


async def test_too_many_waiting_requests_end_the_connection_in_order(serve: Serve) -> None:
    slow = asyncio.Event()

    async def handler(_: Request, responder: AwaitableResponder) -> None:
        await slow.wait()
        responder.answer(200, PLAIN, b"ok")

    served = await serve(handler, limits={"pipelined": 3})
    client = await served.connect()
    await client.send(get("/v1/x") * 10)
    await served.until(lambda: any(len(connection.pipeline) == 4 for connection in served.connections))
    slow.set()
    answers = [await client.answer() for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 400]
    assert answers[-1].headers["connection"] == "close"
    assert await client.at_end()


async def test_a_connection_is_reused_until_the_client_says_close(serve: Serve) -> None:
    served = await serve()
    client = await served.connect()
    for _ in range(50):
        await client.send(post("/v1/x", b"{}"))
        assert "connection" not in (await client.answer()).headers
    await client.send(post("/v1/x", b"{}", "Connection: close"))
    assert (await client.answer()).headers["connection"] == "close"
    assert await client.at_end()


async def test_an_idle_connection_is_closed_after_the_keep_alive_time(serve: Serve) -> None:
    served = await serve(timeout_keep_alive=0)
    for path in ("/v1/x", "/api/x"):
        client = await served.connect()
        await client.send(get(path))
        assert (await client.answer()).status == 200
        async with asyncio.timeout(30):
            assert await client.at_end()


async def test_an_answer_that_takes_longer_than_the_keep_alive_time_is_not_cut(serve: Serve) -> None:
    async def handler(_: Request, responder: AwaitableResponder) -> None:
        responder.start(200, PLAIN, None)
        await asyncio.sleep(1.3)
        responder.end()

    client = await (await serve(handler, timeout_keep_alive=1)).connect()
    for _ in range(2):
        await client.send(get("/v1/x"))
        assert (await client.answer()).complete


@pytest.mark.parametrize("connection", ["", "Connection: keep-alive\r\n"])
async def test_http_1_0_is_answered_and_closed(serve: Serve, connection: str) -> None:
    client = await (await serve()).connect()
    await client.send(f"POST /v1/x HTTP/1.0\r\n{connection}Content-Length: 2\r\n\r\n{{}}".encode())
    answer = await client.answer()
    assert (answer.json["body"], answer.headers["connection"]) == ("{}", "close")
    assert await client.at_end()


async def test_a_stream_to_http_1_0_ends_with_the_connection_and_breaks_with_a_reset(serve: Serve) -> None:
    async def handler(request: Request, responder: AwaitableResponder) -> None:
        responder.start(200, PLAIN, None)
        responder.write(b"all of it")
        if request.path == "/v1/broken":
            await responder.drain()
            responder.abort()
        else:
            responder.end()

    served = await serve(handler)
    client = await served.connect()
    await client.send(b"GET /v1/whole HTTP/1.0\r\n\r\n")
    answer = await client.answer()
    assert (answer.body, "transfer-encoding" in answer.headers) == (b"all of it", False)
    client = await served.connect()
    await client.send(b"GET /v1/broken HTTP/1.0\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await client.reader.read()


async def test_continue_is_sent_only_while_the_body_is_awaited(serve: Serve) -> None:
    served = await serve()
    expecting = "Expect: 100-continue"
    for path in ("/v1/x", "/api/x"):
        client = await served.connect()
        raw = post(path, b"hello", expecting)
        await client.send(raw[:-5])
        assert await client.head() == (100, {})
        await client.send(raw[-5:])
        assert (await client.head())[0] == 200
    client = await served.connect()
    await client.send(post("/v1/x", b"hello", expecting))
    assert (await client.head())[0] == 200


async def test_continue_waits_for_the_answers_before_it(serve: Serve) -> None:
    slow = asyncio.Event()

    async def handler(request: Request, responder: AwaitableResponder) -> None:
        if not request.body:
            await slow.wait()
        responder.answer(200, PLAIN, request.body)

    served = await serve(handler)
    client = await served.connect()
    await client.send(get("/v1/slow") + post("/v1/x", b"hello", "Expect: 100-continue")[:-5])
    await served.until(lambda: any(connection.pipeline for connection in served.connections))
    slow.set()
    assert [(await client.head())[0] for _ in range(2)] == [200, 100]
    await client.send(b"hello")
    assert (await client.answer()).body == b"hello"


async def test_a_body_too_large_is_refused_instead_of_continued(serve: Serve) -> None:
    client = await (await serve()).connect()
    await client.send(post("/v1/x", b"", "Expect: 100-continue").replace(b"Length: 0", b"Length: 99999999"))
    assert (await client.head())[0] == 413


async def test_an_offer_of_h2c_is_declined_and_the_request_served(serve: Serve) -> None:
    served = await serve()
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")
    for path in ("/v1/x", "/api/x"):
        raw = post(path, b"hello", *offer)
        client = await served.connect()
        for split in range(1, len(raw), 5):
            await client.send(raw[:split])
            await asyncio.sleep(0)
            await client.send(raw[split:] + get("/v1/next"))
            assert (await client.answer()).json["size"] == 5
            assert (await client.answer()).json["path"] == "/v1/next"
    client = await served.connect()
    await client.send(post("/v1/x", b"hello", "Connection: Upgrade, close", "Upgrade: h2c"))
    assert (await client.answer()).headers["connection"] == "close"
    assert await client.at_end()


async def test_the_date_is_sent_once(serve: Serve) -> None:
    served = await serve()
    for path in ("/v1/x", "/api/x"):
        assert (await served.ask(get(path))).headers["date"].endswith(" GMT")


async def test_the_concurrency_limit_holds_for_both_planes(serve: Serve) -> None:
    hold, holding = asyncio.Event(), asyncio.Event()

    async def handler(_: Request, responder: AwaitableResponder) -> None:
        holding.set()
        await hold.wait()
        responder.answer(200, PLAIN, b"ok")

    served = await serve(handler, limit_concurrency=2)
    first = await served.connect()
    await first.send(get("/v1/x"))
    await holding.wait()
    refused = await served.ask(get("/v1/x"))
    assert (refused.status, refused.json["code"], refused.headers["connection"]) == (503, "unavailable", "close")
    hold.set()
    assert (await first.answer()).status == 200


async def test_an_application_that_answers_early_leaves_the_connection_usable(serve: Serve) -> None:
    async def app(scope: object, receive: object, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    client = await (await serve(app=app)).connect()
    raw = post("/api/x", b"x" * 1000)
    await client.send(raw[:-1000])
    assert (await client.answer()).status == 401
    await client.send(raw[-1000:] + post("/v1/x", b"{}"))
    assert (await client.answer()).json["path"] == "/v1/x"


async def test_one_connection_carries_a_thousand_mixed_requests(serve: Serve) -> None:
    client = await (await serve()).connect()
    for start in range(0, 1000, 40):
        paths = [f"/{'api' if number % 3 == 0 else 'v1'}/x/{number}" for number in range(start, start + 40)]
        await client.send(*(post(path, json.dumps(path).encode()) for path in paths))
        assert [(await client.answer()).json["path"] for _ in paths] == paths
