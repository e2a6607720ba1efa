"""Well-formed answers in every framing and cut, and what the client sends for them."""

import asyncio

import pytest
from tests.net.hostile import HostileServer, Peer, ask, chunked, client_of, sized

from ownkey.domain.errors import InvalidRequest
from ownkey.gateway.net import ProtocolViolation, ResponseTooLarge, UpstreamRequest
from ownkey.gateway.net.target import Target


async def fetch(server: HostileServer, request: UpstreamRequest | None = None) -> tuple[int, bytes]:
    async with client_of() as client:
        response = await client.send(request or ask(server))
        return response.status, await response.read(1 << 20)


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (sized(b"hello"), b"hello"),
        (sized(b""), b""),
        (chunked(b"hel", b"lo"), b"hello"),
        (chunked(), b""),
        (chunked(b"hello", trailer=b"x-sum: 1\r\n"), b"hello"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n5;name=value\r\nhello\r\n0\r\n\r\n", b"hello"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", b"hello"),
        (b"HTTP/1.0 200 OK\r\n\r\nhello", b"hello"),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", b""),
        (b"HTTP/1.1 200\r\ncontent-length: 5\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + sized(b"hello"), b"hello"),
        (b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" + sized(b"hello"), b"hello"),
        (b"HTTP/1.1 102 Processing\r\ncontent-length: 3\r\n\r\n" + chunked(b"hello"), b"hello"),
        (sized(b"hello", b"content-encoding: identity"), b"hello"),
    ],
)
async def test_body_is_the_same_whole_and_split_at_every_byte(answer: bytes, body: bytes) -> None:
    until_close = b"-length" not in answer and b"chunked" not in answer.lower() and b" 204 " not in answer

    async def script(peer: Peer) -> None:
        while True:
            asked = await peer.request()
            cut = int(asked.partition(b"x-cut: ")[2].partition(b"\r\n")[0])
            await peer.send(*filter(None, (answer[:cut], answer[cut:])))
            if until_close:
                return

    async with HostileServer(script) as server, client_of() as client:
        for cut in range(len(answer)):
            response = await client.send(ask(server, headers=[(b"x-cut", b"%d" % cut)]))
            assert await response.read(100) == body, cut


async def test_body_arrives_when_delivered_byte_by_byte() -> None:
    answer = chunked(b"hello", b" ", b"world", trailer=b"a: b\r\n")

    async def script(peer: Peer) -> None:
        await peer.answer(*(answer[i : i + 1] for i in range(len(answer))))

    async with HostileServer(script) as server:
        assert await fetch(server) == (200, b"hello world")


async def test_chunks_come_as_they_are_sent() -> None:
    taken = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n")
        await taken.wait()
        await peer.send(b"1\r\nb\r\n0\r\n\r\n")

    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(ask(server))
        assert await response.chunk() == b"a"
        taken.set()
        assert await response.chunk() == b"b"
        assert await response.chunk() == b""
        assert await response.chunk() == b""


async def test_request_is_what_was_asked_and_nothing_else() -> None:
    seen: list[bytes] = []

    async def script(peer: Peer) -> None:
        while True:
            seen.append(await peer.answer(sized(b"")))

    async with HostileServer(script) as server, client_of() as client:
        await (await client.send(ask(server, headers=[(b"X-A", b"1")]))).read(0)
        await (await client.send(ask(server, b"GET", b""))).read(0)
    host = b"host: 127.0.0.1:%d\r\naccept-encoding: identity\r\n" % server.port
    assert seen == [
        b"POST /v1/x HTTP/1.1\r\n" + host + b"X-A: 1\r\ncontent-length: 2\r\n\r\n{}",
        b"GET /v1/x HTTP/1.1\r\n" + host + b"\r\n",
    ]


async def test_headers_are_lower_case_trimmed_and_repeated_ones_kept() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(sized(b"", b"X-One:  a b \t", b"x-one: c", b"Empty:"))

    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(ask(server))
        assert response.headers[1:] == [(b"x-one", b"a b"), (b"x-one", b"c"), (b"empty", b"")]
        assert response.header(b"x-one") == b"a b"
        assert response.header(b"absent") is None
        await response.read(0)


