"""Endpoints that hang, lie, break off and mislead: each is a failure with a kind and words, and nothing worse."""

import asyncio
import json

import pytest
from tests.net.hostile import SHORT, HostileServer, Peer, Script, canary, client_of, sized
from tests.workbench.endpoint.endpoints import (
    DONE,
    END,
    HELLO,
    KEY,
    STREAM,
    answered,
    caller_of,
    event,
    framed,
    observe,
    stream,
    target_at,
    usage_event,
    whole,
)

from ownkey.gateway.net import Timeouts
from ownkey.workbench.endpoint import Clock, DirectTransport, EndpointCaller
from ownkey.workbench.endpoint.answer import LARGEST_EVENT
from ownkey.workbench.records import Failure, FailureKind, Observation, Sampling

QUICK = Sampling(timeout_ms=SHORT * 1000)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"


def failed(found: Observation) -> Failure:
    assert found.failure is not None
    assert len(found.failure.message) <= 300
    assert KEY not in repr(found)
    return found.failure


def refusing(status: bytes, error: object, *headers: bytes) -> bytes:
    return sized(json.dumps(error).encode(), b"content-type: application/json", *headers, status=status)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (b"", ""),
        (b"HTTP/1.1 20", ""),
        (HEAD, ""),
        (STREAM, ""),
        (STREAM + framed(b": ping\n\n"), ""),
        (STREAM + framed(event({"role": "assistant"})), ""),
        (STREAM + framed(event({"content": "Hel"})), "Hel"),
        (STREAM + framed(event({"content": "Hel"}))[:-9], ""),
        (whole()[:-4], ""),
    ],
)
async def test_a_hang_in_any_phase_is_a_timeout_and_what_came_before_is_kept(said: bytes, text: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(*filter(None, [said]))
        await peer.closed()

    found = await observe(script, QUICK)
    assert failed(found).kind is FailureKind.TIMEOUT
    assert found.text == text
    assert found.timing.ended_at >= found.timing.sent_at + SHORT - 0.01


async def test_an_endless_drip_ends_at_the_time_limit() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(STREAM)
        while True:
            await peer.send(framed(b": still thinking\n\n"))
            await asyncio.sleep(0.005)

    assert failed(await observe(script, QUICK)).kind is FailureKind.TIMEOUT


async def test_a_server_that_takes_no_connection_is_a_timeout_or_a_network_failure() -> None:
    async with client_of() as client:
        # Discard's port: nothing listens there.
        found = await caller_of(client, target_at("http://127.0.0.1:9/v1")).ask(HELLO, QUICK)
    failure = failed(found)
    assert failure.kind is FailureKind.NETWORK
    assert "127.0.0.1:9" in failure.message
    assert found.tokens is None


async def test_a_private_address_is_blocked_before_anything_is_sent() -> None:
    async with canary() as server, client_of() as client:
        for host in ("127.0.0.1", "localhost"):
            target = target_at(server.url("/v1", host=host))
            found = await caller_of(client, target, trusted=False).ask(HELLO, QUICK)
            assert failed(found).kind is FailureKind.BLOCKED_ADDRESS


async def test_plain_http_on_a_tls_port_is_a_tls_failure() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with HostileServer(script) as server, client_of() as client:
        url = f"https://127.0.0.1:{server.port}/v1"
        found = await caller_of(client, target_at(url)).ask(HELLO, Sampling())
    assert failed(found).kind is FailureKind.TLS


async def test_a_redirect_to_a_metadata_service_is_told_and_not_followed() -> None:
    location = b"location: http://169.254.169.254/latest/meta-data?key=" + KEY.encode()
    async with canary() as other:
        found = await answered(sized(b"", location, status=b"302 Found"))
        failure = failed(found)
        assert failure.kind is FailureKind.MALFORMED_RESPONSE
        assert failure.status == 302
        assert "http://169.254.169.254)" in failure.message
        assert "not followed" in failure.message
        elsewhere = b"location: " + other.url().encode()
        assert failed(await answered(sized(b"", elsewhere, status=b"307 Moved"))).status == 307


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (sized(b"<html>Log in</html>", b"content-type: text/html"), FailureKind.MALFORMED_RESPONSE, "web page"),
        (sized(b"I am a teapot"), FailureKind.MALFORMED_RESPONSE, "I am a teapot"),
        (sized(b""), FailureKind.MALFORMED_RESPONSE, "empty"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", FailureKind.MALFORMED_RESPONSE, "empty"),
        (whole(""), FailureKind.MALFORMED_RESPONSE, "empty"),
        (stream(event({"role": "assistant"}), event({}, "stop"), DONE), FailureKind.MALFORMED_RESPONSE, "empty"),
        (stream(event({}, "length"), DONE), FailureKind.MALFORMED_RESPONSE, "Raise the limit"),
        (sized(b"\x1f\x8b\x08zip", b"content-encoding: gzip"), FailureKind.MALFORMED_RESPONSE, "compressed"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", FailureKind.MALFORMED_RESPONSE, "not HTTP/1.1"),
        (refusing(b"200 OK", {"error": {"message": "Out of memory."}}), FailureKind.SERVER_ERROR, "Out of memory."),
        (
            refusing(b"200 OK", {"error": {"message": "Bad key.", "code": "invalid_api_key"}}),
            FailureKind.AUTH,
            "Bad key.",
        ),
        (
            stream(b'event: error\ndata: {"error":{"message":"Slow down.","type":"rate_limit_error"}}\n\n'),
            FailureKind.RATE_LIMIT,
            "Slow down.",
        ),
        (stream(event({"content": ""}, "content_filter"), DONE), FailureKind.CONTENT_FILTER, "filter"),
        (stream(b"data: \xff\xfe{{{\n\n"), FailureKind.MALFORMED_RESPONSE, "malformed"),
        (stream(b"data: " + b"x" * (LARGEST_EVENT + 10)), FailureKind.MALFORMED_RESPONSE, "too long"),
    ],
)
async def test_an_answer_that_is_none_is_told_apart(answer: bytes, kind: FailureKind, words: str) -> None:
    failure = failed(await answered(answer))
    assert failure.kind is kind
    assert words in failure.message


async def test_a_line_of_ten_megabytes_is_given_up_early() -> None:
    sent = 0

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.answer(HEAD + b"\r\ndata: ")
        for _ in range(160):
            await peer.send(b"x" * 65536)
            sent += 65536

    failure = failed(await observe(script))
    assert failure.kind is FailureKind.MALFORMED_RESPONSE
    assert "too long" in failure.message
    assert sent < 10_000_000


async def test_an_endless_stream_of_content_is_given_up_at_the_limit() -> None:
    big = framed(event({"content": "word " * 20_000}))

    async def script(peer: Peer) -> None:
        await peer.answer(STREAM)
        while True:
            await peer.send(big)

    found = await observe(script)
    assert failed(found).kind is FailureKind.MALFORMED_RESPONSE
    assert "too large" in failed(found).message
    assert len(found.text) <= 4 * 1024 * 1024 + 100_000


@pytest.mark.parametrize(
    ("last", "kind"),
    [(END, FailureKind.MALFORMED_RESPONSE), (b"", FailureKind.NETWORK), (b"zz\r\n", FailureKind.MALFORMED_RESPONSE)],
)
async def test_a_stream_cut_after_content_is_a_failure_that_keeps_the_text(last: bytes, kind: FailureKind) -> None:
    found = await answered(STREAM + framed(event({"content": "Hel"})) + framed(event({"content": "lo"})), last)
    assert failed(found).kind is kind
    assert found.text == "Hello"
    assert found.timing.ttft_ms is not None
    assert found.tokens is not None


async def test_an_error_after_content_keeps_the_text() -> None:
    found = await answered(stream(event({"content": "Hel"}), b'data: {"error":{"message":"Lost the GPU."}}\n\n'))
    assert failed(found).kind is FailureKind.SERVER_ERROR
    assert "Lost the GPU." in failed(found).message
    assert found.text == "Hel"


async def test_what_breaks_after_a_finished_answer_takes_nothing_from_it() -> None:
    finished = STREAM + framed(event({"content": "Hi"}, "stop"))
    for last in (END, b"", b"zz\r\n", framed(b"data: {broken\n\n") + END):
        found = await answered(finished, last)
        assert found.ok, found.failure
        assert found.text == "Hi"
        assert "did not end as it should" in found.cautions[0]
    ended = await answered(finished + framed(DONE), b"zz\r\n")
    assert ended.ok
    assert ended.cautions == ()


async def test_a_stream_kept_open_after_its_end_mark_holds_nobody_up() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(STREAM + framed(event({"content": "Hi"}, "stop") + DONE))
        await peer.closed()

    found = await observe(script)
    assert found.ok
    assert found.timing.ended_at == pytest.approx(found.timing.sent_at + (found.timing.e2e_ms or 0) / 1000)


@pytest.mark.parametrize("content_type", [b"text/plain", b"application/json", b"text/html", b"application/x-ndjson"])
async def test_a_wrong_content_type_misleads_nobody(content_type: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: " + content_type + b"\r\ntransfer-encoding: chunked\r\n\r\n"
    streamed = await answered(head + framed(event({"content": "Hi"}, "stop") + DONE) + END)
    assert (streamed.text, streamed.streamed, streamed.failure) == ("Hi", True, None)
    body = whole("Hi").replace(b"application/json", b"text/event-stream")
    in_one = await answered(body)
    assert (in_one.text, in_one.streamed, in_one.failure) == ("Hi", False, None)


@pytest.mark.parametrize(
    "said",
    [
        f"Incorrect API key provided: {KEY}.",
        f"Authorization was Bearer {KEY}",
        f"see https://example.com/?key={KEY}&x=1",
    ],
)
async def test_a_key_echoed_in_an_error_or_an_answer_is_taken_out(said: str) -> None:
    refused = await answered(refusing(b"401 Unauthorized", {"error": {"message": said}}))
    assert failed(refused).kind is FailureKind.AUTH
    assert "[redacted]" in failed(refused).message
    in_stream = await answered(stream(b"data: " + json.dumps({"error": {"message": said}}).encode() + b"\n\n"))
    assert "[redacted]" in failed(in_stream).message
    plain = await answered(sized(said.encode(), status=b"500 Oops"))
    assert "[redacted]" in failed(plain).message
    begins = await answered(sized(KEY.encode()))
    assert "neither JSON" in failed(begins).message
    half = len(said) - 12
    split = await answered(stream(event({"content": said[:half]}), event({"content": said[half:]}, "stop"), DONE))
    assert KEY not in repr(split)
    assert "[redacted]" in split.text


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (usage_event(0, 40), "no input tokens"),
        (usage_event(9, 0), "no output tokens"),
        (usage_event(9, 1), "only 1 output tokens"),
        (usage_event(9, 9_000), "although 1024 was the limit"),
        (usage_event(90_000, 30), "90000 input tokens"),
        (usage_event(-3, 2), "cannot be read"),
        (usage_event("many", 2), "cannot be read"),
        (event(usage=[1, 2]), "cannot be read"),
    ],
)
async def test_a_usage_that_cannot_be_right_is_kept_with_a_caution(usage: bytes, words: str) -> None:
    text = "A sentence of some length, said by a model. " * 4
    found = await answered(stream(event({"content": text}, "stop"), usage, DONE))
    assert found.ok
    assert len(found.cautions) == 1
    assert words in found.cautions[0]
    assert found.tokens is not None
    assert found.tokens.output >= 0


