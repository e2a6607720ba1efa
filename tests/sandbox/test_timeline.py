"""What was planned and when the bytes left stand in headers and in the log, by which a client is measured."""

import time
from typing import Any

import pytest
from tests.sandbox.raw import RawClient, call, chat, events, request

from ownkey.sandbox import Options, SandboxServer, parse_distribution

CHAT = "/openai/v1/chat/completions"


async def logged(sandbox: SandboxServer) -> Any:
    return (await call(sandbox.url, "/__sandbox/requests")).json["requests"][-1]


async def test_a_stream_tells_its_drawn_times_and_the_log_when_its_bytes_left(sandbox: SandboxServer):
    model = "lorem-5+ttft=lognormal:30:0.3+gap=exponential:4+seed=5"
    answer = await call(sandbox.url, CHAT, chat(model, stream=True))
    entry = await logged(sandbox)
    planned, actual = entry["timing"]["planned_ms"], entry["timing"]["actual_ms"]
    assert int(answer.headers["x-sandbox-request"]) == entry["number"]
    assert float(answer.headers["x-sandbox-ttft-ms"]) == planned["first_byte"]
    gap = float(answer.headers["x-sandbox-gap-ms"])
    assert planned["last_token"] == pytest.approx(planned["first_byte"] + 4 * gap, abs=0.01)
    assert planned["last_token"] < planned["last_byte"]
    for name in ("first_byte", "last_token", "last_byte"):
        assert actual[name] >= planned[name] - 0.6
    assert actual["first_byte"] <= actual["last_token"] <= actual["last_byte"]


async def test_the_times_of_the_log_are_those_of_this_machines_monotonic_clock(sandbox: SandboxServer):
    sent = time.monotonic()
    await call(sandbox.url, CHAT, chat("echo+ttft=20"))
    received = time.monotonic()
    timing = (await logged(sandbox))["timing"]
    written = timing["arrived_monotonic_s"] + timing["actual_ms"]["first_byte"] / 1000
    assert sent <= timing["arrived_monotonic_s"] <= written <= received


async def test_an_answer_in_one_piece_is_due_when_its_last_token_would_be(sandbox: SandboxServer):
    answer = await call(sandbox.url, CHAT, chat("lorem-4+ttft=10+gap=5"))
    assert float(answer.headers["x-sandbox-ttft-ms"]) == 30
    assert "x-sandbox-gap-ms" not in answer.headers
    assert (await logged(sandbox))["timing"]["planned_ms"]["last_byte"] == 30


async def test_answers_without_a_pace_have_no_plan_but_are_timed(sandbox: SandboxServer):
    answer = await call(sandbox.url, CHAT, chat())
    assert "x-sandbox-ttft-ms" not in answer.headers
    timing = (await logged(sandbox))["timing"]
    assert timing["planned_ms"] is None
    assert timing["actual_ms"]["first_byte"] > 0


async def test_the_options_are_drawn_from_anew_for_each_request():
    options = Options(ttft=parse_distribution("uniform:1:20"), seed=2)
    drawn: list[list[str]] = []
    for _ in range(2):
        async with SandboxServer(options=options) as server:
            answers = [await call(server.url, CHAT, chat(stream=True)) for _ in range(4)]
            drawn.append([answer.headers["x-sandbox-ttft-ms"] for answer in answers])
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 4


async def test_chunks_carry_several_tokens_at_the_time_of_their_first(sandbox: SandboxServer):
    body = chat("lorem-10+chunk=4+gap=3", stream=True, stream_options={"include_usage": True})
    answer = await call(sandbox.url, CHAT, body)
    found = events(answer.body)
    texts = [event["choices"][0]["delta"].get("content") for event in found[:-1] if event["choices"]]
    assert [len(text.split()) for text in texts if text] == [4, 4, 2]
    assert found[-2]["usage"]["completion_tokens"] == 10
    entry = await logged(sandbox)
    assert entry["tokens_sent"] == 10
    assert entry["timing"]["actual_ms"]["last_token"] >= 8 * 3 - 0.6


async def test_a_stream_under_way_shows_what_has_been_sent(sandbox: SandboxServer):
    async with RawClient(sandbox.url) as client:
        client.send(request(CHAT, chat("hang-3", stream=True)))
        await client.receive_head()
        entry = await logged(sandbox)
    assert (entry["outcome"], entry["tokens_sent"]) == ("streaming", 3)
    assert entry["timing"]["planned_ms"]["last_byte"] is None


@pytest.mark.parametrize("value", ["soon", "uniform:2:1", "normal:1:2"])
async def test_headers_that_say_no_times_are_refused(sandbox: SandboxServer, value: str):
    for name in ("x-sandbox-ttft-ms", "x-sandbox-gap-ms"):
        assert (await call(sandbox.url, CHAT, chat(), headers={name: value})).status == 400
    assert (await call(sandbox.url, CHAT, chat(f"echo+ttft={value}"))).status == 400
