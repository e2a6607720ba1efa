"""Time to first byte and tokens per second, without drift, for many at once, for slow readers and for leavers."""

import asyncio
import time

import psutil
import pytest
from tests.sandbox.raw import RawClient, call, chat, events, request

from ownkey.sandbox import Options, SandboxServer
from ownkey.sandbox.pacing import Pace, pace_for

CHAT = "/openai/v1/chat/completions"


def test_times_are_offsets_from_the_start_and_so_never_drift():
    pace = Pace(first=0.5, gap=0.02)
    assert [pace.due(tokens) for tokens in (0, 1, 1000)] == pytest.approx([0.5, 0.52, 20.5])


def test_a_seed_varies_the_times_repeatably_and_keeps_their_order():
    options = Options(ttft_ms=100, tokens_per_second=50, seed=7)
    first, again, other = (pace_for(options, {}, number, 0.0) for number in (1, 1, 2))
    dues = [first.due(tokens) for tokens in range(500)]
    assert dues == [again.due(tokens) for tokens in range(500)]
    assert dues != [other.due(tokens) for tokens in range(500)]
    assert dues == sorted(dues)
    assert 0.075 <= dues[0] <= 0.131
    assert dues[-1] == pytest.approx(0.1 + 499 / 50, abs=0.04)


async def test_slow_models_send_their_first_byte_late(sandbox: SandboxServer):
    for stream in (False, True):
        started = time.monotonic()
        await call(sandbox.url, CHAT, chat("slow-80", stream=stream))
        assert time.monotonic() - started >= 0.079


async def test_headers_override_the_options_for_one_request(sandbox: SandboxServer):
    headers = {"x-sandbox-ttft-ms": "60", "x-sandbox-tps": "100"}
    started = time.monotonic()
    answer = await call(sandbox.url, CHAT, chat("lorem-9", stream=True), headers=headers)
    assert time.monotonic() - started >= 0.06 + 8 / 100 - 0.002
    assert events(answer.body)[-1] == "[DONE]"
    started = time.monotonic()
    await call(sandbox.url, CHAT, chat("lorem-9"), headers=headers)
    assert time.monotonic() - started >= 0.06 + 9 / 100 - 0.002


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf", "1e99", ""])
async def test_overrides_that_are_no_amounts_are_refused(sandbox: SandboxServer, value: str):
    for name in ("x-sandbox-ttft-ms", "x-sandbox-tps"):
        assert (await call(sandbox.url, CHAT, chat(), headers={name: value})).status == 400


async def test_tokens_arrive_one_by_one_at_their_time():
    options = Options(ttft_ms=20, tokens_per_second=100)
    async with SandboxServer(options=options) as server, RawClient(server.url) as client:
        started = time.monotonic()
        client.send(request(CHAT, chat("lorem-20", stream=True)))
        await client.receive_head()
        arrivals = [time.monotonic() - started async for _ in client.chunks()]
    assert len(arrivals) >= 5
    assert arrivals[0] >= 0.019
    assert arrivals[-1] >= 0.02 + 19 / 100 - 0.002


async def test_many_paced_streams_run_at_once(sandbox: SandboxServer):
    data = request(CHAT, chat("lorem-5", stream=True), headers={"x-sandbox-tps": "10"})
    clients = [RawClient(sandbox.url) for _ in range(150)]

    async def read(client: RawClient) -> int:
        async with client:
            client.send(data)
            return len(events((await client.receive()).body))

    started = time.monotonic()
    assert set(await asyncio.gather(*map(read, clients))) == {8}
    # One after the other they would need 60 seconds, however fast the machine is.
    assert time.monotonic() - started < 30
    assert sandbox.sandbox.stats.open_streams == 0


async def test_a_reader_that_does_not_read_stops_the_making_and_not_the_server(sandbox: SandboxServer):
    before = psutil.Process().memory_info().rss
    async with RawClient(sandbox.url) as client:
        client.send(request(CHAT, chat("lorem-1000000", stream=True)))
        await client.receive_head()
        while True:
            sent = _last(sandbox)["tokens_sent"]
            answer = await call(sandbox.url, CHAT, chat())
            assert answer.status == 200
            if _stalled(sandbox, sent):
                break
        assert sent < 500_000
        assert psutil.Process().memory_info().rss - before < 120 * 2**20
        read = 0
        async for chunk in client.chunks():
            read += chunk.count(b"\n\n")
            if read > sent:
                break
    assert read > sent


async def test_a_pipeline_whose_answers_are_not_read_is_not_answered_further(sandbox: SandboxServer):
    wanted = 200
    async with RawClient(sandbox.url) as client:
        client.send(request(CHAT, chat("lorem-40000")) * wanted)
        answered = -1
        while answered != sandbox.sandbox.stats.by_status.get(200):
            answered = sandbox.sandbox.stats.by_status.get(200)
            await call(sandbox.url, "/")
        assert sandbox.sandbox.stats.requests < wanted
        for _ in range(wanted):
            assert len((await client.receive()).body) > 200_000


def _last(sandbox: SandboxServer) -> dict[str, int]:
    streaming = [request for request in sandbox.sandbox.recent if request.outcome == "streaming"]
    return {"tokens_sent": streaming[-1].tokens_sent}


def _stalled(sandbox: SandboxServer, sent: int) -> bool:
    return 0 < sent == _last(sandbox)["tokens_sent"]


@pytest.mark.parametrize("model", ["lorem-1000000", "slow-60000"])
async def test_generation_stops_when_the_client_leaves(sandbox: SandboxServer, model: str):
    async with RawClient(sandbox.url) as client:
        client.send(request(CHAT, chat(model, stream=True), headers={"x-sandbox-tps": "50"}))
        if model.startswith("lorem"):
            await client.receive_head()
        else:
            await call(sandbox.url, CHAT, chat())
    while sandbox.sandbox.stats.abandoned == 0:
        await call(sandbox.url, CHAT, chat())
    assert sandbox.sandbox.stats.open_streams == 0
    (left,) = [request for request in sandbox.sandbox.recent if request.outcome == "abandoned"]
    assert left.tokens_sent < 1000


async def test_an_answer_in_waiting_is_dropped_when_the_client_leaves(sandbox: SandboxServer):
    async with RawClient(sandbox.url) as client:
        client.send(request(CHAT, chat("slow-60000")))
        await call(sandbox.url, CHAT, chat())
    while sandbox.sandbox.stats.abandoned == 0:
        await call(sandbox.url, CHAT, chat())
