"""A chat completion request becomes the messages request that Anthropic's own SDK would send."""

from collections.abc import Callable
from typing import Any

import pytest

from ownkey.domain.errors import UnsupportedField
from ownkey.wire.format import Draft

PIXEL = "iVBORw0KGgo="
Translate = Callable[..., tuple[Any, Draft]]


def chat(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **fields}


def test_a_plain_request_to_anthropic(to_anthropic: Translate) -> None:
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


def test_a_conversation_with_tools_to_anthropic(to_anthropic: Translate) -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": '{"a": 1.0, "b": "ö"}'}}
    sent, written = to_anthropic(
        chat(
            messages=[
                {"role": "system", "content": "One."},
                {
                    "role": "developer",
                    "content": [{"type": "text", "text": "Two.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
                },
                {
                    "role": "user",
                    "name": "Ann",
                    "content": [
                        {"type": "text", "text": "See", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}},
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "high"}},
                        {"type": "image_url", "image_url": {"url": "https://x/y.jpg"}},
                        {
                            "type": "file",
                            "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"},
                        },
                    ],
                },
                {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [{"id": "functions.f:0", **call}, {"id": "c2", **call}],
                },
                {"role": "tool", "tool_call_id": "functions.f:0", "content": "r1"},
                {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "r2"}]},
                {"role": "user", "content": "and?"},
                {"role": "system", "content": "Three."},
                {
                    "role": "assistant",
                    "content": [{"type": "text", "text": "No"}, {"type": "refusal", "refusal": "way"}],
                },
            ],
            tools=[
                {
                    "type": "function",
                    "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True},
                },
                {"type": "function", "function": {"name": "g"}},
            ],
            tool_choice="required",
            parallel_tool_calls=False,
            max_completion_tokens=50,
            max_tokens=70,
        )
    )
    assert sent["max_tokens"] == 50
    assert sent["system"] == [
        {"type": "text", "text": "One."},
        {"type": "text", "text": "Two.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "Three."},
    ]
    tool_use = {"type": "tool_use", "name": "f", "input": {"a": 1.0, "b": "ö"}}
    assert sent["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "See", "cache_control": {"type": "ephemeral"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
                {"type": "image", "source": {"type": "url", "url": "https://x/y.jpg"}},
                {
                    "type": "document",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
                    "title": "a.pdf",
                },
            ],
        },
        {"role": "assistant", "content": [{"id": "functions_f_0", **tool_use}, {"id": "c2", **tool_use}]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "functions_f_0", "content": [{"type": "text", "text": "r1"}]},
                {"type": "tool_result", "tool_use_id": "c2", "content": [{"type": "text", "text": "r2"}]},
                {"type": "text", "text": "and?"},
            ],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "No"}, {"type": "text", "text": "way"}]},
    ]
    assert sent["tools"] == [
        {"name": "f", "input_schema": {"type": "object"}, "description": "d", "strict": True},
        {"name": "g", "input_schema": {"type": "object", "properties": {}}},
    ]
    assert sent["tool_choice"] == {"type": "any", "disable_parallel_tool_use": True}
    assert set(written.dropped) == {"messages.name", "image_url.detail", "messages.role"}
    assert b'"input":{"a": 1.0, "b": "' in written.encoded()  # the model's own bytes


def test_allowed_tools_narrow_the_list(to_anthropic: Translate) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in "fgh"]
    named = [{"type": "function", "function": {"name": name}} for name in "hf"]
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": named}}
    sent, _ = to_anthropic(chat(tools=tools, tool_choice=choice))
    assert [tool["name"] for tool in sent["tools"]] == ["f", "h"]
    assert sent["tool_choice"] == {"type": "any"}


def test_parallel_calls_without_a_choice(to_anthropic: Translate) -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    sent, _ = to_anthropic(chat(tools=tools, parallel_tool_calls=False))
    assert sent["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert "tool_choice" not in to_anthropic(chat(tools=tools))[0]
    assert "tool_choice" not in to_anthropic(chat(parallel_tool_calls=False, tool_choice="auto"))[0]


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
        (
            "claude-sonnet-4-5-20250929",
            {"reasoning_effort": "high"},
            {"type": "enabled", "budget_tokens": 8000},
            None,
            (),
        ),
        (
            "anthropic/claude-sonnet-4.5",
            {"reasoning_effort": "low"},
            {"type": "enabled", "budget_tokens": 2000},
            None,
            (),
        ),
        (
            "claude-3-7-sonnet-20250219",
            {"reasoning": {"max_tokens": 3000}},
            {"type": "enabled", "budget_tokens": 3000},
            None,
            (),
        ),
        (
            "claude-opus-4-20250514",
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
            {"type": "enabled", "budget_tokens": 2048},
            None,
            (),
        ),
        ("claude-sonnet-4-5", {"reasoning": {"max_tokens": 10000}}, None, None, ("thinking",)),
        ("claude-sonnet-4-5", {"reasoning_effort": "low", "max_tokens": 1024}, None, None, ("reasoning_effort",)),
    ],
)
def test_reasoning_is_asked_in_the_words_of_the_models_generation(
    to_anthropic: Translate,
    model: str,
    asked: dict[str, Any],
    thinking: Any,
    effort: str | None,
    dropped: tuple[str, ...],
) -> None:
    sent, written = to_anthropic(chat(**{"max_tokens": 10000, **asked}), model)
    assert sent.get("thinking") == thinking
    assert sent.get("output_config", {}).get("effort") == effort
    assert written.dropped == dropped


def test_an_older_model_does_not_take_up_thinking_in_the_middle_of_a_call(to_anthropic: Translate) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    turns: list[dict[str, Any]] = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "r"},
    ]
    body = chat(messages=turns, reasoning_effort="low", max_tokens=9000)
    sent, written = to_anthropic(body, "claude-sonnet-4-5")
    assert "thinking" not in sent
    assert written.dropped == ("reasoning_effort",)
    turns[1]["reasoning_details"] = [{"type": "reasoning.text", "text": "Hm", "signature": "s", "index": 0}]
    assert "thinking" in to_anthropic(body, "claude-sonnet-4-5")[0]


def test_reasoning_goes_back_only_with_claudes_signature(to_anthropic: Translate) -> None:
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
        ({"web_search_options": {"x": 1}}, "web_search_options"),
        ({"functions": [{"name": "f"}]}, "functions"),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]},
            "messages[0].content[0].type",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]}, "messages[0].file"),
        ({"messages": [{"role": "assistant", "audio": {"id": "x"}}]}, "messages[0].audio"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image_url", "image_url": {"url": "data:image/bmp;base64,AA"}}],
                    }
                ]
            },
            "image_url.url",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "file", "file": {"file_data": "data:text/csv;base64,AA"}}]}
                ]
            },
            "file.file_data",
        ),
    ],
)
def test_what_anthropic_cannot_say_is_refused_by_name(
    to_anthropic: Translate, fields: dict[str, Any], param: str
) -> None:
    param = param.replace("messages[0].file", "messages[0].content[0].file")
    with pytest.raises(UnsupportedField) as caught:
        to_anthropic(chat(**fields))
    assert caught.value.param == param
    assert caught.value.public


def test_neutral_values_are_not_refused(to_anthropic: Translate) -> None:
    sent, written = to_anthropic(
        chat(
            n=1,
            logprobs=False,
            logit_bias={},
            frequency_penalty=0,
            presence_penalty=0.0,
            modalities=["text"],
            audio=None,
        )
    )
    assert set(sent) == {"model", "max_tokens", "messages"}
    assert written.dropped == ()
