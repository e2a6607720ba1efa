"""What asking an endpoint comes to, against the sandbox and against scripted servers."""

import asyncio
from time import monotonic

import pytest
from tests.net.hostile import HostileServer, Peer, client_of
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
    recorder,
    stream,
    target_at,
    usage_event,
    whole,
)

from ownkey.sandbox import Options, SandboxServer
from ownkey.workbench.records import Abilities, FailureKind, Message, Prices, Sampling, TokenSource

_TICK = 1.0
"""Milliseconds by which a timer of the loop may come early."""


async def test_known_pacing_is_never_undercut() -> None:
    words = tuple(f"word{number} " for number in range(12))
    options = Options(ttft_ms=60, tokens_per_second=100)
    async with SandboxServer(options=options) as sandbox, client_of() as client:
        caller = caller_of(client, target_at(f"{sandbox.url}/openai/v1", model="lorem-12"))
        found = await caller.ask((Message("user", "".join(words)),), Sampling())
    assert found.failure is None
    timing = found.timing
    assert timing.ttft_ms is not None
    assert timing.e2e_ms is not None
    # A token's delay is told as an offset from the start, and each is at least as late as its schedule. The sandbox
    # starts its clock after we stamped the sending.
    assert timing.ttft_ms >= 60 - _TICK
    assert timing.e2e_ms >= 60 + 11 * 10 - _TICK
    assert sum(timing.gaps_ms) == pytest.approx(timing.e2e_ms - timing.ttft_ms)
    assert timing.ttfo_ms == timing.ttft_ms
    assert timing.connect_ms is not None
    assert timing.ended_at >= timing.sent_at + timing.e2e_ms / 1000
    assert found.tokens is not None
    assert (found.tokens.output, found.tokens.source) == (12, TokenSource.SERVER)
    assert found.streamed
    assert found.finish_reason == "stop"


async def test_reasoning_of_the_sandbox_comes_before_its_output() -> None:
    options = Options(tokens_per_second=200)
    async with SandboxServer(options=options) as sandbox, client_of() as client:
        caller = caller_of(client, target_at(f"{sandbox.url}/openai/v1", model="think-10"))
        found = await caller.ask(HELLO, Sampling())
        again = await caller.ask(HELLO, Sampling(stream=False))
    assert found.timing.ttft_ms is not None
    assert found.timing.ttfo_ms is not None
    assert found.timing.ttfo_ms >= found.timing.ttft_ms
    assert found.text == again.text == "hello"
    assert found.tokens is not None
    assert again.tokens is not None
    assert found.tokens.reasoning == again.tokens.reasoning == 10
    assert not again.streamed
    assert again.timing.ttft_ms == again.timing.ttfo_ms == again.timing.e2e_ms
    assert again.timing.gaps_ms == ()


async def test_the_usage_frame_and_the_end_mark_are_in_no_latency() -> None:
    last_content: list[float] = []

    async def script(peer: Peer) -> None:
        await peer.answer(STREAM + framed(event({"content": "a"})))
        last_content.append(monotonic())
        # In many turns of the loop, so that the client has read the content long before the rest leaves.
        for _ in range(20):
            await asyncio.sleep(0.01)
        await peer.send(framed(event({}, "stop") + usage_event() + DONE), END)

    async with HostileServer(script) as server, client_of() as client:
        found = await caller_of(client, target_at(server.url("/v1"))).ask(HELLO, Sampling())
    # The clock's offset is 0, so that times of day are the monotonic clock's.
    assert found.timing.e2e_ms == found.timing.ttft_ms
    assert found.timing.ended_at >= last_content[0] + 0.19
    assert found.timing.sent_at + (found.timing.e2e_ms or 0) / 1000 <= found.timing.ended_at - 0.05
    assert found.tokens is not None
    assert (found.tokens.input, found.tokens.output) == (9, 2)


async def test_a_target_is_asked_as_far_as_its_abilities_go() -> None:
    answers = [stream(event({"content": "x"}, "stop"), DONE), whole()]
    system = (Message("system", "Be brief."), Message("user", "hello"))
    async with recorder(answers) as (server, asked), client_of() as client:
        await caller_of(client, target_at(server.url("/v1"))).ask(system, Sampling(max_tokens=7, temperature=0))
        abilities = Abilities(
            streaming=False, token_limit="max_completion_tokens", temperature=False, system_role=False
        )
        await caller_of(client, target_at(server.url("/v1"), abilities)).ask(system, Sampling(max_tokens=7))
    assert asked == [
        {
            "model": "m",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}],
            "max_tokens": 7,
            "temperature": 0.0,
            "stream": True,
            "stream_options": {"include_usage": True},
        },
        {
            "model": "m",
            "messages": [{"role": "user", "content": "Be brief.\n\nhello"}],
            "max_completion_tokens": 7,
        },
    ]


