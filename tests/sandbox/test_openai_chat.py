"""OpenAI chat as the `openai` package and its types see it."""

import json
from typing import Any

import jsonschema_rs
import pytest
from openai import APIConnectionError, APIError, AsyncOpenAI, AsyncStream, BadRequestError
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from tests.sandbox.raw import call, chat, events
from tests.sandbox.strict import strictly

from ownkey.sandbox import SandboxServer, tokens

PATH = "/openai/v1/chat/completions"
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}},
            "required": ["city", "days"],
        },
    },
}
CLOCK: Any = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}


async def _read(stream: AsyncStream[ChatCompletionChunk], seen: list[str]) -> None:
    async for chunk in stream:
        seen.append(chunk.choices[0].delta.content or "")


async def test_echo_answers_with_the_last_user_message(openai_client: AsyncOpenAI):
    done = await openai_client.chat.completions.create(
        model="openai/echo",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": "noted"},
            {"role": "user", "content": [{"type": "text", "text": "100% "}, {"type": "text", "text": 'ü"\n'}]},
        ],
    )
    assert done.choices[0].message.content == '100% ü"\n'
    assert done.choices[0].finish_reason == "stop"
    assert done.model == "openai/echo"


async def test_usage_counts_what_was_received_and_sent(openai_client: AsyncOpenAI):
    done = await openai_client.chat.completions.create(
        model="lorem-25", messages=[{"role": "user", "content": "one two three"}]
    )
    assert done.usage is not None
    assert (done.usage.prompt_tokens, done.usage.completion_tokens, done.usage.total_tokens) == (3, 25, 28)
    assert tokens.count(done.choices[0].message.content or "") == 25


@pytest.mark.parametrize("model", ["echo", "lorem-5", "cached", "an-unknown-name"])
@pytest.mark.parametrize("provider", ["openai", "mistral", "xai", "perplexity"])
async def test_answers_hold_exactly_what_the_sdk_types_know(sandbox: SandboxServer, model: str, provider: str):
    answer = await call(sandbox.url, f"/{provider}/v1/chat/completions", chat(model, n=2))
    assert answer.status == 200
    assert answer.headers["x-ownkey-sandbox"] == "simulator"
    done = strictly(ChatCompletion, answer.body)
    assert [choice.index for choice in done.choices] == [0, 1]


@pytest.mark.parametrize("model", ["echo", "lorem-5", "cached", "tools"])
async def test_chunks_hold_exactly_what_the_sdk_types_know(sandbox: SandboxServer, model: str):
    body = chat(model, stream=True, stream_options={"include_usage": True}, tools=[WEATHER], n=2)
    answer = await call(sandbox.url, PATH, body)
    *chunks, last = events(answer.body)
    assert last == "[DONE]"
    for chunk in chunks:
        strictly(ChatCompletionChunk, json.dumps(chunk))


