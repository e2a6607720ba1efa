"""Anthropic messages as the `anthropic` package and its types see them."""

import json
from typing import Any

import httpx2
import jsonschema_rs
import pytest
from anthropic import APIConnectionError, APIStatusError, AsyncAnthropic, BadRequestError
from anthropic.types import Message, MessageTokensCount, RawMessageStreamEvent
from pydantic import TypeAdapter
from tests.sandbox.raw import RawAnswer, call, events, message
from tests.sandbox.strict import strictly

from ownkey.sandbox import SandboxServer, tokens

PATH = "/anthropic/v1/messages"
VERSION = {"anthropic-version": "2023-06-01"}
WEATHER: Any = {
    "name": "weather",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}},
        "required": ["city", "days"],
    },
}
CLOCK: Any = {"name": "clock", "input_schema": {"type": "object", "properties": {}}}


async def ask(sandbox: SandboxServer, body: object, path: str = PATH, version: str = "2023-06-01") -> RawAnswer:
    headers = {"anthropic-version": version, "x-api-key": "sk-ant-sandbox-0001"}
    return await call(sandbox.url, path, body, key=None, headers=headers)


async def test_echo_answers_with_the_last_user_message(anthropic_client: AsyncAnthropic):
    done = await anthropic_client.messages.create(
        model="anthropic/echo",
        max_tokens=100,
        system="Be brief.",
        messages=[
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": "noted"},
            {"role": "user", "content": [{"type": "text", "text": 'ü "second"'}]},
        ],
    )
    assert done.content[0].type == "text"
    assert done.content[0].text == 'ü "second"'
    assert done.stop_reason == "end_turn"
    assert done.model == "anthropic/echo"
    assert done._request_id is not None


async def test_usage_counts_what_was_received_and_sent(anthropic_client: AsyncAnthropic):
    done = await anthropic_client.messages.create(
        model="lorem-25", max_tokens=100, system="be brief", messages=[{"role": "user", "content": "one two three"}]
    )
    assert (done.usage.input_tokens, done.usage.output_tokens) == (5, 25)
    counted = await anthropic_client.messages.count_tokens(
        model="echo", system="be brief", messages=[{"role": "user", "content": "one two three"}]
    )
    assert counted.input_tokens == 5


@pytest.mark.parametrize("model", ["echo", "lorem-5", "think-5", "cached", "tools"])
async def test_answers_and_events_hold_exactly_what_the_sdk_types_know(sandbox: SandboxServer, model: str):
    body = message(model, tools=[WEATHER, CLOCK])
    answer = await ask(sandbox, body)
    assert answer.status == 200
    assert answer.headers["request-id"].startswith("req_")
    strictly(Message, answer.body)
    streamed = await ask(sandbox, {**body, "stream": True})
    adapter: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
    for event in events(streamed.body):
        if event["type"] != "ping":
            strictly(type(adapter.validate_python(event)), json.dumps(event))


async def test_count_tokens_holds_exactly_what_the_sdk_type_knows(sandbox: SandboxServer):
    answer = await ask(sandbox, message(), f"{PATH}/count_tokens")
    assert strictly(MessageTokensCount, answer.body).input_tokens == tokens.count("Hello, world!")


async def test_a_stream_has_the_events_in_the_documented_order(sandbox: SandboxServer):
    answer = await ask(sandbox, message("lorem-3", stream=True))
    assert answer.headers["content-type"].startswith("text/event-stream")
    names = [line[7:] for line in answer.body.decode().split("\n") if line.startswith("event: ")]
    assert names == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert [event["type"] for event in events(answer.body)] == names
    delta = events(answer.body)[-2]
    assert delta["delta"]["stop_reason"] == "end_turn"
    assert delta["usage"]["output_tokens"] == 3
    assert b"[DONE]" not in answer.body


async def test_the_sdk_puts_the_stream_together_to_the_same_message(anthropic_client: AsyncAnthropic):
    question: Any = {"model": "lorem-9", "max_tokens": 100, "messages": [{"role": "user", "content": "hi there"}]}
    async with anthropic_client.messages.stream(**question) as stream:
        streamed = await stream.get_final_message()
    whole = await anthropic_client.messages.create(**question)
    assert [block.to_dict() for block in streamed.content] == [block.to_dict() for block in whole.content]
    assert streamed.usage.output_tokens == whole.usage.output_tokens == 9
    assert streamed.stop_reason == whole.stop_reason


