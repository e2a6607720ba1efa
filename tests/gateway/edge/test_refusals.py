"""What is not exactly one well-formed request is refused clearly, and nothing after it is read."""

import random
from collections.abc import Iterator

import pytest
from tests.gateway.edge.harness import Client, Serve, get, post

HOST = b"Host: a\r\n"
REQUEST = b"POST /v1/x HTTP/1.1\r\n" + HOST

MALFORMED = {
    "both framings": REQUEST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "both framings, other order": REQUEST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "two lengths": REQUEST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "the same length twice": REQUEST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": REQUEST + b"Content-Length: 3, 3\r\n\r\nabc",
    "a signed length": REQUEST + b"Content-Length: +3\r\n\r\nabc",
    "a negative length": REQUEST + b"Content-Length: -3\r\n\r\nabc",
    "a hexadecimal length": REQUEST + b"Content-Length: 0x3\r\n\r\nabc",
    "an empty length": REQUEST + b"Content-Length:\r\n\r\n",
    "an unknown coding": REQUEST + b"Transfer-Encoding: xchunked\r\n\r\n",
    "a coding under chunked": REQUEST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "two codings": REQUEST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "identity": REQUEST + b"Transfer-Encoding: identity\r\n\r\n",
    "an obscured coding": REQUEST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST /v1/x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk size too large": REQUEST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    "a negative chunk": REQUEST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    "a bare line feed after a chunk size": REQUEST + b"Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
    "a chunk longer than it says": REQUEST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n",
    "no host": b"GET /v1/x HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /v1/x HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "an empty host": b"GET /v1/x HTTP/1.1\r\nHost:\r\n\r\n",
    "a host with a path": b"GET /v1/x HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a host with userinfo": b"GET /v1/x HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "a host with a blank": b"GET /v1/x HTTP/1.1\r\nHost: a b\r\n\r\n",
    "two hosts in one": b"GET /v1/x HTTP/1.1\r\nHost: a, b\r\n\r\n",
    "a host with a wild port": b"GET /v1/x HTTP/1.1\r\nHost: a:b\r\n\r\n",
    "another host in the target": b"GET http://b/v1/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "userinfo in the target": b"GET http://u@a/v1/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "another scheme in the target": b"GET ftp://a/v1/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "an absolute target with dots": b"GET http://a/v1/../api HTTP/1.1\r\nHost: a\r\n\r\n",
    "an authority as target": b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "an asterisk as target": b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "a relative target": b"GET v1/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "a fragment": b"GET /v1/x#y HTTP/1.1\r\nHost: a\r\n\r\n",
    "a fragment in the query": b"GET /v1/x?a#y HTTP/1.1\r\nHost: a\r\n\r\n",
    "bytes above ASCII in the target": b"GET /v1/\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a NUL in the target": b"GET /v1/\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a backslash in the target": b"GET /v1\\x HTTP/1.1\r\nHost: a\r\n\r\n",
    "dots for the application": b"GET /api/../v1/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "encoded dots for the application": b"GET /api/%2e./v1/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "a NUL in a value": REQUEST + b"X: a\x00b\r\n\r\n",
    "a control character in a value": REQUEST + b"X: a\x01b\r\n\r\n",
    "a blank before the colon": REQUEST + b"X : a\r\n\r\n",
    "a blank in a name": REQUEST + b"X Y: a\r\n\r\n",
    "an empty name": REQUEST + b": a\r\n\r\n",
    "a header without a colon": REQUEST + b"nonsense\r\n\r\n",
    "a folded line": REQUEST + b"X: a\r\n b\r\n\r\n",
    "a bare line feed": REQUEST + b"X: a\nY: b\r\n\r\n",
    "a bare carriage return": REQUEST + b"X: a\rY: b\r\n\r\n",
    "line feeds only": b"GET /v1/x HTTP/1.1\nHost: a\n\n",
    "HTTP/0.9": b"GET /v1/x\r\n\r\n",
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/2.0": b"GET /v1/x HTTP/2.0\r\nHost: a\r\n\r\n",
    "HTTP/1.2": b"GET /v1/x HTTP/1.2\r\nHost: a\r\n\r\n",
    "a TLS hello": bytes.fromhex("16030100c8010000c40303"),
    "a method in lower case": b"get /v1/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "two blanks after the method": b"GET  v1/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tunnel": b"CONNECT ownkey.test:443 HTTP/1.1\r\nHost: ownkey.test:443\r\n\r\n",
}


@pytest.mark.parametrize("split", [False, True])
async def test_malformed_requests_get_a_clear_400_and_the_connection_ends(serve: Serve, split: bool) -> None:
    seen: list[str] = []

    async def app(scope: dict[str, str], receive: object, send: object) -> None:
        seen.append(scope["path"])

    async def handler(request: object, responder: object) -> None:
        seen.append("data plane")

    served = await serve(handler, app=app)
    for name, raw in MALFORMED.items():
        client = await served.connect()
        try:
            await client.send(*([raw[n : n + 1] for n in range(len(raw))] if split else [raw]), get("/v1/smuggled"))
        except ConnectionResetError:
            pytest.fail(f"{name}: reset instead of an answer")
        answer = await client.answer()
        assert (answer.status, answer.headers["connection"], answer.complete) == (400, "close", True), name
        assert answer.json["code"] == "invalid_request", name
        assert len(answer.json["message"]) > 20, name
        assert await client.at_end(), name
    assert seen == []


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/x", "/api/x"])
async def test_a_websocket_gets_a_426_so_that_its_client_goes_on_over_http(serve: Serve, path: str) -> None:
    client = await (await serve()).connect()
    offer = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: YWJjZA==")
    await client.send(get(path, *offer) + b"frames")
    answer = await client.answer()
    assert (answer.status, answer.headers["upgrade"], answer.json["code"]) == (426, "HTTP/1.1", "invalid_request")
    assert answer.headers["connection"] == "upgrade, close"
    assert await client.at_end()


