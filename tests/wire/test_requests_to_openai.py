"""A messages request becomes the chat completion request that OpenAI's own SDK would send."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ownkey.domain.errors import UnsupportedField
from ownkey.domain.facts import Facts
from ownkey.domain.formats import WireFormat
from ownkey.wire.format import Draft
from ownkey.wire.translation import translate_request
from ownkey.wire.wishes import Wishes

PIXEL = "iVBORw0KGgo="
Translate = Callable[..., tuple[Any, Draft]]


def chat(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **fields}


def messages(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}], **fields}


def test_a_plain_request_to_openai(to_openai: Translate) -> None:
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


def test_a_conversation_with_tools_to_openai(to_openai: Translate) -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    sent, written = to_openai(
        messages(
            system=[
                {"type": "text", "text": "One."},
                {"type": "text", "text": "Two.", "cache_control": {"type": "ephemeral"}},
            ],
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "See"},
                        image,
                        {
                            "type": "document",
                            "title": "a.pdf",
                            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
                        },
                        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "plain"}},
                    ],
                },
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "Hm", "signature": "s"},
                        {"type": "redacted_thinking", "data": "d"},
                        {"type": "text", "text": "I look."},
                        {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": [1]}},
                        {"type": "tool_use", "id": "t2", "name": "g", "input": {}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": "t1",
                            "content": [{"type": "text", "text": "r1"}, image],
                        },
                        {"type": "tool_result", "tool_use_id": "t2", "is_error": True},
                        {"type": "text", "text": "and?"},
                    ],
                },
                {"role": "system", "content": "Three."},
                {"role": "assistant", "content": "Pre"},
            ],
            tools=[
                {
                    "name": "f",
                    "description": "d",
                    "input_schema": {"type": "object"},
                    "cache_control": {"type": "ephemeral"},
                }
            ],
            tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        )
    )
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    assert sent["messages"] == [
        {"role": "system", "content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "See"},
                url,
                {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
                {"type": "text", "text": "plain"},
            ],
        },
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [
                {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":[1]}'}},
                {"id": "t2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "r1"},
        {"role": "tool", "tool_call_id": "t2", "content": "The tool reported an error."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Files returned by the tool call t1:"},
                url,
                {"type": "text", "text": "and?"},
            ],
        },
        {"role": "system", "content": "Three."},
        {"role": "assistant", "content": "Pre"},
    ]
    assert sent["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
    ]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert sent["parallel_tool_calls"] is False
    assert written.dropped == ("cache_control", "reasoning_content", "is_error", "messages.prefill")


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
def test_thinking_becomes_an_effort(
    to_openai: Translate, asked: dict[str, Any], effort: str | None, dropped: tuple[str, ...]
) -> None:
    sent, written = to_openai(messages(max_tokens=10000, **asked))
    assert sent.get("reasoning_effort") == effort
    assert written.dropped == dropped


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"container": "c"}, "container"),
        ({"inference_geo": "eu"}, "inference_geo"),
        ({"messages": [{"role": "user", "content": [{"type": "search_result"}]}]}, "messages[0].content[0].type"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}
                ]
            },
            "messages[0].content[0].source.type",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "document", "source": {"type": "url", "url": "https://x"}}]}
                ]
            },
            "messages",
        ),
    ],
)
def test_what_openai_cannot_say_is_refused_by_name(to_openai: Translate, fields: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedField) as caught:
        to_openai(messages(**fields))
    assert caught.value.param == param


def test_facts_of_a_model() -> None:
    facts = Facts(renames={"max_tokens": "max_completion_tokens"}, refuses=("user",))
    written = translate_request(
        WireFormat.ANTHROPIC_MESSAGES,
        WireFormat.OPENAI_CHAT,
        messages(metadata={"user_id": "u"}),
        model="gpt",
        stream=False,
        wishes=Wishes(),
        facts=facts,
    )
    sent = json.loads(written.body)
    assert sent["max_completion_tokens"] == 100
    assert not {"max_tokens", "user"} & sent.keys()
    assert written.adaptations == ("metadata.user_id",)


def test_images_alone_in_a_result_leave_a_pointer(to_openai: Translate) -> None:
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
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Files returned by the tool call t:"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
            ],
        },
    ]


def test_hints_are_dropped_and_named(to_anthropic: Translate, to_openai: Translate) -> None:
    _, written = to_anthropic(
        chat(
            seed=7,
            store=True,
            service_tier="flex",
            verbosity="low",
            prompt_cache_key="k",
            metadata={"a": "b"},
            stop=["a", " "],
            stream_options={"include_usage": True},
            new_field=1,
        )
    )
    assert set(written.dropped) == {
        "seed",
        "store",
        "service_tier",
        "verbosity",
        "prompt_cache_key",
        "metadata",
        "stop",
        "new_field",
    }
    _, written = to_openai(
        messages(service_tier="auto", speed="fast", context_management={"edits": []}, metadata={"user_id": "u" * 65})
    )
    assert set(written.dropped) == {"service_tier", "speed", "context_management", "metadata.user_id"}


def test_output_schemas(to_anthropic: Translate, to_openai: Translate) -> None:
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
    ("openai", "anthropic"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"}),
    ],
)
def test_tool_choices_in_both_directions(
    to_anthropic: Translate, to_openai: Translate, openai: Any, anthropic: Any
) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    assert to_anthropic(chat(tools=tools, tool_choice=openai))[0]["tool_choice"] == anthropic
    tools = [{"name": "f", "input_schema": {"type": "object"}}]
    assert to_openai(messages(tools=tools, tool_choice=anthropic))[0]["tool_choice"] == openai
