"""Requests of one format become requests of another that the vendors' SDKs would send themselves."""

import json
from typing import Any

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

from ownkey.domain.errors import InvalidRequest, UnsupportedField
from ownkey.domain.formats import WireFormat
from ownkey.wire import CHAT_FORMATS, Written

CHAT = CHAT_FORMATS[WireFormat.OPENAI_CHAT].requests
MESSAGES = CHAT_FORMATS[WireFormat.ANTHROPIC_MESSAGES].requests
OPENAI: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsNonStreaming)
ANTHROPIC: TypeAdapter[Any] = TypeAdapter(MessageCreateParamsNonStreaming)
OLD_SAMPLING = {"temperature", "top_p", "top_k"}
PIXEL = "iVBORw0KGgo="


def check(adapter: TypeAdapter[Any], body: dict[str, Any]) -> None:
    """The SDK's types know every field; what they do not know, they would leave out of the copy."""
    assert whole(adapter.validate_python(body)) == body


def whole(value: Any) -> Any:
    """The SDKs' types hold iterables, which are validated only as they are read."""
    if isinstance(value, dict):
        return {name: whole(inner) for name, inner in value.items()}
    if hasattr(value, "__iter__") and not isinstance(value, str):
        return [whole(inner) for inner in value]
    return value


def chat(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **fields}


def messages(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}], **fields}


def to_anthropic(body: dict[str, Any], model: str = "claude-opus-5", stream: bool = False) -> tuple[Any, Written]:
    written = MESSAGES.write(CHAT.read(body), model, stream)
    sent = json.loads(written.body)
    check(ANTHROPIC, {name: value for name, value in sent.items() if name not in OLD_SAMPLING | {"stream"}})
    return sent, written


def to_openai(body: dict[str, Any], stream: bool = False, quirks: tuple[str, ...] = ()) -> tuple[Any, Written]:
    written = CHAT.write(MESSAGES.read(body), "gpt", stream, quirks)
    sent = json.loads(written.body)
    check(OPENAI, {name: value for name, value in sent.items() if name != "stream"})
    return sent, written


def test_a_plain_request_to_anthropic() -> None:
    sent, written = to_anthropic(chat(temperature=0.5, top_p=0.9, stop="END", user="u1"))
    assert sent == {
        "model": "claude-opus-5",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
        "temperature": 0.5,
        "top_p": 0.9,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u1"},
    }
    assert written.dropped == ()


def test_a_plain_request_to_openai() -> None:
    sent, written = to_openai(
        messages(system="Be kind.", temperature=0.5, stop_sequences=["END"], metadata={"user_id": "u1"}), stream=True
    )
    assert sent == {
        "model": "gpt",
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 100,
        "stop": ["END"],
        "temperature": 0.5,
        "user": "u1",
    }
    assert written.dropped == ()