async def test_a_stream_has_a_role_a_chunk_for_each_token_a_finish_and_no_usage_unless_asked(sandbox: SandboxServer):
    answer = await call(sandbox.url, PATH, chat("lorem-4", stream=True))
    assert answer.headers["content-type"].startswith("text/event-stream")
    role, *content, finish, done = events(answer.body)
    assert role["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert [chunk["choices"][0]["delta"]["content"] for chunk in content] == ["Lorem", " ipsum", " dolor", " sit"]
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert done == "[DONE]"
    assert all("usage" not in chunk for chunk in (role, *content, finish))


async def test_the_usage_chunk_has_no_choices_and_counts_the_chunks_sent(openai_client: AsyncOpenAI):
    stream = await openai_client.chat.completions.create(
        model="lorem-9",
        messages=[{"role": "user", "content": "hi there"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    assert chunks[-1].choices == []
    assert all(chunk.usage is None for chunk in chunks[:-1])
    usage = chunks[-1].usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (2, 9)
    assert sum(bool(chunk.choices and chunk.choices[0].delta.content) for chunk in chunks) == 9


async def test_obfuscation_pads_openai_chunks_unless_declined(sandbox: SandboxServer):
    padded = await call(sandbox.url, PATH, chat("lorem-3", stream=True))
    assert sum("obfuscation" in chunk for chunk in events(padded.body)) == 3
    plain = await call(sandbox.url, PATH, chat("lorem-3", stream=True, stream_options={"include_obfuscation": False}))
    assert b"obfuscation" not in plain.body


async def test_max_tokens_cuts_the_answer(openai_client: AsyncOpenAI):
    limits: tuple[Any, ...] = ({"max_tokens": 3}, {"max_completion_tokens": 3})
    for limit in limits:
        done = await openai_client.chat.completions.create(
            model="lorem-10", messages=[{"role": "user", "content": "x"}], **limit
        )
        assert done.choices[0].finish_reason == "length"
        assert done.choices[0].message.content == "Lorem ipsum dolor"
        assert done.usage is not None
        assert done.usage.completion_tokens == 3


async def test_stop_ends_the_answer_before_the_sequence(openai_client: AsyncOpenAI):
    done = await openai_client.chat.completions.create(
        model="echo", messages=[{"role": "user", "content": "one two three four"}], stop=[" four", " three"]
    )
    assert done.choices[0].message.content == "one two"
    assert done.choices[0].finish_reason == "stop"
    assert done.usage is not None
    assert done.usage.completion_tokens == 2


async def test_reasoning_comes_before_content_and_is_counted(sandbox: SandboxServer):
    answer = await call(sandbox.url, "/deepseek/chat/completions", chat("think-4", "yes"))
    assert answer.json["choices"][0]["message"]["reasoning_content"] == "Lorem ipsum dolor sit"
    assert answer.json["usage"]["completion_tokens"] == 5
    assert answer.json["usage"]["completion_tokens_details"]["reasoning_tokens"] == 4
    streamed = await call(sandbox.url, "/deepseek/chat/completions", chat("think-4", "yes", stream=True))
    deltas = [chunk["choices"][0]["delta"] for chunk in events(streamed.body)[1:-2]]
    assert ["reasoning_content" in delta for delta in deltas] == [True] * 4 + [False]


async def test_max_tokens_is_spent_on_reasoning_first(sandbox: SandboxServer):
    answer = await call(sandbox.url, PATH, chat("think-10", "yes", max_tokens=4))
    choice = answer.json["choices"][0]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("length", "")
    assert answer.json["usage"]["completion_tokens_details"]["reasoning_tokens"] == 4


async def test_cached_tokens_are_part_of_the_prompt(sandbox: SandboxServer):
    usage = (await call(sandbox.url, PATH, chat("cached", "a b c d e f g h"))).json["usage"]
    assert usage["prompt_tokens"] == 8
    assert usage["prompt_tokens_details"]["cached_tokens"] == 4
    assert usage["prompt_tokens_details"]["cache_write_tokens"] == 2


async def test_tool_calls_the_first_tool_then_answers_with_its_result(openai_client: AsyncOpenAI):
    question: Any = {"role": "user", "content": "How is it in Oslo?"}
    first = await openai_client.chat.completions.create(model="tool", messages=[question], tools=[WEATHER, CLOCK])
    assert first.choices[0].finish_reason == "tool_calls"
    assert first.choices[0].message.content is None
    assert first.choices[0].message.tool_calls is not None
    (used,) = first.choices[0].message.tool_calls
    assert used.type == "function"
    assert used.function.name == "weather"
    schema = WEATHER["function"]["parameters"]
    jsonschema_rs.validator_for(schema).validate(json.loads(used.function.arguments))
    result: Any = {"role": "tool", "tool_call_id": used.id, "content": "It rains."}
    assistant: Any = first.choices[0].message.to_dict()
    second = await openai_client.chat.completions.create(
        model="tool",
        messages=[question, assistant, result],
        tools=[WEATHER],
    )
    assert second.choices[0].message.content == "It rains."
    assert second.choices[0].finish_reason == "stop"


async def test_the_streamed_arguments_come_in_several_deltas_and_join_to_the_same_call(sandbox: SandboxServer):
    whole = await call(sandbox.url, PATH, chat("tool", tools=[WEATHER]))
    streamed = await call(sandbox.url, PATH, chat("tool", tools=[WEATHER], stream=True))
    deltas = [
        delta["tool_calls"][0]
        for chunk in events(streamed.body)[:-1]
        if "tool_calls" in (delta := chunk["choices"][0]["delta"])
    ]
    assert deltas[0]["function"]["name"] == "weather"
    assert len(deltas) > 3
    joined = "".join(delta["function"]["arguments"] for delta in deltas)
    assert joined == whole.json["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]


async def test_tool_choice_is_obeyed(sandbox: SandboxServer):
    named = {"type": "function", "function": {"name": "clock"}}
    answer = await call(sandbox.url, PATH, chat("tool", tools=[WEATHER, CLOCK], tool_choice=named))
    assert answer.json["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "clock"
    answer = await call(sandbox.url, PATH, chat("tool", tools=[WEATHER], tool_choice="none"))
    assert answer.json["choices"][0]["message"]["content"] == "Hello, world!"
    absent = {"type": "function", "function": {"name": "absent"}}
    assert (await call(sandbox.url, PATH, chat("tool", tools=[WEATHER], tool_choice=absent))).status == 400


async def test_tools_calls_all_of_them_unless_parallel_calls_are_off(sandbox: SandboxServer):
    answer = await call(sandbox.url, PATH, chat("tools", tools=[WEATHER, CLOCK]))
    calls = answer.json["choices"][0]["message"]["tool_calls"]
    assert [used["function"]["name"] for used in calls] == ["weather", "clock"]
    assert calls[0]["id"] != calls[1]["id"]
    single = await call(sandbox.url, PATH, chat("tools", tools=[WEATHER, CLOCK], parallel_tool_calls=False))
    assert len(single.json["choices"][0]["message"]["tool_calls"]) == 1


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": "x"}, {"role": "tool", "tool_call_id": "call_1", "content": "y"}],
        [
            {"role": "assistant", "content": None, "tool_calls": [{"id": "a", "function": {"name": "f"}}]},
            {"role": "user", "content": "x"},
        ],
        [{"role": "assistant", "content": None, "tool_calls": [{"id": "a", "function": {"name": "f"}}]}],
    ],
)
async def test_tool_results_must_answer_the_calls_before_them(sandbox: SandboxServer, messages: list[Any]):
    answer = await call(sandbox.url, PATH, {"model": "echo", "messages": messages})
    assert answer.status == 400
    assert "tool" in answer.json["error"]["message"]


async def test_json_obeys_the_response_schema(openai_client: AsyncOpenAI):
    schema: Any = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 18}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    done = await openai_client.chat.completions.create(
        model="json",
        messages=[{"role": "user", "content": "Who?"}],
        response_format={"type": "json_schema", "json_schema": {"name": "person", "schema": schema, "strict": True}},
    )
    jsonschema_rs.validator_for(schema).validate(json.loads(done.choices[0].message.content or ""))
    free = await openai_client.chat.completions.create(
        model="json", messages=[{"role": "user", "content": "Who, as JSON?"}], response_format={"type": "json_object"}
    )
    assert json.loads(free.choices[0].message.content or "") == {"text": "Who, as JSON?"}


async def test_flaky_fails_every_kth_call(sandbox: SandboxServer):
    statuses = [(await call(sandbox.url, PATH, chat("flaky-3"))).status for _ in range(6)]
    assert statuses == [200, 200, 500, 200, 200, 500]


async def test_cut_breaks_the_connection_in_the_middle(openai_client: AsyncOpenAI):
    messages: Any = [{"role": "user", "content": "one two three four five six"}]
    with pytest.raises(APIConnectionError):
        await openai_client.chat.completions.create(model="cut", messages=messages)
    stream = await openai_client.chat.completions.create(model="cut", messages=messages, stream=True)
    seen: list[str] = []
    with pytest.raises(APIConnectionError):
        await _read(stream, seen)
    assert "".join(seen) == "one two three"


async def test_garbage_is_neither_json_nor_utf8(sandbox: SandboxServer):
    answer = await call(sandbox.url, PATH, chat("garbage"))
    assert answer.status == 200
    with pytest.raises(ValueError, match="utf-8"):
        answer.body.decode()
    streamed = await call(sandbox.url, PATH, chat("garbage", stream=True))
    assert streamed.body.endswith(b"data: [DONE]\n\n")
    with pytest.raises(ValueError, match="utf-8"):
        streamed.body.decode()


async def test_stream_error_reports_in_mid_stream(openai_client: AsyncOpenAI):
    stream = await openai_client.chat.completions.create(
        model="stream-error", messages=[{"role": "user", "content": "one two three four"}], stream=True
    )
    seen: list[str] = []
    with pytest.raises(APIError, match="The server had an error"):
        await _read(stream, seen)
    assert "".join(seen) == "one two"


async def test_openrouter_groq_and_deepseek_add_their_own_fields(sandbox: SandboxServer):
    answer = await call(sandbox.url, "/openrouter/api/v1/chat/completions", chat("think-3"))
    assert answer.json["usage"]["cost"] > 0
    assert answer.json["usage"]["is_byok"] is False
    assert answer.json["provider"] == "Ownkey Sandbox"
    assert "reasoning" in answer.json["choices"][0]["message"]
    streamed = await call(sandbox.url, "/openrouter/api/v1/chat/completions", chat(stream=True))
    assert streamed.body.startswith(b": OPENROUTER PROCESSING\n\n")
    answer = await call(sandbox.url, "/groq/openai/v1/chat/completions", chat(stream=True))
    assert "x_groq" in events(answer.body)[-2]
    answer = await call(sandbox.url, "/deepseek/chat/completions", chat("cached", "a b c d"))
    assert answer.json["usage"]["prompt_cache_hit_tokens"] == 2


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("temperature", 2.1, "decimal_above_max_value"),
        ("temperature", -0.1, "decimal_below_min_value"),
        ("top_p", 1.5, "decimal_above_max_value"),
        ("presence_penalty", -3, "decimal_below_min_value"),
        ("n", 0, "integer_below_min_value"),
        ("n", 129, "integer_above_max_value"),
        ("max_tokens", 0, "integer_below_min_value"),
        ("max_tokens", -5, "integer_below_min_value"),
        ("max_completion_tokens", 10**15, "integer_above_max_value"),
        ("temperature", "warm", "invalid_type"),
        ("max_tokens", 1.5, "invalid_type"),
        ("messages", "hello", "invalid_type"),
        ("messages", [], "empty_array"),
        ("stop", ["a", "b", "c", "d", "e"], "array_above_max_length"),
    ],
)
async def test_bad_values_are_refused_with_the_field_named(
    sandbox: SandboxServer, field: str, value: object, code: str
):
    answer = await call(sandbox.url, PATH, {**chat(), field: value})
    assert answer.status == 400
    error = answer.json["error"]
    assert (error["param"], error["code"], error["type"]) == (field, code, "invalid_request_error")


async def test_a_zero_temperature_is_fine(sandbox: SandboxServer):
    assert (await call(sandbox.url, PATH, chat(temperature=0, top_p=0))).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"model": NaN}',
        b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"model": "echo", "messages": [{"role": "user", "content": "\xff"}]}',
        b'{"model": "echo", "messages": [{"role": "user", "content": "\\ud800"}]}',
        b'{"model": "echo", "n": ' + b"9" * 5000 + b"}",
        b'{"messages": [{"role": "user", "content": "x"}]}',
        b'{"model": "echo"}',
        b'{"model": "echo", "messages": [{"role": "king", "content": "x"}]}',
        b'{"model": "echo", "messages": [{"role": "user", "content": "x"}], "stream_options": {}}',
        b'{"model":"echo","messages":[{"role":"user","content":"x"}],"max_tokens":1,"max_completion_tokens":1}',
    ],
)
async def test_malformed_bodies_are_refused_and_the_sandbox_lives(sandbox: SandboxServer, body: bytes):
    answer = await call(sandbox.url, PATH, body)
    assert answer.status == 400
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}
    assert (await call(sandbox.url, PATH, chat())).status == 200


async def test_the_sdk_raises_for_a_bad_value(openai_client: AsyncOpenAI):
    with pytest.raises(BadRequestError) as caught:
        await openai_client.chat.completions.create(
            model="echo", messages=[{"role": "user", "content": "x"}], temperature=3
        )
    assert caught.value.param == "temperature"
    assert "Expected a value <= 2, but got 3 instead" in caught.value.message


async def test_azure_takes_the_deployment_from_the_path(sandbox: SandboxServer):
    path = "/azure/openai/deployments/lorem-2/chat/completions?api-version=2024-10-21"
    body = {"messages": [{"role": "user", "content": "x"}]}
    answer = await call(sandbox.url, path, body, key=None, headers={"api-key": "azure-key-000001"})
    assert answer.json["choices"][0]["message"]["content"] == "Lorem ipsum"