async def test_thinking_is_signed_and_may_come_back_only_unchanged(sandbox: SandboxServer):
    question = {"role": "user", "content": "yes"}
    answer = await ask(sandbox, message("think-4", "yes"))
    thinking, text = answer.json["content"]
    assert thinking["thinking"] == "Lorem ipsum dolor sit"
    assert text["text"] == "yes"
    assert answer.json["usage"]["output_tokens"] == 5
    assert answer.json["usage"]["output_tokens_details"] == {"thinking_tokens": 4}
    turn = {"role": "assistant", "content": [thinking, text]}
    again = await ask(sandbox, message("think-4", messages=[question, turn, question]))
    assert again.status == 200
    turn = {"role": "assistant", "content": [{**thinking, "thinking": "Lorem"}, text]}
    changed = await ask(sandbox, message("think-4", messages=[question, turn, question]))
    assert changed.status == 400
    assert "Invalid `signature` in `thinking` block" in changed.json["error"]["message"]


async def test_streamed_thinking_ends_with_its_signature(anthropic_client: AsyncAnthropic):
    question: Any = {"model": "think-4", "max_tokens": 100, "messages": [{"role": "user", "content": "yes"}]}
    async with anthropic_client.messages.stream(**question) as stream:
        streamed = await stream.get_final_message()
    whole = await anthropic_client.messages.create(**question)
    assert [block.to_dict() for block in streamed.content] == [block.to_dict() for block in whole.content]


async def test_cached_tokens_are_not_part_of_input_tokens(sandbox: SandboxServer):
    body = message("cached", "a b c d e f g h")
    usage = (await ask(sandbox, body)).json["usage"]
    assert usage["input_tokens"] == 2
    assert usage["cache_read_input_tokens"] == 4
    assert usage["cache_creation_input_tokens"] == 2
    start, *_, delta, _ = events((await ask(sandbox, {**body, "stream": True})).body)
    for part in (start["message"]["usage"], delta["usage"]):
        assert (part["input_tokens"], part["cache_read_input_tokens"]) == (2, 4)


async def test_tool_calls_the_first_tool_then_answers_with_its_result(anthropic_client: AsyncAnthropic):
    question: Any = {"role": "user", "content": "How is it in Oslo?"}
    first = await anthropic_client.messages.create(
        model="tool", max_tokens=100, messages=[question], tools=[WEATHER, CLOCK]
    )
    assert first.stop_reason == "tool_use"
    (used,) = first.content
    assert used.type == "tool_use"
    assert used.name == "weather"
    jsonschema_rs.validator_for(WEATHER["input_schema"]).validate(used.input)
    result: Any = {"type": "tool_result", "tool_use_id": used.id, "content": [{"type": "text", "text": "It rains."}]}
    turns: Any = [question, {"role": "assistant", "content": [used.to_dict()]}, {"role": "user", "content": [result]}]
    second = await anthropic_client.messages.create(model="tool", max_tokens=100, messages=turns, tools=[WEATHER])
    assert second.content[0].type == "text"
    assert second.content[0].text == "It rains."


async def test_the_streamed_input_comes_in_several_deltas_and_joins_to_the_same_call(sandbox: SandboxServer):
    whole = await ask(sandbox, message("tool", tools=[WEATHER]))
    streamed = await ask(sandbox, message("tool", tools=[WEATHER], stream=True))
    deltas = [event["delta"] for event in events(streamed.body) if event["type"] == "content_block_delta"]
    assert all(delta["type"] == "input_json_delta" for delta in deltas)
    assert len(deltas) > 2
    joined = "".join(delta["partial_json"] for delta in deltas)
    assert json.loads(joined) == whole.json["content"][0]["input"]
    assert len(deltas) == whole.json["usage"]["output_tokens"]


async def test_tool_choice_is_obeyed(sandbox: SandboxServer):
    named = {"type": "tool", "name": "clock"}
    answer = await ask(sandbox, message("tool", tools=[WEATHER, CLOCK], tool_choice=named))
    assert answer.json["content"][0]["name"] == "clock"
    answer = await ask(sandbox, message("tool", tools=[WEATHER], tool_choice={"type": "none"}))
    assert answer.json["content"][0]["type"] == "text"
    answer = await ask(sandbox, message("tools", tools=[WEATHER, CLOCK]))
    assert [block["name"] for block in answer.json["content"]] == ["weather", "clock"]
    single = {"type": "any", "disable_parallel_tool_use": True}
    answer = await ask(sandbox, message("tools", tools=[WEATHER, CLOCK], tool_choice=single))
    assert len(answer.json["content"]) == 1
    absent = {"type": "tool", "name": "absent"}
    assert (await ask(sandbox, message("tool", tools=[WEATHER], tool_choice=absent))).status == 400


USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}]}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "y"}]}


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": "x"}, RESULT],
        [{"role": "user", "content": "x"}, USE, {"role": "user", "content": "and?"}],
        [{"role": "user", "content": "x"}, USE],
    ],
)
async def test_tool_results_must_answer_the_calls_before_them(sandbox: SandboxServer, messages: list[Any]):
    answer = await ask(sandbox, message(messages=messages))
    assert answer.status == 400
    assert answer.json["error"]["type"] == "invalid_request_error"


