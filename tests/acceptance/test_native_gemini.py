"""The SDKs of OpenAI and Anthropic against a provider that speaks Gemini's own format and no other."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import types
from tests.acceptance.test_first_call import TOOL
from tests.services.stack import Process, Stack, User

ROW = """
name = "google-native"
title = "Gemini, natively"
base_url = "https://generativelanguage.googleapis.com/v1beta"
auth = "x-goog-api-key"

[endpoints]
gemini = "/models/{model}"
gemini_batch_embed = "/models/{model}:batchEmbedContents"
"""


@pytest.fixture(scope="module")
def user(sandbox: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    rows: Path = tmp_path_factory.mktemp("rows")
    (rows / "google-native.toml").write_text(ROW)
    running = Stack(tmp_path_factory.mktemp("native"), sandbox, OWNKEY_PROVIDER_DIRS=str(rows))
    yield running.user("native", **{"google-native": "AIza-native-0001"})
    assert running.stop() == 0


@pytest.fixture
def chat(user: User) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=user.stack.url + "/v1", api_key=user.key, max_retries=0) as client:
        yield client


@pytest.fixture
def messages(user: User) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=user.stack.url, api_key=user.key, max_retries=0) as client:
        yield client


def asked(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def test_chat_completions(chat: openai.OpenAI) -> None:
    answer = chat.chat.completions.create(
        model="google-native/echo", messages=[{"role": "system", "content": "Be short."}, *asked("Hello there")]
    )
    assert answer.choices[0].message.content == "Hello there"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (5, 2)


def test_a_stream_of_chunks(chat: openai.OpenAI) -> None:
    stream = chat.chat.completions.create(
        model="google-native/lorem-20",
        messages=asked("go"),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 20
    assert sum(bool(chunk.choices and chunk.choices[0].delta.content) for chunk in chunks) == 20


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("keeps_extras", [False, True])
def test_tools_by_openais_sdk(chat: openai.OpenAI, streamed: bool, keeps_extras: bool) -> None:
    """The sandbox refuses a call without its signature, as Gemini 3 does; a client may or may not keep it."""
    conversation = asked("weather in Oslo?")
    model = "google-native/tool"
    if streamed:
        with chat.chat.completions.stream(model=model, messages=conversation, tools=[TOOL]) as stream:
            message = stream.get_final_completion().choices[0].message
    else:
        message = chat.chat.completions.create(model=model, messages=conversation, tools=[TOOL]).choices[0].message
    assert message.tool_calls
    told: Any = message.model_dump(exclude_none=True, exclude={"parsed"})
    signature = told["tool_calls"][0]["extra_content"]["google"]["thought_signature"]
    assert signature
    if not keeps_extras:
        del told["tool_calls"][0]["extra_content"]
    conversation += [told, {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "4 degrees"}]
    final = chat.chat.completions.create(model=model, messages=conversation, tools=[TOOL])
    assert "4 degrees" in (final.choices[0].message.content or "")


@pytest.mark.parametrize("streamed", [False, True])
def test_tools_by_anthropics_sdk(messages: anthropic.Anthropic, streamed: bool) -> None:
    tools: list[Any] = [{"name": "get_weather", "input_schema": TOOL["function"]["parameters"]}]
    conversation = asked("weather in Oslo?")
    common: dict[str, Any] = {"model": "google-native/tool", "max_tokens": 100, "tools": tools}
    if streamed:
        with messages.messages.stream(messages=conversation, **common) as stream:
            first = stream.get_final_message()
    else:
        first = messages.messages.create(messages=conversation, **common)
    assert first.stop_reason == "tool_use"
    assert [block.type for block in first.content] == ["redacted_thinking", "tool_use"]
    use = next(block for block in first.content if block.type == "tool_use")
    conversation += [
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "4 degrees"}]},
    ]
    final = messages.messages.create(messages=conversation, **common)
    assert "4 degrees" in "".join(block.text for block in final.content if block.type == "text")


def test_thoughts_reach_both_and_come_back(chat: openai.OpenAI, messages: anthropic.Anthropic) -> None:
    conversation = asked("first")
    for _ in range(2):
        message: Any = (
            chat.chat.completions.create(model="google-native/think-12", messages=conversation, reasoning_effort="low")
            .choices[0]
            .message
        )
        assert message.reasoning_content
        conversation += [message.model_dump(exclude_none=True), *asked("and then")]
    turns = asked("first")
    for _ in range(2):
        with messages.messages.stream(
            model="google-native/think-12",
            max_tokens=4000,
            thinking={"type": "enabled", "budget_tokens": 1024},
            messages=turns,
        ) as stream:
            final = stream.get_final_message()
        assert any(block.type == "thinking" and block.thinking for block in final.content)
        assert final.usage.output_tokens > 12
        content = [block.model_dump(exclude_none=True) for block in final.content]
        turns += [{"role": "assistant", "content": content}, *asked("and then")]


def test_images_schemas_and_limits(chat: openai.OpenAI, messages: anthropic.Anthropic) -> None:
    url = {"url": "data:image/png;base64,iVBORw0KGgo="}
    content: Any = [{"type": "image_url", "image_url": url}, {"type": "text", "text": "what is it"}]
    answer = chat.chat.completions.create(
        model="google-native/echo", messages=[{"role": "user", "content": content}], stop=[" it"]
    )
    assert answer.choices[0].message.content == "what is"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 85
    schema: dict[str, Any] = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
    made = chat.chat.completions.create(
        model="google-native/json",
        messages=asked("go"),
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}},
    )
    assert made.choices[0].message.content == '{"age":1}'
    short = messages.messages.create(model="google-native/lorem-50", max_tokens=5, messages=asked("go"))
    assert short.stop_reason == "max_tokens"
    assert short.usage.output_tokens == 5


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings(chat: openai.OpenAI, encoding: Any) -> None:
    answer = chat.embeddings.create(
        model="google-native/embedding", input=["a", "b"], dimensions=8, encoding_format=encoding
    )
    assert [len(row.embedding) for row in answer.data] == ([8, 8] if encoding == "float" else [44, 44])
    assert answer.usage.prompt_tokens == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_errors(chat: openai.OpenAI, messages: anthropic.Anthropic, status: int) -> None:
    for stream in (False, True):
        with pytest.raises(openai.APIStatusError) as raised:
            chat.chat.completions.create(model=f"google-native/error-{status}", messages=asked("go"), stream=stream)
        assert raised.value.status_code == status
        with pytest.raises(anthropic.APIStatusError) as told:
            messages.messages.create(
                model=f"google-native/error-{status}", max_tokens=5, messages=asked("go"), stream=stream
            )
        assert told.value.status_code == status


@pytest.mark.parametrize("fault", ["cut", "garbage", "stream-error"])
def test_spoilt_streams_raise(chat: openai.OpenAI, messages: anthropic.Anthropic, fault: str) -> None:
    conversation = asked("one two three four")
    with pytest.raises(openai.APIError):
        list(chat.chat.completions.create(model=f"google-native/{fault}", messages=conversation, stream=True))
    with pytest.raises(anthropic.APIError):
        list(
            messages.messages.create(model=f"google-native/{fault}", max_tokens=50, messages=conversation, stream=True)
        )


def test_a_count_is_estimated_where_the_row_has_no_path_for_it(user: User) -> None:
    options = types.HttpOptions(base_url=user.stack.url)
    with genai.Client(api_key=user.key, http_options=options) as client:
        assert client.models.count_tokens(model="google-native/echo", contents="Hello there").total_tokens