async def test_usage_is_not_asked_for_in_a_stream_that_refuses_it() -> None:
    answers = [stream(event({"content": "x"}, "stop"), DONE)]
    async with recorder(answers) as (server, asked), client_of() as client:
        target = target_at(server.url("/v1"), Abilities(stream_usage=False))
        await caller_of(client, target).ask(HELLO, Sampling(temperature=None))
    assert asked[0]["stream"] is True
    assert "stream_options" not in asked[0]
    assert "temperature" not in asked[0]


@pytest.mark.parametrize("status", [b"400 Bad Request", b"422 Unprocessable Entity"])
async def test_an_endpoint_that_rejects_the_question_for_usage_is_asked_without_it_and_remembered(
    status: bytes,
) -> None:
    body = b'{"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]}'
    refusal = b"HTTP/1.1 %b\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body)
    answers = [refusal, *[stream(event({"content": "x"}, "stop"), DONE)] * 2]
    async with recorder(answers) as (server, asked), client_of() as client:
        caller = caller_of(client, target_at(server.url("/v1")))
        observed = [await caller.ask(HELLO, Sampling()) for _ in range(2)]
    assert [each.text for each in observed] == ["x", "x"]
    assert ["stream_options" in each for each in asked] == [True, False, False]


async def test_the_key_travels_as_a_bearer_token() -> None:
    heads: list[bytes] = []

    async def script(peer: Peer) -> None:
        heads.append(await peer.answer(whole()))

    await observe(script)
    assert b"\r\nauthorization: Bearer " + KEY.encode() in heads[0]
    assert heads[0].startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")


async def test_a_stream_that_was_asked_for_and_came_whole_says_so() -> None:
    found = await answered(whole("Hi", usage={"prompt_tokens": 3, "completion_tokens": 1}))
    assert found.ok
    assert not found.streamed
    assert found.timing.ttft_ms == found.timing.e2e_ms
    assert found.text == "Hi"


async def test_cost_is_the_prices_times_the_tokens_rounded_up() -> None:
    async def script(peer: Peer) -> None:
        await peer.answer(stream(event({"content": "ab"}, "stop"), usage_event(3, 2), DONE))

    found = await observe(script, prices=Prices(input=150_000_000, output=600_000_001, source="user"))
    assert found.cost == 450 + 1201
    assert (await observe(script)).cost is None


async def test_tokens_are_estimated_and_labelled_where_the_endpoint_counts_none() -> None:
    found = await answered(stream(event({"content": "Hello there, friend."}, "stop"), DONE))
    assert found.ok
    assert found.tokens is not None
    assert found.tokens.source is TokenSource.ESTIMATED
    assert 3 <= found.tokens.output <= 8
    assert found.tokens.input >= 5
    assert found.cautions == ()


async def test_more_output_tokens_than_the_answer_has_bytes_are_doubted() -> None:
    found = await answered(stream(event({"content": "Paris"}, "stop"), usage_event(8, 60), DONE))
    (caution,) = found.cautions
    assert "60 output tokens for 5 characters" in caution
    assert found.tokens is not None
    assert found.tokens.output == 60
    told = b'data: {"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":60,'
    told += b'"completion_tokens_details":{"reasoning_tokens":55}}}\n\n'
    assert (await answered(stream(event({"content": "Paris"}, "stop"), told, DONE))).cautions == ()


async def test_a_connection_serves_the_next_call() -> None:
    """After a stream a connection rests first, as some servers close it: see `gateway.net.habits`."""
    async with recorder([whole()] * 3) as (server, _), client_of() as client:
        caller = caller_of(client, target_at(server.url("/v1")))
        found = [await caller.ask(HELLO, Sampling(stream=False)) for _ in range(3)]
        assert server.connections == 1
    assert found[0].timing.connect_ms is not None
    assert [one.timing.connect_ms for one in found[1:]] == [None, None]


async def test_cancellation_is_raised_and_closes_the_connection() -> None:
    asked = asyncio.Event()
    closed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.answer(STREAM + framed(event({"content": "a"})))
        asked.set()
        await peer.closed()
        closed.set()

    async with HostileServer(script) as server, client_of() as client:
        task = asyncio.create_task(caller_of(client, target_at(server.url("/v1"))).ask(HELLO, Sampling()))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await closed.wait()


async def test_a_text_without_utf8_form_is_a_failure_and_not_an_error() -> None:
    async with client_of() as client:
        caller = caller_of(client, target_at("http://127.0.0.1:9/v1"))
        found = await caller.ask((Message("user", "\ud800"),), Sampling())
    assert found.failure is not None
    assert found.failure.kind is FailureKind.UNKNOWN
    assert "UTF-8" in found.failure.message