async def test_json_obeys_the_output_format(sandbox: SandboxServer):
    schema = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    output = {"type": "json_schema", "schema": schema}
    fields: tuple[Any, ...] = ({"output_config": {"format": output}}, {"output_format": output})
    for field in fields:
        answer = await ask(sandbox, message("json", **field))
        assert json.loads(answer.json["content"][0]["text"]) == {"age": 1}


async def test_max_tokens_and_stop_sequences_end_the_answer(sandbox: SandboxServer):
    answer = await ask(sandbox, message("lorem-10", max_tokens=3))
    assert answer.json["stop_reason"] == "max_tokens"
    assert answer.json["usage"]["output_tokens"] == 3
    answer = await ask(sandbox, message("echo", "one two three", stop_sequences=[" three"]))
    assert (answer.json["stop_reason"], answer.json["stop_sequence"]) == ("stop_sequence", " three")
    assert answer.json["content"][0]["text"] == "one two"


async def test_zero_max_tokens_is_legal_and_gives_no_content(sandbox: SandboxServer):
    answer = await ask(sandbox, message(max_tokens=0))
    assert (answer.json["content"], answer.json["stop_reason"]) == ([], "max_tokens")
    streamed = await ask(sandbox, message(max_tokens=0, stream=True))
    assert [event["type"] for event in events(streamed.body)] == ["message_start", "message_delta", "message_stop"]


async def test_cut_breaks_the_connection_in_the_middle(anthropic_client: AsyncAnthropic):
    question: Any = {"model": "cut", "max_tokens": 9, "messages": [{"role": "user", "content": "one two three four"}]}
    with pytest.raises(APIConnectionError):
        await anthropic_client.messages.create(**question)
    with pytest.raises(httpx2.RemoteProtocolError):
        async with anthropic_client.messages.stream(**question) as stream:
            await stream.get_final_message()


async def test_stream_error_is_an_error_event_after_200(anthropic_client: AsyncAnthropic):
    question: Any = {"model": "stream-error", "max_tokens": 9, "messages": [{"role": "user", "content": "a b c d"}]}
    with pytest.raises(APIStatusError) as caught:
        async with anthropic_client.messages.stream(**question) as stream:
            await stream.get_final_message()
    assert caught.value.type == "api_error"


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("max_tokens", None, "max_tokens: Field required"),
        ("max_tokens", -1, "max_tokens: Input should be greater than or equal to 0"),
        ("max_tokens", 10**12, "max_tokens: Input should be less than or equal to 1000000"),
        ("temperature", 1.1, "temperature: Input should be less than or equal to 1"),
        ("top_k", -1, "top_k: Input should be greater than or equal to 0"),
        ("messages", [], "messages: at least one message is required"),
        ("messages", [{"role": "tool", "content": "x"}], "messages.0.role: Invalid enum value 'tool'"),
        ("model", None, "model: Field required"),
    ],
)
async def test_bad_values_are_refused_in_anthropics_words(sandbox: SandboxServer, field: str, value: object, text: str):
    body = {**message(), field: value}
    answer = await ask(sandbox, {name: given for name, given in body.items() if given is not None})
    assert answer.status == 400
    assert answer.json["type"] == "error"
    assert answer.json["error"] == {"type": "invalid_request_error", "message": text}
    assert answer.json["request_id"] == answer.headers["request-id"]


async def test_the_newer_version_refuses_sampling_fields(sandbox: SandboxServer):
    assert (await ask(sandbox, message(temperature=0.5))).status == 200
    answer = await ask(sandbox, message(temperature=0.5), version="2026-10-21")
    assert answer.json["error"]["message"] == "temperature: Extra inputs are not permitted"


async def test_anthropic_itself_requires_a_known_version_and_others_do_not(sandbox: SandboxServer):
    missing = await call(sandbox.url, PATH, message())
    assert missing.json["error"]["message"] == "anthropic-version: header is required"
    assert (await ask(sandbox, message(), version="2020-01-01")).status == 400
    for path in ("/deepseek/anthropic/v1/messages", "/openrouter/api/v1/messages", "/a-new-provider/v1/messages"):
        assert (await call(sandbox.url, path, message())).status == 200


async def test_the_sdk_raises_for_a_bad_value(anthropic_client: AsyncAnthropic):
    with pytest.raises(BadRequestError) as caught:
        await anthropic_client.messages.create(model="echo", max_tokens=-1, messages=[{"role": "user", "content": "x"}])
    assert caught.value.type == "invalid_request_error"
