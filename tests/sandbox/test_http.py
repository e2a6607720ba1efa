"""HTTP/1.1 over bare sockets: keep-alive, pipelines, split and chunked uploads, and everything malformed."""

import asyncio
import json

import pytest
from tests.sandbox.raw import RawClient, call, chat, events, request

from ownkey.sandbox import Options, SandboxServer

CHAT = "/openai/v1/chat/completions"


def _said(body: bytes) -> str:
    return json.loads(body)["choices"][0]["message"]["content"]


async def test_one_connection_serves_many_requests(sandbox: SandboxServer):
    async with RawClient(sandbox.url) as client:
        for number in range(5):
            client.send(request(CHAT, chat(content=f"number {number}")))
            answer = await client.receive()
            assert _said(answer.body) == f"number {number}"
            assert "connection" not in answer.headers
            client.send(request(CHAT, chat(content=f"streamed {number}", stream=True)))
            assert events((await client.receive()).body)[-1] == "[DONE]"


async def test_a_pipeline_is_answered_in_order(sandbox: SandboxServer):
    async with RawClient(sandbox.url) as client:
        wanted = [f"number {number}" for number in range(200)]
        client.send(b"".join(request(CHAT, chat(content=text)) for text in wanted))
        assert [_said((await client.receive()).body) for _ in wanted] == wanted


async def test_a_pipeline_waits_for_slow_answers_and_streams(sandbox: SandboxServer):
    async with RawClient(sandbox.url) as client:
        client.send(
            request(CHAT, chat("slow-30", "first"))
            + request(CHAT, chat("lorem-3", stream=True), headers={"x-sandbox-tps": "200"})
            + request(CHAT, chat(content="third"))
        )
        assert _said((await client.receive()).body) == "first"
        assert events((await client.receive()).body)[-1] == "[DONE]"
        assert _said((await client.receive()).body) == "third"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 50])
async def test_a_request_may_arrive_in_pieces(sandbox: SandboxServer, step: int):
    data = request(CHAT, chat(content="split é")) * 2
    async with RawClient(sandbox.url) as client:
        for start in range(0, len(data), step):
            client.send(data[start : start + step])
            await client.writer.drain()
            if start % 10 == 0:
                await asyncio.sleep(0)
        assert _said((await client.receive()).body) == "split é"
        assert _said((await client.receive()).body) == "split é"


async def test_a_known_head_with_another_body_is_read_anew(sandbox: SandboxServer):
    async with RawClient(sandbox.url) as client:
        for text in ("aaaa", "bbbb", "cccc"):
            client.send(request(CHAT, chat(content=text)))
            assert _said((await client.receive()).body) == text
        whole = request(CHAT, chat(content="dddd"))
        client.send(whole[:-3])
        await client.writer.drain()
        await call(sandbox.url, "/openai/v1/models")
        client.send(whole[-3:] + request(CHAT, chat(content="eeee")))
        assert _said((await client.receive()).body) == "dddd"
        assert _said((await client.receive()).body) == "eeee"


async def test_chunked_uploads_are_joined(sandbox: SandboxServer):
    body = json.dumps(chat(content="in chunks")).encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:5], body[5:6], body[6:]))
    head = request(CHAT, headers={"transfer-encoding": "chunked"}, method="POST")
    async with RawClient(sandbox.url) as client:
        for _ in range(2):
            client.send(head + chunks + b"0\r\n\r\n")
            assert _said((await client.receive()).body) == "in chunks"


async def test_connection_close_and_http_1_0_are_honoured(sandbox: SandboxServer):
    for data in (request(CHAT, chat(), headers={"connection": "close"}), request(CHAT, chat(), version="1.0")):
        async with RawClient(sandbox.url) as client:
            client.send(data)
            answer = await client.receive()
            assert answer.headers["connection"] == "close"
            assert await client.reader.read() == b""


async def test_http_1_0_streams_end_with_the_connection(sandbox: SandboxServer):
    answer = await call(sandbox.url, CHAT, chat("lorem-3", stream=True), version="1.0")
    assert "transfer-encoding" not in answer.headers
    assert events(answer.body)[-1] == "[DONE]"