async def test_head_has_no_body_and_its_connection_is_not_used_again() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n")
        await peer.closed()

    async with HostileServer(script) as server, client_of() as client:
        for _ in range(2):
            response = await client.send(ask(server, b"HEAD", b""))
            assert await response.read(1000) == b""
        assert server.connections == 2


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"307 Temporary", b"308 Permanent", b"303 See"])
async def test_redirect_is_returned_and_not_followed(status: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(sized(b"moved", b"location: http://127.0.0.1:1/elsewhere", status=status))

    async with HostileServer(script) as server:
        assert await fetch(server) == (int(status[:3]), b"moved")


async def test_large_body_reaches_the_peer_whole() -> None:
    body = bytes(range(256)) * 40_000

    async def script(peer: Peer) -> None:
        asked = await peer.request()
        await peer.send(sized(b"%d" % (asked.partition(b"\r\n\r\n")[2] == body)))

    async with HostileServer(script) as server:
        assert await fetch(server, ask(server, body=body)) == (200, b"1")


async def test_read_refuses_a_body_above_its_limit_announced_or_not() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(sized(b"x" * 11))
        await peer.answer(chunked(b"x" * 6, b"y" * 5))
        await peer.closed()

    async with HostileServer(script) as server, client_of() as client:
        for _ in range(2):
            response = await client.send(ask(server))
            with pytest.raises(ResponseTooLarge):
                await response.read(10)


async def test_endless_body_is_cut_at_the_limit() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await peer.send(b"x" * 65536)

    async with HostileServer(script) as server, client_of() as client:
        response = await client.send(ask(server))
        with pytest.raises(ResponseTooLarge):
            await response.read(1_000_000)


@pytest.mark.parametrize("coding", [b"gzip", b"br", b"identity, gzip", b"deflate"])
async def test_content_encoding_nobody_asked_for_is_refused(coding: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(sized(b"xx", b"Content-Encoding: " + coding))

    async with HostileServer(script) as server:
        with pytest.raises(ProtocolViolation):
            await fetch(server)


@pytest.mark.parametrize(
    "header",
    [
        (b"x-a", b"1\r\nx-b: 2"),
        (b"x-a", b"1\nx-b: 2"),
        (b"x-a", b"1\rx-b: 2"),
        (b"x-a", b"1\x00"),
        (b"x-a", b"1\x7f"),
        (b"x-a", b"\x1b[0m"),
        (b"x-a\r\nx-b", b"1"),
        (b"x-a: 1\r\nx-b", b"1"),
        (b"x a", b"1"),
        (b"x-a:", b"1"),
        (b"", b"1"),
        (b"\xc3\xa9", b"1"),
        (b"x-a\x00", b"1"),
        (b"Host", b"elsewhere"),
        (b"content-length", b"0"),
        (b"Transfer-Encoding", b"chunked"),
        (b"connection", b"close"),
        (b"accept-encoding", b"gzip"),
        (b"expect", b"100-continue"),
        (b"upgrade", b"h2c"),
    ],
)
async def test_header_that_would_change_the_message_is_refused_before_connecting(header: tuple[bytes, bytes]) -> None:
    async def script(peer: Peer) -> None:
        await peer.closed()

    async with HostileServer(script) as server, client_of() as client:
        with pytest.raises(InvalidRequest) as refused:
            await client.send(ask(server, headers=[header]))
        assert "1" not in refused.value.public
        assert server.connections == 0


@pytest.mark.parametrize("method", [b"GET / HTTP/1.1\r\n\r\nGET", b"CONNECT", b"TRACE", b"get", b""])
async def test_unknown_method_is_refused_before_connecting(method: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.closed()

    async with HostileServer(script) as server, client_of() as client:
        with pytest.raises(InvalidRequest):
            await client.send(ask(server, method))
        assert server.connections == 0


def test_representations_show_neither_headers_nor_body_nor_query() -> None:
    target = Target.parse("https://example.com/v1?key=canary-1")
    request = UpstreamRequest(b"POST", target, [(b"authorization", b"canary-2")], b"canary-3")
    assert "canary" not in f"{request!r} {request} {target!r} {target}"
