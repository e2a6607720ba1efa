"""The connection check against the sandbox and against endpoints that refuse one thing or another."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.net.hostile import SHORT, HostileServer, Peer, client_of, sized
from tests.workbench.endpoint.endpoints import DONE, KEY, event, stream, target_at, usage_event, whole

from ownkey.domain.secret import Secret
from ownkey.gateway.net import AddressGuard
from ownkey.sandbox import SandboxServer
from ownkey.workbench.endpoint import ConnectionCheck, DirectTransport, check_connection
from ownkey.workbench.endpoint.check import close_names
from ownkey.workbench.endpoint.probes import MOST_CALLS
from ownkey.workbench.records import FailureKind

Body = dict[str, Any]
Answering = Callable[[str, Body], bytes]
"""Takes a path and a body, and gives the response."""


async def check(url: str, model: str = "m", *, trusted: bool = True, timeout_ms: float = 20_000) -> ConnectionCheck:
    async with client_of(AddressGuard()) as client:

        def make(base_url: str | None) -> DirectTransport:
            assert base_url is not None
            return DirectTransport(client, base_url, Secret(KEY), trusted=trusted)

        return await check_connection(make, target_at(url, model=model), timeout_ms)


def steps(found: ConnectionCheck) -> dict[str, bool | None]:
    return {step.name: step.ok for step in found.steps}


@asynccontextmanager
async def answering(answer: Answering) -> AsyncGenerator[tuple[str, list[Body]]]:
    """A server that answers each request by a function, and the bodies it was sent."""
    asked: list[Body] = []

    async def script(peer: Peer) -> None:
        while True:
            head, _, body = (await peer.request()).partition(b"\r\n\r\n")
            path = head.split(b" ")[1].decode()
            asked.append(json.loads(body or b"{}"))
            await peer.send(answer(path, asked[-1]))

    async with HostileServer(script) as server:
        yield server.url(""), asked


def refuse(message: str, status: bytes = b"400 Bad Request", **more: Any) -> bytes:
    return sized(json.dumps({"error": {"message": message} | more}).encode(), status=status)


def able(body: Body, text: str = "Hello!") -> bytes:
    """What an endpoint that can do everything answers."""
    delta: Body = {"content": text}
    if "tools" in body:
        delta = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "get_time", "arguments": "{}"}}]}
    if "response_format" in body:
        delta = {"content": '{"ok": true}'}
    if not body.get("stream"):
        message = {"role": "assistant"} | delta
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return sized(json.dumps({"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}).encode())
    usage = [usage_event(9, 4)] if body.get("stream_options") else []
    return stream(event({"reasoning": "hm"}), event(delta, "stop"), *usage, DONE)


async def test_an_able_endpoint_is_found_able_in_three_calls() -> None:
    async with answering(lambda path, body: able(body)) as (url, asked):
        found = await check(f"{url}/v1/chat/completions")
    assert found.success
    assert found.base_url == f"{url}/v1"
    assert len(asked) == 3
    assert all(body["max_tokens"] <= 60 for body in asked)
    assert (asked[0]["max_tokens"], asked[0]["temperature"]) == (20, 0.0)
    assert found.preview == "Hello!"
    assert found.latency_ms is not None
    assert [step.name for step in found.steps] == [
        *("address", "connect", "authenticate", "answer", "streaming", "usage", "token limit", "system role"),
        *("tools", "json mode", "reasoning"),
    ]
    assert all(step.ok for step in found.steps)
    abilities = found.abilities
    assert abilities.streaming
    assert abilities.stream_usage
    assert abilities.token_limit == "max_tokens"
    assert abilities.temperature
    assert abilities.system_role
    assert abilities.tools
    assert abilities.json_mode
    assert abilities.reasoning_field == "reasoning"
    assert abilities.tokens_per_chunk == 2.0
    assert found.failure is None
    assert found.advice == ""


async def test_the_sandbox_passes() -> None:
    async with SandboxServer() as sandbox:
        found = await check(f"{sandbox.url}/openai/v1", "tool")
    assert found.success, found
    assert found.abilities.streaming
    assert found.abilities.tools
    assert found.preview.startswith("Say hello")


async def test_each_refused_parameter_is_left_out_and_later_calls_adapt() -> None:
    def picky(path: str, body: Body) -> bytes:
        if "max_tokens" in body:
            return refuse("Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.")
        if "stream_options" in body:
            return refuse("Extra inputs are not permitted: stream_options", b"422 No")
        if "temperature" in body:
            return refuse("Unsupported value: 'temperature' does not support 0 with this model.")
        if any(message["role"] == "system" for message in body["messages"]):
            return refuse("System role not supported")
        if "tools" in body:
            return refuse("This endpoint does not support tools.")
        if "response_format" in body:
            return refuse("response_format is not supported")
        return able(body)

    async with answering(picky) as (url, asked):
        found = await check(f"{url}/v1")
    assert found.success, found
    abilities = found.abilities
    assert abilities.token_limit == "max_completion_tokens"
    assert (abilities.streaming, abilities.stream_usage, abilities.temperature) == (True, False, False)
    assert (abilities.system_role, abilities.tools, abilities.json_mode) == (False, False, False)
    assert len(asked) <= MOST_CALLS
    assert asked[4]["messages"][0]["role"] == "user"
    assert asked[4]["messages"][0]["content"].startswith("You answer briefly.")
    assert steps(found)["tools"] is False


async def test_a_refusal_that_names_nothing_is_met_with_the_plainest_request() -> None:
    def plain_only(path: str, body: Body) -> bytes:
        return able(body) if not body.get("stream") and "temperature" not in body else refuse("Bad request.")

    async with answering(plain_only) as (url, asked):
        found = await check(f"{url}/v1")
    assert found.success
    assert found.abilities.streaming is False
    assert steps(found)["usage"] is None
    assert found.abilities.tokens_per_chunk is None
    assert len(asked) == 4


async def test_an_endpoint_that_refuses_everything_is_asked_a_few_times_only() -> None:
    async with answering(lambda path, body: refuse("max_tokens is wrong.")) as (url, asked):
        found = await check(f"{url}/v1")
    assert not found.success
    assert len(asked) == 2
    assert found.failure is not None
    assert found.failure.kind is FailureKind.UNKNOWN
    assert found.advice


async def test_a_stream_that_was_asked_for_and_comes_whole_is_no_stream() -> None:
    async with answering(lambda path, body: able(body | {"stream": False})) as (url, asked):
        found = await check(f"{url}/v1")
    assert found.success
    assert found.abilities.streaming is False
    # The calls after it no longer ask for one.
    assert [bool(body.get("stream")) for body in asked] == [True, False, False]


async def test_a_missing_version_is_found_and_told() -> None:
    def below_v1(path: str, body: Body) -> bytes:
        if path == "/v1/chat/completions":
            return able(body)
        return sized(b"<html>Welcome</html>") if path == "/chat/completions" else sized(b"", status=b"404 Not Found")

    async with answering(below_v1) as (url, asked):
        found = await check(url)
    assert found.success
    assert found.base_url == f"{url}/v1"
    assert "is used" in found.message
    assert len(asked) == 4


async def test_an_address_without_chat_completions_anywhere_is_told_as_given() -> None:
    async with answering(lambda path, body: sized(b"", status=b"404 Not Found")) as (url, asked):
        found = await check(url)
    assert not found.success
    assert found.base_url == url
    assert "base URL" in found.message
    assert "/v1" in found.advice
    assert len(asked) == 2


async def test_a_wrong_model_name_is_answered_with_names_like_it() -> None:
    def lists(path: str, body: Body) -> bytes:
        if path == "/v1/models":
            return sized(json.dumps({"data": [{"id": "llama-3.3-70b"}, {"id": "qwen-3"}, {"id": 7}]}).encode())
        return refuse("The model `lama-3.3` does not exist.", b"404 Not Found")

    async with answering(lists) as (url, _):
        found = await check(f"{url}/v1", "lama-3.3")
    assert steps(found) == {"address": True, "connect": True, "authenticate": True, "answer": False}
    assert "Did you mean llama-3.3-70b?" in found.message
    assert found.failure is not None
    assert found.failure.kind is FailureKind.MODEL_NOT_FOUND


def test_names_that_hold_the_wanted_one_come_first() -> None:
    names = ("meta-llama/Llama-3.3-70B", "gpt-5-mini", "gpt-5", "mistral-small")
    assert close_names("llama-3.3-70b", names) == ["meta-llama/Llama-3.3-70B"]
    assert close_names("gpt5", names)[0] == "gpt-5"
    assert close_names("nothing-alike-at-all", names) == []
    assert close_names("", names) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"data": 5}', b'["a"]', b'{"object":"list"}'])
async def test_a_list_of_models_that_is_none_changes_nothing(body: bytes) -> None:
    def lists(path: str, _: Body) -> bytes:
        return sized(body) if path == "/v1/models" else refuse("The model `m` does not exist.", b"404 Not Found")

    async with answering(lists) as (url, _):
        found = await check(f"{url}/v1")
    assert found.message.endswith("The model `m` does not exist.")


async def test_the_key_is_refused_before_anything_else_is_asked() -> None:
    said = f"Incorrect API key provided: {KEY}."
    async with answering(lambda path, body: refuse(said, b"401 Unauthorized")) as (url, asked):
        found = await check(f"{url}/v1")
    assert steps(found) == {"address": True, "connect": True, "authenticate": False}
    assert len(asked) == 1
    assert KEY not in repr(found)
    assert "key" in found.advice


async def test_an_endpoint_that_hangs_is_left_at_the_time_limit() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.closed()

    async with HostileServer(script) as server:
        found = await check(server.url("/v1"), timeout_ms=SHORT * 1000)
    assert steps(found) == {"address": True, "connect": True, "answer": False}
    assert found.failure is not None
    assert found.failure.kind is FailureKind.TIMEOUT


async def test_a_server_that_is_not_there_fails_at_connecting() -> None:
    found = await check("http://127.0.0.1:9/v1")
    assert steps(found) == {"address": True, "connect": False}
    assert "server runs" in found.advice


async def test_a_private_address_fails_at_the_address() -> None:
    found = await check("http://127.0.0.1:9/v1", trusted=False)
    assert steps(found) == {"address": False}
    assert "OWNKEY_ALLOW_PRIVATE_ENDPOINTS" in found.advice
    missing = await check("llm.example.com/v1")
    assert steps(missing) == {"address": False}
    assert "https://llm.example.com/v1" in missing.message


async def test_probes_that_break_leave_their_ability_open() -> None:
    def breaks(path: str, body: Body) -> bytes:
        return refuse("Boom.", b"500 Oops") if {"tools", "response_format"} & set(body) else able(body)

    async with answering(breaks) as (url, _):
        found = await check(f"{url}/v1")
    assert found.success
    assert (found.abilities.tools, found.abilities.json_mode) == (None, None)


async def test_json_mode_that_is_ignored_is_no_json_mode() -> None:
    async with answering(lambda path, body: whole("Sure! Here you are.")) as (url, _):
        found = await check(f"{url}/v1")
    assert found.success
    assert found.abilities.json_mode is False
    assert found.abilities.tools is None