def test_a_conversation_with_tools_to_anthropic() -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": '{"a": 1.0, "b": "ö"}'}}
    sent, written = to_anthropic(
        chat(
            messages=[
                {"role": "system", "content": "One."},
                {"role": "developer", "content": [{"type": "text", "text": "Two.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
                {"role": "user", "name": "Ann", "content": [
                    {"type": "text", "text": "See", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "high"}},
                    {"type": "image_url", "image_url": {"url": "https://x/y.jpg"}},
                    {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
                ]},
                {"role": "assistant", "content": "", "tool_calls": [{"id": "functions.f:0", **call}, {"id": "c2", **call}]},
                {"role": "tool", "tool_call_id": "functions.f:0", "content": "r1"},
                {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "r2"}]},
                {"role": "user", "content": "and?"},
                {"role": "system", "content": "Three."},
                {"role": "assistant", "content": [{"type": "text", "text": "No"}, {"type": "refusal", "refusal": "way"}]},
            ],
            tools=[{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True}},
                   {"type": "function", "function": {"name": "g"}}],
            tool_choice="required",
            parallel_tool_calls=False,
            max_completion_tokens=50,
            max_tokens=70,
        )
    )  # fmt: skip
    assert sent["max_tokens"] == 50
    assert sent["system"] == [
        {"type": "text", "text": "One."},
        {"type": "text", "text": "Two.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "Three."},
    ]
    tool_use = {"type": "tool_use", "name": "f", "input": {"a": 1.0, "b": "ö"}}
    assert sent["messages"] == [
        {"role": "user", "content": [
            {"type": "text", "text": "See", "cache_control": {"type": "ephemeral"}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
            {"type": "image", "source": {"type": "url", "url": "https://x/y.jpg"}},
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}, "title": "a.pdf"},
        ]},
        {"role": "assistant", "content": [{"id": "functions_f_0", **tool_use}, {"id": "c2", **tool_use}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "functions_f_0", "content": [{"type": "text", "text": "r1"}]},
            {"type": "tool_result", "tool_use_id": "c2", "content": [{"type": "text", "text": "r2"}]},
            {"type": "text", "text": "and?"},
        ]},
        {"role": "assistant", "content": [{"type": "text", "text": "No"}, {"type": "text", "text": "way"}]},
    ]  # fmt: skip
    assert sent["tools"] == [
        {"name": "f", "input_schema": {"type": "object"}, "description": "d", "strict": True},
        {"name": "g", "input_schema": {"type": "object", "properties": {}}},
    ]
    assert sent["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    assert set(written.dropped) == {"messages.name", "image_url.detail", "messages.role"}
    assert b'"input":{"a": 1.0, "b": "' in written.body  # the model's own bytes


def test_a_conversation_with_tools_to_openai() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    sent, written = to_openai(
        messages(
            system=[{"type": "text", "text": "One."}, {"type": "text", "text": "Two.", "cache_control": {"type": "ephemeral"}}],
            messages=[
                {"role": "user", "content": [{"type": "text", "text": "See"}, image,
                    {"type": "document", "title": "a.pdf", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}},
                    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}}]},
                {"role": "assistant", "content": [
                    {"type": "thinking", "thinking": "Hm", "signature": "s"},
                    {"type": "redacted_thinking", "data": "d"},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": [1]}},
                    {"type": "tool_use", "id": "t2", "name": "g", "input": {}}]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "r1"}, image]},
                    {"type": "tool_result", "tool_use_id": "t2", "is_error": True},
                    {"type": "text", "text": "and?"}]},
                {"role": "system", "content": "Three."},
                {"role": "assistant", "content": "Pre"},
            ],
            tools=[{"name": "f", "description": "d", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}],
            tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        )
    )  # fmt: skip
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    assert sent["messages"] == [
        {"role": "system", "content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]},
        {"role": "user", "content": [
            {"type": "text", "text": "See"},
            url,
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
            {"type": "text", "text": "plain"},
        ]},
        {"role": "assistant", "content": "I look.", "tool_calls": [
            {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":[1]}'}},
            {"id": "t2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ]},
        {"role": "tool", "tool_call_id": "t1", "content": "r1"},
        {"role": "tool", "tool_call_id": "t2", "content": "The tool reported an error."},
        {"role": "user", "content": [
            {"type": "text", "text": "Files returned by the tool call t1:"},
            url,
            {"type": "text", "text": "and?"},
        ]},
        {"role": "system", "content": "Three."},
        {"role": "assistant", "content": "Pre"},
    ]  # fmt: skip
    assert sent["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
    ]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert sent["parallel_tool_calls"] is False
    assert written.dropped == ("cache_control", "thinking", "is_error")


@pytest.mark.parametrize(
    ("openai", "anthropic"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"}),
    ],
)
def test_tool_choices_in_both_directions(openai: Any, anthropic: Any) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    assert to_anthropic(chat(tools=tools, tool_choice=openai))[0]["tool_choice"] == anthropic
    tools = [{"name": "f", "input_schema": {"type": "object"}}]
    assert to_openai(messages(tools=tools, tool_choice=anthropic))[0]["tool_choice"] == openai


def test_allowed_tools_narrow_the_list() -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in "fgh"]
    named = [{"type": "function", "function": {"name": name}} for name in "hf"]
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": named}}
    sent, _ = to_anthropic(chat(tools=tools, tool_choice=choice))
    assert [tool["name"] for tool in sent["tools"]] == ["f", "h"]
    assert sent["tool_choice"] == {"type": "any"}


def test_parallel_calls_without_a_choice() -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    sent, _ = to_anthropic(chat(tools=tools, parallel_tool_calls=False))
    assert sent["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert "tool_choice" not in to_anthropic(chat(tools=tools))[0]
    assert "tool_choice" not in to_anthropic(chat(parallel_tool_calls=False, tool_choice="auto"))[0]


def test_output_schemas() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
    asked = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": True}}
    sent, _ = to_anthropic(chat(response_format=asked))
    assert sent["output_config"] == {"format": {"type": "json_schema", "schema": schema}}
    sent, _ = to_openai(messages(output_config=sent["output_config"]))
    assert sent["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": True},
    }
    assert "output_config" not in to_anthropic(chat(response_format={"type": "text"}))[0]


@pytest.mark.parametrize(
    ("model", "asked", "thinking", "effort", "dropped"),
    [
        ("claude-opus-5", {"reasoning_effort": "high"}, {"type": "adaptive"}, "high", ()),
        ("claude-opus-5", {"reasoning_effort": "minimal"}, {"type": "adaptive"}, "low", ()),
        ("claude-opus-4-6", {"reasoning_effort": "max"}, {"type": "adaptive"}, "max", ()),
        ("some-model", {"reasoning": {"effort": "low"}}, {"type": "adaptive"}, "low", ()),
        ("some-model", {"reasoning": {"enabled": True}}, {"type": "adaptive"}, None, ()),
        ("some-model", {"reasoning": {"enabled": False}}, {"type": "disabled"}, None, ()),
        ("some-model", {"thinking": {"type": "enabled", "budget_tokens": 8000}}, {"type": "adaptive"}, "high", ()),
        ("claude-opus-5", {"reasoning_effort": "none"}, {"type": "disabled"}, None, ()),
        ("claude-opus-5", {}, None, None, ()),
        ("claude-sonnet-4-5-20250929", {"reasoning_effort": "high"}, {"type": "enabled", "budget_tokens": 8000}, None, ()),
        ("anthropic/claude-sonnet-4.5", {"reasoning_effort": "low"}, {"type": "enabled", "budget_tokens": 2000}, None, ()),
        ("claude-3-7-sonnet-20250219", {"reasoning": {"max_tokens": 3000}}, {"type": "enabled", "budget_tokens": 3000}, None, ()),
        ("claude-opus-4-20250514", {"thinking": {"type": "enabled", "budget_tokens": 2048}}, {"type": "enabled", "budget_tokens": 2048}, None, ()),
        ("claude-sonnet-4-5", {"reasoning": {"max_tokens": 10000}}, None, None, ("thinking",)),
        ("claude-sonnet-4-5", {"reasoning_effort": "low", "max_tokens": 1024}, None, None, ("reasoning_effort",)),
    ],
)  # fmt: skip
def test_reasoning_is_asked_in_the_words_of_the_models_generation(
    model: str, asked: dict[str, Any], thinking: Any, effort: str | None, dropped: tuple[str, ...]
) -> None:
    sent, written = to_anthropic(chat(**{"max_tokens": 10000, **asked}), model)
    assert sent.get("thinking") == thinking
    assert sent.get("output_config", {}).get("effort") == effort
    assert written.dropped == dropped


@pytest.mark.parametrize(
    ("asked", "effort", "dropped"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "low", ()),
        ({"thinking": {"type": "enabled", "budget_tokens": 5000}}, "medium", ()),
        ({"thinking": {"type": "enabled", "budget_tokens": 9000}}, "high", ()),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}}, "xhigh", ()),
        ({"thinking": {"type": "adaptive"}}, None, ("thinking",)),
        ({"thinking": {"type": "disabled"}}, None, ("thinking",)),
        ({}, None, ()),
    ],
)
def test_thinking_becomes_an_effort(asked: dict[str, Any], effort: str | None, dropped: tuple[str, ...]) -> None:
    sent, written = to_openai(messages(max_tokens=10000, **asked))
    assert sent.get("reasoning_effort") == effort
    assert written.dropped == dropped


