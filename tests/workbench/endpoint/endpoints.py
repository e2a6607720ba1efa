"""Endpoints that do on the wire what a test scripts, and callers that ask them."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from tests.net.hostile import HostileServer, Peer, Script, client_of, sized

from ownkey.domain.secret import Secret
from ownkey.gateway.net import UpstreamClient
from ownkey.workbench.endpoint import Clock, DirectTransport, EndpointCaller
from ownkey.workbench.records import Abilities, EndpointKind, Message, Observation, Prices, Sampling, Target

KEY = "sk-test-0123456789abcdef"
HELLO = (Message("user", "hello"),)
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def framed(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(delta: dict[str, Any] | None = None, finish: str | None = None, **more: Any) -> bytes:
    """One chunk of a completion; without a delta and a reason one that has no choices."""
    choices = [] if delta is None and finish is None else [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    return b"data: %b\n\n" % json.dumps({"id": "c1", "choices": choices} | more).encode()


def usage_event(prompt: Any = 9, completion: Any = 2) -> bytes:
    return event(usage={"prompt_tokens": prompt, "completion_tokens": completion})


def whole(text: str = "Hello there", **more: Any) -> bytes:
    """A completion in one piece, as a response."""
    message = {"role": "assistant", "content": text}
    body = {"id": "c1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    return sized(json.dumps(body | more).encode(), b"content-type: application/json")


def stream(*events: bytes) -> bytes:
    """A whole stream as a response, each event in a chunk of its own."""
    return STREAM + b"".join(map(framed, events)) + END


def target_at(url: str, abilities: Abilities | None = None, prices: Prices | None = None, model: str = "m") -> Target:
    return Target(
        id="t1",
        label="test",
        kind=EndpointKind.DIRECT,
        model=model,
        base_url=url,
        abilities=abilities or Abilities(),
        prices=prices,
    )


def caller_of(client: UpstreamClient, target: Target, *, trusted: bool = True) -> EndpointCaller:
    assert target.base_url is not None
    transport = DirectTransport(client, target.base_url, Secret(KEY), trusted=trusted)
    return EndpointCaller(transport, target, Clock(0.0))


async def observe(
    script: Script,
    sampling: Sampling | None = None,
    abilities: Abilities | None = None,
    prices: Prices | None = None,
) -> Observation:
    """What asking a scripted endpoint once comes to. Times of day are those of `time.monotonic()`."""
    async with HostileServer(script) as server, client_of() as client:
        caller = caller_of(client, target_at(server.url("/v1"), abilities, prices))
        return await caller.ask(HELLO, sampling or Sampling(timeout_ms=20_000))


async def answered(*pieces: bytes, sampling: Sampling | None = None) -> Observation:
    """What an endpoint comes to that sends these bytes and closes."""

    async def script(peer: Peer) -> None:
        await peer.answer(*pieces)

    return await observe(script, sampling)


@asynccontextmanager
async def recorder(answers: list[bytes]) -> AsyncGenerator[tuple[HostileServer, list[dict[str, Any]]]]:
    """A server that gives the answers in turn, and the bodies it was asked with."""
    asked: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        while answers:
            request = await peer.request()
            asked.append(json.loads(request.partition(b"\r\n\r\n")[2]))
            await peer.send(answers.pop(0))
        await peer.closed()

    async with HostileServer(script) as server:
        yield server, asked
