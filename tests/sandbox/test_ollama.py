"""Ollama's own chat as the `ollama` package sees it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import ollama
import pytest
from tests.sandbox.raw import call, chat
from tests.sandbox.strict import strictly

from ownkey.sandbox import SandboxServer

PATH = "/ollama/api/chat"
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CLOCK: dict[str, Any] = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}
USER = [{"role": "user", "content": "Hello, world!"}]


@pytest.fixture
async def client(sandbox: SandboxServer) -> AsyncIterator[ollama.AsyncClient]:
    async with ollama.AsyncClient(host=f"{sandbox.url}/ollama", trust_env=False) as client:
        yield client


async def test_an_answer_holds_nothing_the_sdk_does_not_know(sandbox: SandboxServer):
    answer = await call(sandbox.url, PATH, chat("think-3", stream=False))
    done = strictly(ollama.ChatResponse, answer.body)
    assert set(answer.json) <= set(ollama.ChatResponse.model_fields)
    assert set(answer.json["message"]) <= set(ollama.Message.model_fields)
    assert (done.message.content, done.done_reason, done.eval_count) == ("Hello, world!", "stop", 7)
    assert done.message.thinking


async def test_streams_are_the_default_and_lines_of_json(sandbox: SandboxServer):
    answer = await call(sandbox.url, PATH, chat())
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = answer.body.splitlines(keepends=True)
    assert all(line.endswith(b"}\n") for line in lines)
    pieces = [strictly(ollama.ChatResponse, line) for line in lines]
    assert "".join(piece.message.content or "" for piece in pieces) == "Hello, world!"
    assert [piece.done for piece in pieces] == [False] * 4 + [True]


async def test_the_client_reads_a_stream_with_thinking(client: ollama.AsyncClient):
    seen = [part async for part in await client.chat("think-2", messages=USER, stream=True, think=True)]
    assert "".join(part.message.thinking or "" for part in seen)
    assert seen[-1].done_reason == "stop"


async def test_parallel_calls_and_their_results(client: ollama.AsyncClient):
    done = await client.chat("tools", messages=USER, tools=[WEATHER, CLOCK])
    calls = done.message.tool_calls or []
    assert [(call.function.name, dict(call.function.arguments)) for call in calls] == [
        ("weather", {"city": "sandbox"}),
        ("clock", {}),
    ]
    results = [{"role": "tool", "tool_name": call.function.name, "content": call.function.name} for call in calls]
    again = await client.chat("tools", messages=[*USER, done.message, *results], tools=[WEATHER, CLOCK])
    assert again.message.content == "weather\nclock"


async def test_json_stops_and_limits(client: ollama.AsyncClient):
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    assert json.loads((await client.chat("json", messages=USER, format=schema)).message.content or "") == {"a": 1}
    assert "text" in json.loads((await client.chat("json", messages=USER, format="json")).message.content or "")
    assert (await client.chat("lorem-9", messages=USER, options={"num_predict": 3})).done_reason == "length"
    assert (await client.chat("echo", messages=USER, options={"stop": ["world"]})).message.content == "Hello, "


async def test_errors_are_a_bare_text(client: ollama.AsyncClient, sandbox: SandboxServer):
    with pytest.raises(ollama.ResponseError) as caught:
        await client.chat("error-404", messages=USER)
    assert caught.value.status_code == 404
    with pytest.raises(ollama.ResponseError):
        _ = [part async for part in await client.chat("stream-error", messages=USER, stream=True)]
    answer = await call(sandbox.url, PATH, {"messages": []})
    assert answer.json == {"error": "model is required"}


async def test_models_and_version(client: ollama.AsyncClient, sandbox: SandboxServer):
    assert "echo:latest" in [model.model for model in (await client.list()).models]
    assert set((await call(sandbox.url, "/ollama/api/version")).json) == {"version"}


async def test_a_cut_stream_ends_inside_a_line(sandbox: SandboxServer):
    with pytest.raises(Exception, match=r"0 bytes|incomplete"):
        await call(sandbox.url, PATH, chat("cut"))