def test_an_older_model_does_not_take_up_thinking_in_the_middle_of_a_call() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "r"},
    ]
    body = chat(messages=turns, reasoning_effort="low", max_tokens=9000)
    sent, written = to_anthropic(body, "claude-sonnet-4-5")
    assert "thinking" not in sent
    assert written.dropped == ("reasoning_effort",)
    turns[1]["reasoning_details"] = [{"type": "reasoning.text", "text": "Hm", "signature": "s", "index": 0}]  # type: ignore[assignment]
    assert "thinking" in to_anthropic(body, "claude-sonnet-4-5")[0]


def test_reasoning_goes_back_only_with_claudes_signature() -> None:
    def sent(**fields: Any) -> tuple[Any, tuple[str, ...]]:
        body, written = to_anthropic(chat(messages=[{"role": "assistant", "content": "x", **fields}]))
        return body["messages"][0]["content"][:-1], written.dropped

    text = {"type": "reasoning.text", "text": "Hm", "index": 0}
    signed = {"type": "thinking", "thinking": "Hm", "signature": "s"}
    assert sent(reasoning_details=[{**text, "signature": "s"}]) == ([signed], ())
    pieces = [{**text, "text": "H"}, {**text, "text": "m"}, {"type": "reasoning.text", "signature": "s", "index": 0}]
    assert sent(reasoning_details=pieces) == ([signed], ())
    assert sent(reasoning_details=[text]) == ([], ("reasoning_content",))
    assert sent(reasoning_content="Hm") == ([], ("reasoning_content",))
    foreign = {"type": "reasoning.encrypted", "data": "x", "format": "openai-responses-v1"}
    assert sent(reasoning_details=[foreign]) == ([], ("reasoning_content",))


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": 1.5}, "temperature"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logit_bias": {"1": 5}}, "logit_bias"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"presence_penalty": -0.5}, "presence_penalty"),
        ({"audio": {"voice": "x", "format": "wav"}}, "audio"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"web_search_options": {"x": 1}}, "web_search_options"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]}, "messages[0].file"),
        ({"messages": [{"role": "assistant", "audio": {"id": "x"}}]}, "messages[0].audio"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/bmp;base64,AA"}}]}]}, "image_url.url"),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_data": "data:text/csv;base64,AA"}}]}]}, "file.file_data"),
    ],
)  # fmt: skip
def test_what_anthropic_cannot_say_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    param = param.replace("messages[0].file", "messages[0].content[0].file")
    with pytest.raises(UnsupportedField) as caught:
        to_anthropic(chat(**fields))
    assert caught.value.param == param
    assert caught.value.public


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"top_k": 5}, "top_k"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"container": "c"}, "container"),
        ({"mcp_servers": [{"url": "x"}]}, "mcp_servers"),
        ({"inference_geo": "eu"}, "inference_geo"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "search_result"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}]}, "messages[0].content[0].source.type"),
        ({"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "url", "url": "https://x"}}]}]}, "messages"),
    ],
)  # fmt: skip
def test_what_openai_cannot_say_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedField) as caught:
        to_openai(messages(**fields))
    assert caught.value.param == param


