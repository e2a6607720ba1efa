"""Endpoints that fail in ways no API describes: silence, pages, redirects, errors that call themselves success."""

import json
from typing import Any

import pytest
from tests.sandbox.every_format import FORMATS, NAMES, Format, ask
from tests.sandbox.raw import RawClient, call, chat, events, request

from ownkey.sandbox import Options, SandboxServer

CHAT = "/openai/v1/chat/completions"
METADATA = "http://169.254.169.254/latest/meta-data/"
every_format = pytest.mark.parametrize("wire", FORMATS, ids=NAMES)


@every_format
async def test_a_model_that_hangs_takes_the_request_and_sends_nothing(sandbox: SandboxServer, wire: Format):
    for stream in (False, True):
        async with RawClient(sandbox.url) as client:
            body = wire.body("hang", stream, "one", None)
            client.send(request(wire.path("hang", stream), body, headers=wire.headers))
            await call(sandbox.url, CHAT, chat())
            hanging = [entry for entry in sandbox.sandbox.recent if entry.outcome in ("received", "streaming")]
            assert len(hanging) == 1
            assert hanging[0].timeline.first == 0
            assert client.reader.at_eof() is False
        while sandbox.sandbox.stats.abandoned == 0:
            await call(sandbox.url, CHAT, chat())
        sandbox.sandbox.stats.abandoned = 0
        sandbox.sandbox.recent.clear()


async def test_hang_n_sends_n_tokens_and_then_nothing(sandbox: SandboxServer):
    async with RawClient(sandbox.url) as client:
        client.send(request(CHAT, chat("hang-3", stream=True)))
        await client.receive_head()
        received = b""
        async for chunk in client.chunks():
            received += chunk
            if received.count(b'"content":') == 4:
                break
        await call(sandbox.url, CHAT, chat())
        (left,) = [entry for entry in sandbox.sandbox.recent if entry.outcome == "streaming"]
        assert left.tokens_sent == 3
        texts = [event["choices"][0]["delta"]["content"] for event in events(received)]
        assert "".join(texts) == "Lorem ipsum dolor"


async def test_a_server_with_hanging_requests_still_stops():
    server = SandboxServer(options=Options(grace_s=0.01))
    await server.start()
    async with RawClient(server.url) as client:
        client.send(request(CHAT, chat("hang")))
        await call(server.url, CHAT, chat())
        await server.stop()
        assert await client.reader.read() == b""


@every_format
async def test_error_200_is_an_error_that_calls_itself_a_success(sandbox: SandboxServer, wire: Format):
    whole = await ask(sandbox.url, wire, "error-200")
    assert whole.status == 200
    assert "had an error" in json.dumps(whole.json)
    stream = await ask(sandbox.url, wire, "error-200", stream=True)
    assert stream.status == 200
    assert b"had an error" in stream.body
    assert b"three" not in stream.body


@every_format
async def test_a_redirect_leads_to_the_clouds_secrets(sandbox: SandboxServer, wire: Format):
    answer = await ask(sandbox.url, wire, "redirect")
    assert (answer.status, answer.headers["location"]) == (307, METADATA)


@every_format
async def test_a_page_of_html_stands_where_an_answer_should(sandbox: SandboxServer, wire: Format):
    for model, status in (("html", 200), ("html-502", 502)):
        answer = await ask(sandbox.url, wire, model)
        assert (answer.status, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert answer.body.startswith(b"<!doctype html>")


async def test_flaky_models_fail_every_kth_call_with_the_status_in_their_name(sandbox: SandboxServer):
    async def answers(model: str) -> list[Any]:
        return [await call(sandbox.url, CHAT, chat(model)) for _ in range(4)]

    limited = await answers("flaky-2-429")
    assert [answer.status for answer in limited] == [200, 429, 200, 429]
    assert limited[1].headers["retry-after"] == "1"
    busy = await answers("flaky-2-503")
    assert [answer.status for answer in busy] == [200, 503, 200, 503]
    assert "retry-after" not in busy[1].headers
    assert [answer.status for answer in await answers("flaky-4")] == [200, 200, 200, 500]


async def test_the_faults_hold_for_embeddings_too(sandbox: SandboxServer):
    async def embed(model: str) -> Any:
        return await call(sandbox.url, "/openai/v1/embeddings", {"model": model, "input": "one"})

    assert (await embed("redirect")).status == 307
    assert (await embed("html")).headers["content-type"].startswith("text/html")
    assert "error" in (await embed("error-200")).json
    assert "usage" not in (await embed("no-usage")).json
    assert float((await embed("any+ttft=3")).headers["x-sandbox-ttft-ms"]) == 3