async def test_a_retry_time_is_passed_on() -> None:
    slow = refusing(b"429 Too Many Requests", {"error": {"message": "Rate limit."}}, b"retry-after: 7")
    failure = failed(await answered(slow))
    assert (failure.kind, failure.status, failure.retry_after_ms) == (FailureKind.RATE_LIMIT, 429, 7000.0)


async def test_the_body_of_an_error_that_hangs_does_not_hide_its_status() -> None:
    answer = b"HTTP/1.1 503 Busy\r\ncontent-length: 100\r\n\r\n" + b"overloaded"

    async def script(peer: Peer) -> None:
        await peer.answer(answer)
        peer.cut()

    failure = failed(await observe(script))
    assert (failure.kind, failure.status) == (FailureKind.SERVER_ERROR, 503)


async def test_a_connection_that_cannot_be_had_in_time_is_a_timeout() -> None:
    release = asyncio.Event()

    async def nowhere(host: str, port: int) -> list[str]:
        await release.wait()
        return []

    async with client_of(resolver=nowhere) as client:
        transport = DirectTransport(client, "http://llm.example.com/v1", None, Timeouts(connect=SHORT))
        found = await EndpointCaller(transport, target_at("x"), Clock(0.0)).ask(HELLO, Sampling())
    assert failed(found).kind is FailureKind.TIMEOUT
    assert "No connection" in failed(found).message


async def test_the_session_goes_on_after_a_bad_answer() -> None:
    async def script(peer: Peer) -> None:
        if peer.index == 0:
            await peer.answer(STREAM + framed(b"data: {broken\n\n"))
            await peer.closed()
        await peer.answer(stream(event({"content": "ok"}, "stop"), DONE))

    bad_then_good: Script = script
    async with HostileServer(bad_then_good) as server, client_of() as client:
        caller = caller_of(client, target_at(server.url("/v1")))
        assert (await caller.ask(HELLO, Sampling())).failure is not None
        assert (await caller.ask(HELLO, Sampling())).text == "ok"