async def test_expect_continue_is_answered_at_once(sandbox: SandboxServer):
    data = request(CHAT, chat(), headers={"expect": "100-continue"})
    end = data.index(b"\r\n\r\n") + 4
    async with RawClient(sandbox.url) as client:
        client.send(data[:end])
        assert (await client.receive_head())[0] == 100
        client.send(data[end:])
        assert (await client.receive()).status == 200


async def test_head_has_the_headers_of_get_and_no_body(sandbox: SandboxServer):
    async with RawClient(sandbox.url) as client:
        client.send(request("/openai/v1/models", method="HEAD"))
        status, headers = await client.receive_head()
        assert status == 200
        assert int(headers["content-length"]) > 0
        client.send(request(CHAT, chat()))
        assert (await client.receive()).status == 200


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 1x\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 99999999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabc",
        b"POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"GET / HTTP/1.1\r\nbad header: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\nhost: x\n\n",
    ],
)
async def test_what_is_no_request_gets_400_and_the_sandbox_lives(sandbox: SandboxServer, data: bytes):
    async with RawClient(sandbox.url) as client:
        client.send(request(CHAT, chat()) + data)
        assert (await client.receive()).status == 200
        refused = await client.receive()
        assert refused.status == 400
        assert refused.headers["x-ownkey-sandbox"] == "simulator"
        assert refused.headers["connection"] == "close"
        assert await client.reader.read() == b""
    assert (await call(sandbox.url, CHAT, chat())).status == 200


@pytest.mark.parametrize("data", [b"GET /\r\n\r\n", b"GET / HTTP/2.0\r\n\r\n"])
async def test_other_versions_of_http_are_refused(sandbox: SandboxServer, data: bytes):
    async with RawClient(sandbox.url) as client:
        client.send(data)
        assert (await client.receive()).status == 505


async def test_a_wish_to_switch_protocols_is_ignored(sandbox: SandboxServer):
    async with RawClient(sandbox.url) as client:
        client.send(request("/", headers={"connection": "upgrade", "upgrade": "websocket"}) + b"frames")
        answer = await client.receive()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert await client.reader.read() == b""


async def test_endless_headers_are_refused(sandbox: SandboxServer):
    for flood in (b"x: " + b"a" * 200_000, b"x: y\r\n" * 40_000, b"GET /" + b"a" * 200_000):
        async with RawClient(sandbox.url) as client:
            client.send((b"" if flood.startswith(b"GET") else b"GET / HTTP/1.1\r\n") + flood)
            assert (await client.receive()).status == 431


async def test_a_body_of_forty_mebibytes_is_read_and_one_byte_more_is_not(sandbox: SandboxServer):
    limit = 40 * 1024 * 1024
    frame = json.dumps(chat("lorem-1", "@")).encode()
    body = frame.replace(b"@", b"x" * (limit - len(frame) + 1))
    assert len(body) == limit
    assert (await call(sandbox.url, CHAT, body)).status == 200
    answer = await call(sandbox.url, CHAT, body + b" ")
    assert answer.status == 413
    assert str(limit) in answer.json["error"]["message"]


async def test_a_large_chunked_body_is_refused_as_soon_as_it_is_too_large():
    async with SandboxServer(options=Options(body_limit=1000)) as server, RawClient(server.url) as client:
        client.send(request(CHAT, headers={"transfer-encoding": "chunked"}, method="POST"))
        for _ in range(3):
            client.send(b"190\r\n" + b"x" * 400 + b"\r\n")
        assert (await client.receive()).status == 413
        assert await client.reader.read() == b""


async def test_idle_connections_are_closed():
    options = Options(idle_timeout_s=0.5, sweep_s=0.1)
    async with SandboxServer(options=options) as server, RawClient(server.url) as client:
        client.send(request(CHAT, chat()))
        assert (await client.receive()).status == 200
        assert await client.reader.read() == b""


async def test_absolute_urls_are_understood(sandbox: SandboxServer):
    data = request(CHAT, chat()).replace(b"POST /", b"POST http://sandbox/", 1)
    async with RawClient(sandbox.url) as client:
        client.send(data)
        assert (await client.receive()).status == 200
