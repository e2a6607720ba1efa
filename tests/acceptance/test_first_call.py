"""The README's minute: a key is stored and unmodified SDKs are answered by it."""

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from tests.services.stack import Stack, User

TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture(scope="module")
def user(stack: Stack) -> User:
    return stack.user("first-call", openai="sk-test-openai-0001", anthropic="sk-ant-test-0001")


@pytest.fixture
def openai_client(user: User) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=user.stack.url + "/v1", api_key=user.key, max_retries=0) as client:
        yield client


@pytest.fixture
def anthropic_client(user: User) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=user.stack.url, api_key=user.key, max_retries=0) as client:
        yield client


@pytest.mark.parametrize("model", ["openai/echo", "anthropic/echo"])
def test_openai_sdk_chat(openai_client: openai.OpenAI, model: str) -> None:
    answer = openai_client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hello there"}])
    assert answer.choices[0].message.content == "Hello there"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 2


@pytest.mark.parametrize("model", ["openai/lorem-20", "anthropic/lorem-20"])
def test_openai_sdk_stream_with_usage(openai_client: openai.OpenAI, model: str) -> None:
    stream = openai_client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "go"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 20
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


@pytest.mark.parametrize("model", ["openai/lorem-5", "anthropic/lorem-5"])
def test_openai_sdk_stream_without_usage_gets_none(openai_client: openai.OpenAI, model: str) -> None:
    stream = openai_client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "go"}], stream=True
    )
    assert all(chunk.usage is None and chunk.choices for chunk in stream)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("model", ["openai/tool", "anthropic/tool"])
def test_openai_sdk_tools(openai_client: openai.OpenAI, model: str, streamed: bool) -> None:
    messages: list[Any] = [{"role": "user", "content": "weather in Oslo?"}]
    if streamed:
        with openai_client.chat.completions.stream(model=model, messages=messages, tools=[TOOL]) as stream:
            message = stream.get_final_completion().choices[0].message
    else:
        completion = openai_client.chat.completions.create(model=model, messages=messages, tools=[TOOL])
        assert completion.choices[0].finish_reason == "tool_calls"
        message = completion.choices[0].message
    assert message.tool_calls
    call = message.tool_calls[0]
    assert call.type == "function"
    assert call.function.name == "get_weather"
    messages += [
        message.model_dump(exclude_none=True, exclude={"parsed"}),
        {"role": "tool", "tool_call_id": call.id, "content": "4 degrees"},
    ]
    final = openai_client.chat.completions.create(model=model, messages=messages, tools=[TOOL])
    assert "4 degrees" in (final.choices[0].message.content or "")


@pytest.mark.parametrize("model", ["anthropic/echo", "openai/echo"])
def test_anthropic_sdk_message(anthropic_client: anthropic.Anthropic, model: str) -> None:
    answer = anthropic_client.messages.create(
        model=model, max_tokens=100, messages=[{"role": "user", "content": "Hello there"}]
    )
    assert answer.content[0].type == "text"
    assert answer.content[0].text == "Hello there"
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens == 2


@pytest.mark.parametrize("model", ["anthropic/lorem-20", "openai/lorem-20"])
def test_anthropic_sdk_stream(anthropic_client: anthropic.Anthropic, model: str) -> None:
    with anthropic_client.messages.stream(
        model=model, max_tokens=100, messages=[{"role": "user", "content": "go"}]
    ) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text
    assert final.usage.output_tokens == 20


@pytest.mark.parametrize("model", ["anthropic/tool", "openai/tool"])
def test_anthropic_sdk_tools(anthropic_client: anthropic.Anthropic, model: str) -> None:
    schema = TOOL["function"]["parameters"]
    tools: list[Any] = [{"name": "get_weather", "description": "weather", "input_schema": schema}]
    messages: list[Any] = [{"role": "user", "content": "weather in Oslo?"}]
    with anthropic_client.messages.stream(model=model, max_tokens=100, messages=messages, tools=tools) as stream:
        first = stream.get_final_message()
    assert first.stop_reason == "tool_use"
    use = next(block for block in first.content if block.type == "tool_use")
    assert "city" in use.input
    messages += [
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "4 degrees"}]},
    ]
    final = anthropic_client.messages.create(model=model, max_tokens=100, messages=messages, tools=tools)
    assert "4 degrees" in "".join(block.text for block in final.content if block.type == "text")


@pytest.mark.parametrize("model", ["anthropic/think-12", "openai/think-12"])
def test_thinking_reaches_the_anthropic_sdk(anthropic_client: anthropic.Anthropic, model: str) -> None:
    with anthropic_client.messages.stream(
        model=model,
        max_tokens=4000,
        thinking={"type": "enabled", "budget_tokens": 1024},
        messages=[{"role": "user", "content": "go"}],
    ) as stream:
        final = stream.get_final_message()
    assert any(block.type == "thinking" and block.thinking for block in final.content)


def test_embeddings(openai_client: openai.OpenAI) -> None:
    answer = openai_client.embeddings.create(model="openai/text-embedding-3-small", input=["a", "b"])
    assert len(answer.data) == 2
    assert answer.usage.prompt_tokens > 0


def test_models_in_the_shape_of_the_asker(openai_client: openai.OpenAI, anthropic_client: anthropic.Anthropic) -> None:
    ids = {model.id for model in openai_client.models.list()}
    assert "anthropic/claude-sonnet-4.5" in ids
    assert {model.id for model in anthropic_client.models.list(limit=1000)} == ids
    assert openai_client.models.retrieve("openai/gpt-5").id == "openai/gpt-5"
    with pytest.raises(openai.NotFoundError):
        openai_client.models.retrieve("no-such-model")


def test_the_receipt_names_key_payer_and_usage(user: User) -> None:
    answer = user.chat("openai/gpt-5-mini", "Hello there")
    assert answer.headers["x-ownkey-payer"] == "user"
    assert answer.headers["x-ownkey-provider"] == "openai"
    assert answer.headers["x-ownkey-model"] == "gpt-5-mini"
    assert float(answer.headers["x-ownkey-cost-usd"]) > 0
    assert answer.headers["x-ownkey-credits-charged"] == "0"
    receipt = user.receipt(answer)
    assert receipt["credential_id"] == answer.headers["x-ownkey-credential"]
    assert receipt["list_cost_usd"] == answer.headers["x-ownkey-cost-usd"]
    assert receipt["status"] == "completed"
    assert [attempt["outcome"] for attempt in receipt["attempts_made"]] == ["answered"]
    assert receipt["dropped"][0]["provider"] == "anthropic"
