"""Cohere's chat and rerank as the `cohere` package sees them."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import cohere
import pytest
from cohere.core.api_error import ApiError
from cohere.v2.types.v2chat_response import V2ChatResponse
from cohere.v2.types.v2rerank_response import V2RerankResponse
from tests.sandbox.raw import call, chat, events

from ownkey.sandbox import SandboxServer

PATH = "/cohere/v2/chat"
FIRST_EVENT = {"content", "tool_plan", "tool_calls", "citations"}
"""What Cohere's first event shows empty, as its documentation has it and its SDK leaves out."""
USER: Any = [{"role": "user", "content": "Hello, world!"}]
RERANK: dict[str, Any] = {
    "model": "rerank-v4",
    "query": "red fox",
    "documents": ["a blue whale", "the red fox", "a fox"],
}
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CLOCK: Any = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}


@pytest.fixture
async def client(sandbox: SandboxServer) -> AsyncIterator[cohere.AsyncClientV2]:
    async with cohere.AsyncClientV2(api_key="sandbox-key-0001", base_url=f"{sandbox.url}/cohere") as client:
        yield client


def extras(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from extras(each)
    elif hasattr(value, "model_extra"):
        yield from value.model_extra or {}
        for name in type(value).model_fields:
            yield from extras(getattr(value, name))


async def ask(client: cohere.AsyncClientV2, model: str, **more: Any) -> V2ChatResponse:
    return await client.chat(model=model, messages=USER, **more)


async def test_an_answer_holds_nothing_the_sdk_does_not_know(client: cohere.AsyncClientV2):
    done = await ask(client, "think-3", tools=[WEATHER])
    assert not list(extras(done))
    assert done.message.content
    assert [block.type for block in done.message.content] == ["thinking", "text"]
    assert done.finish_reason == "COMPLETE"
    assert done.usage
    assert done.usage.billed_units
    assert done.usage.tokens
    assert done.usage.billed_units.output_tokens == 7
    assert (done.usage.tokens.input_tokens or 0) > (done.usage.billed_units.input_tokens or 0)


async def test_counts_are_floats(sandbox: SandboxServer):
    answer = await call(sandbox.url, PATH, chat())
    assert b'"output_tokens":4.0' in answer.body


async def test_a_stream_holds_nothing_the_sdk_does_not_know(client: cohere.AsyncClientV2):
    stream = client.chat_stream(model="think-2", messages=USER, tools=[WEATHER])
    seen = [event async for event in stream]
    assert {name for event in seen for name in extras(event)} <= FIRST_EVENT
    kinds = [event.type for event in seen]
    assert kinds[0] == "message-start"
    assert kinds[-1] == "message-end"
    assert kinds.count("content-start") == kinds.count("content-end") == 2
    text = "".join(
        event.delta.message.content.text or ""
        for event in seen
        if event.type == "content-delta" and event.delta and event.delta.message and event.delta.message.content
    )
    assert text == "Hello, world!"


async def test_parallel_calls_and_their_results(client: cohere.AsyncClientV2):
    done = await ask(client, "tools", tools=[WEATHER, CLOCK])
    assert done.finish_reason == "TOOL_CALL"
    calls = done.message.tool_calls or []
    assert [call.function.name for call in calls if call.function] == ["weather", "clock"]
    assert done.message.tool_plan
    results: list[Any] = [{"role": "tool", "tool_call_id": call.id, "content": f"result {call.id}"} for call in calls]
    called: Any = {"role": "assistant", "tool_calls": calls, "tool_plan": done.message.tool_plan}
    again = await client.chat(
        model="tools",
        messages=[*USER, called, *results],
        tools=[WEATHER, CLOCK],
    )
    assert again.message.content
    assert again.message.content[0].type == "text"
    assert again.message.content[0].text.startswith("result weather_")


async def test_streamed_calls(client: cohere.AsyncClientV2):
    stream = client.chat_stream(model="tool", messages=USER, tools=[WEATHER])
    seen = [event async for event in stream]
    assert {name for event in seen for name in extras(event)} <= FIRST_EVENT
    kinds = [event.type for event in seen]
    assert {"tool-plan-delta", "tool-call-start", "tool-call-delta", "tool-call-end"} <= set(kinds)
    assert seen[-1].type == "message-end"
    assert seen[-1].delta
    assert seen[-1].delta.finish_reason == "TOOL_CALL"


async def test_json_stops_and_limits(client: cohere.AsyncClientV2):
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    done = await ask(client, "json", response_format={"type": "json_object", "json_schema": schema})
    assert done.message.content
    assert done.message.content[0].type == "text"
    assert json.loads(done.message.content[0].text) == {"a": 1}
    assert (await ask(client, "echo", stop_sequences=["world"])).finish_reason == "STOP_SEQUENCE"
    assert (await ask(client, "lorem-9", max_tokens=3)).finish_reason == "MAX_TOKENS"


@pytest.mark.parametrize(
    "more",
    [
        {"p": 1.0},
        {"k": 501},
        {"frequency_penalty": 2.0},
        {"temperature": -1.0},
        {"stop_sequences": list("abcdef")},
        {"tool_choice": "REQUIRED"},
        {"response_format": {"type": "json_object"}, "tools": [WEATHER]},
    ],
    ids=["p", "k", "penalty", "temperature", "stops", "choice", "format"],
)
async def test_what_cohere_refuses_is_refused(client: cohere.AsyncClientV2, more: dict[str, Any]):
    with pytest.raises(cohere.BadRequestError) as caught:
        await ask(client, "echo", **more)
    assert isinstance(caught.value.body, dict)
    assert set(caught.value.body) == {"id", "message"}


@pytest.mark.parametrize(("model", "status"), [("error-401", 401), ("error-429", 429), ("error-500", 500)])
async def test_models_that_fail(client: cohere.AsyncClientV2, model: str, status: int):
    options: Any = {"max_retries": 0}
    with pytest.raises(ApiError) as caught:
        await ask(client, model, request_options=options)
    assert caught.value.status_code == status


async def test_a_failing_stream_ends_with_an_error(sandbox: SandboxServer):
    last = events((await call(sandbox.url, PATH, chat("stream-error", stream=True))).body)[-1]
    assert last["type"] == "message-end"
    assert last["delta"]["finish_reason"] == "ERROR"


async def test_rerank_orders_and_bills_by_the_unit(client: cohere.AsyncClientV2):
    done = await client.rerank(**RERANK, top_n=2)
    assert isinstance(done, V2RerankResponse)
    assert not list(extras(done))
    assert [(result.index, result.relevance_score) for result in done.results] == [(1, 1.0), (2, 0.5)]
    assert done.meta
    assert done.meta.billed_units
    assert done.meta.billed_units.search_units == 1


async def test_rerank_as_others_serve_it(sandbox: SandboxServer):
    answer = await call(sandbox.url, "/together/v1/rerank", RERANK | {"return_documents": True, "top_n": 1})
    assert answer.json["results"] == [{"index": 1, "relevance_score": 1.0, "document": {"text": "the red fox"}}]
    assert answer.json["usage"]["total_tokens"] > 0
    assert (await call(sandbox.url, "/together/v1/rerank", {"model": "m", "query": "q"})).status == 400
    assert (await call(sandbox.url, "/together/v1/rerank", RERANK | {"model": "error-503"})).status == 503