def test_neutral_values_are_not_refused() -> None:
    sent, written = to_anthropic(
        chat(n=1, logprobs=False, logit_bias={}, frequency_penalty=0, presence_penalty=0.0, modalities=["text"], audio=None)
    )  # fmt: skip
    assert set(sent) == {"model", "max_tokens", "messages"}
    assert written.dropped == ()


def test_hints_are_dropped_and_named() -> None:
    _, written = to_anthropic(
        chat(seed=7, store=True, service_tier="flex", verbosity="low", prompt_cache_key="k", metadata={"a": "b"},
             stop=["a", " "], stream_options={"include_usage": True}, new_field=1)
    )  # fmt: skip
    assert set(written.dropped) == {
        "seed", "store", "service_tier", "verbosity", "prompt_cache_key", "metadata", "stop", "new_field",
    }  # fmt: skip
    _, written = to_openai(
        messages(service_tier="auto", speed="fast", context_management={"edits": []}, metadata={"user_id": "u" * 65})
    )
    assert set(written.dropped) == {"service_tier", "speed", "context_management", "metadata.user_id"}


def test_quirks_of_providers() -> None:
    sent, _ = to_openai(messages(metadata={"user_id": "u"}), quirks=("max_completion_tokens",))
    assert sent["max_completion_tokens"] == 100
    assert "max_tokens" not in sent
    sent, written = to_openai(messages(metadata={"user_id": "u"}), quirks=("no_user",))
    assert "user" not in sent
    assert written.dropped == ("metadata.user_id",)