async def test_the_shape_of_the_refusal_follows_the_path_when_there_is_one(serve: Serve) -> None:
    served = await serve()
    for raw, path in {
        get("/v1/messages").replace(b"Host: ownkey.test", b"X: y"): "/v1/messages",
        get("/api/me").replace(b"Host: ownkey.test", b"X: y"): "/api/me",
        get("/v1/x", "X : y"): "/v1/x",
        get("/v1/../x"): "/",
        b"nonsense\r\n\r\n": "/",
    }.items():
        assert (await served.ask(raw)).json["path"] == path


async def test_a_refusal_waits_for_the_answers_before_it(serve: Serve) -> None:
    served = await serve()
    for malformed in (b"nonsense\r\n\r\n", get("/v1/x").replace(b"Host", b"Hast"), REQUEST + b"Content-Length: a\r\n"):
        client = await served.connect()
        await client.send(post("/v1/one", b"1") + get("/api/two") + malformed + get("/v1/never"))
        answers = [await client.answer() for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 400]
        assert [answer.json["path"] for answer in answers[:2]] == ["/v1/one", "/api/two"]
        assert await client.at_end()


async def test_what_follows_a_body_beyond_the_limit_is_not_read_as_a_request(serve: Serve) -> None:
    seen: list[str] = []

    async def handler(request: object, responder: object) -> None:
        seen.append("smuggled")

    client = await (await serve(handler, limits={"body": 10})).connect()
    await client.send(post("/v1/x", get("/v1/smuggled") * 5))
    assert (await client.answer()).status == 413
    assert await client.at_end()
    assert seen == []


async def test_absolute_targets_of_the_same_host_are_served(serve: Serve) -> None:
    served = await serve()
    for target, path, query in (
        ("http://Ownkey.Test/v1/x?a=1", "/v1/x", "a=1"),
        ("HTTP://ownkey.test/api/x?a=1", "/api/x", "a=1"),
        ("https://ownkey.test", "/", ""),
        ("http://ownkey.test?a", "/", "a"),
    ):
        seen = (await served.ask(get(target))).json
        assert (seen["path"], seen["query"]) == (path, query)


@pytest.mark.parametrize("host", ["a", "a.b-c_d:8080", "127.0.0.1:1", "[::1]", "[::ffff:1.2.3.4]:443", "x" * 200])
async def test_hosts_of_every_form_are_served(serve: Serve, host: str) -> None:
    assert (await (await serve()).ask(f"GET /v1/x HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())).status == 200


async def test_a_refused_head_request_gets_no_body(serve: Serve) -> None:
    client = await (await serve()).connect()
    await client.send(b"HEAD /v1/x HTTP/1.1\r\n\r\n")
    assert (await client.answer("HEAD")).status == 400
    assert await client.at_end()


async def test_two_hundred_fuzzed_connections_leave_the_server_serving(serve: Serve) -> None:
    served = await serve(limits={"body": 1000, "other_body": 1000, "head_seconds": 5})
    for number, raw in enumerate(_fuzzed(200)):
        client = await served.connect()
        await client.send(raw)
        if number % 4:
            client.writer.write_eof()
            await _read_all(client)
        client.leave()
        if number % 20 == 0:
            assert (await served.ask(post("/v1/x", b"{}"))).status == 200
    await served.until(lambda: not served.connections)
    assert not served.server.server_state.tasks


async def _read_all(client: Client) -> None:
    try:
        data = await client.reader.read()
    except ConnectionResetError:
        return
    assert not data or data.startswith(b"HTTP/1.1 ")


def _fuzzed(count: int) -> Iterator[bytes]:
    source = random.Random(7)
    seeds = [
        *MALFORMED.values(),
        post("/v1/x", b"x" * 50) * 2,
        get("/api/x") + post("/v1/x", b"{}"),
        REQUEST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: v\r\n\r\n" + get("/v1/y"),
        post("/v1/x", b"hello", "Connection: Upgrade", "Upgrade: h2c"),
    ]
    for _ in range(count):
        raw = bytearray(source.choice(seeds))
        for _ in range(source.randint(0, 6)):
            place = source.randrange(len(raw))
            match source.randrange(4):
                case 0:
                    raw[place] = source.randrange(256)
                case 1:
                    del raw[place : place + source.randint(1, 8)]
                case 2:
                    raw[place:place] = source.randbytes(source.randint(1, 8))
                case _:
                    raw[place:place] = raw[: source.randint(1, len(raw))]
            if not raw:
                raw = bytearray(b"\r\n")
        yield bytes(raw)