def test_images_alone_in_a_result_leave_a_pointer() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}
    sent, _ = to_openai(
        messages(
            messages=[
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [image]}]},
            ]
        )
    )
    assert sent["messages"][1:] == [
        {"role": "tool", "tool_call_id": "t", "content": "The result is in the files of the next user message."},
        {"role": "user", "content": [
            {"type": "text", "text": "Files returned by the tool call t:"},
            {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
        ]},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": None}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [7]}, "messages[0]"),
        ({"messages": [{}]}, "messages[0].role"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "ftp://x"}}]}]}, "messages[0].content[0].image_url.url"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png,x"}}]}]}, "messages[0].content[0].image_url.url"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "assistant", "tool_calls": [{"type": "function", "id": "a"}]}]}, "messages[0].tool_calls[0].function"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": float("inf")}, "temperature"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": 2.1}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 10_000_001}, "max_tokens"),
        ({"max_tokens": "5"}, "max_tokens"),
        ({"max_completion_tokens": 10**40}, "max_completion_tokens"),
        ({"n": 0}, "n"),
        ({"stream": 1}, "stream"),
        ({"stop": [1]}, "stop[0]"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {"name": ""}}]}, "tools[0].function.name"),
        ({"tool_choice": "any"}, "tool_choice"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.function"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"reasoning_effort": "extreme"}, "reasoning_effort"),
    ],
)  # fmt: skip
def test_bad_chat_fields_are_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        CHAT.read(chat(**fields))
    assert caught.value.param == param
    assert param in caught.value.public


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"max_tokens": 10_000_001}, "max_tokens"),
        ({"temperature": 1.1}, "temperature"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": []}]}]}, "messages[0].content[0].input"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result", "content": "x"}]}]}, "messages[0].content[0].tool_use_id"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "file:///x"}}]}]}, "messages[0].content[0].source.url"),
        ({"system": 7}, "system"),
        ({"tools": [{"name": "f"}]}, "tools[0].input_schema"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"stop_sequences": "x"}, "stop_sequences"),
        ({"metadata": {"user_id": 7}}, "metadata.user_id"),
    ],
)  # fmt: skip
def test_bad_messages_fields_are_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        MESSAGES.read(messages(**fields))
    assert caught.value.param == param


def test_a_lone_surrogate_is_refused() -> None:
    for body in (
        chat(messages=[{"role": "user", "content": "\ud800"}]),
        chat(user="\ud800"),
        chat(tools=[{"type": "function", "function": {"name": "f", "parameters": {"\udfff": 1}}}]),
        chat(messages=[{"role": "assistant", "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"\ud800":1}'}}]}]),
    ):  # fmt: skip
        with pytest.raises(InvalidRequest, match="surrogate"):
            MESSAGES.write(CHAT.read(body), "claude", False)
    with pytest.raises(InvalidRequest, match="surrogate"):
        CHAT.write(MESSAGES.read(messages(system="\ud800")), "gpt", False)


def test_a_long_unknown_kind_is_not_echoed_whole() -> None:
    with pytest.raises(InvalidRequest) as caught:
        CHAT.read(chat(messages=[{"role": "x" * 100_000, "content": "Hi"}]))
    assert len(caught.value.public) < 500
