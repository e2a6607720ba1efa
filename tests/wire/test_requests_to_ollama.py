"""Chat completions and messages as Ollama's requests, checked against the `ollama` package's own types."""

import json
from typing import Any

import ollama
import pytest
from ollama._types import ChatRequest

from ownkey.domain.errors import InvalidRequest, UnsupportedField
from ownkey.domain.formats import WireFormat
from ownkey.wire import CHAT_FORMATS, PROVIDER_CHATS, MalformedAnswer
from ownkey.wire.format import Draft
from ownkey.wire.neutral import Reasoning, StopReason, Text, ToolCall

OLLAMA = PROVIDER_CHATS[WireFormat.OLLAMA_CHAT]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CLOCK = {"type": "function", "function": {"name": "clock", "description": "The time."}}
USER = [{"role": "user", "content": "hi"}]
PNG = "iVBORw0KGgo="


def translate(source: WireFormat, body: dict[str, Any], stream: bool = False) -> tuple[dict[str, Any], Draft]:
    written = OLLAMA.write_request(CHAT_FORMATS[source].read_request(body), "qwen3", stream)
    sent: dict[str, Any] = json.loads(written.encoded())
    typed = ChatRequest.model_validate(sent)
    assert set(sent) <= set(ChatRequest.model_fields)
    assert set(sent.get("options", {})) <= set(ollama.Options.model_fields)
    for message in sent["messages"]:
        # The SDK's type for an image is an object that is written as its base64.
        images = [{"value": image} for image in message.get("images", ())]
        read = ollama.Message.model_validate(message | {"images": images or None})
        assert read.model_dump(exclude_none=True) == message
        assert set(message) <= set(ollama.Message.model_fields)
    assert typed.stream is stream
    return sent, written


def chat(messages: list[Any] = USER, **more: Any) -> tuple[dict[str, Any], Draft]:
    return translate(WireFormat.OPENAI_CHAT, {"model": "m", "messages": messages, **more})


def claude(messages: list[Any] = USER, **more: Any) -> tuple[dict[str, Any], Draft]:
    return translate(WireFormat.ANTHROPIC_MESSAGES, {"model": "m", "max_tokens": 1000, "messages": messages, **more})


def refused(field: str, messages: list[Any] = USER, **more: Any) -> None:
    with pytest.raises(UnsupportedField) as caught:
        chat(messages, **more)
    assert caught.value.param == field


def test_text_and_images_become_one_message() -> None:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}}
    sent, written = chat(
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "What"}, image, {"type": "text", "text": "is it?"}]},
        ],
        user="u",
        store=True,
    )
    assert sent["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What\nis it?", "images": [PNG]},
    ]
    assert sent["stream"] is False
    assert set(written.dropped) == {"store", "image_url.detail", "user"}


def test_calls_are_objects_and_results_bear_their_tools_name() -> None:
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"x"}'}},
        {"id": "c2", "type": "function", "function": {"name": "clock", "arguments": "broken"}},
    ]
    sent, written = chat(
        [
            *USER,
            {"role": "assistant", "content": None, "tool_calls": calls, "reasoning_content": "Hm."},
            {"role": "tool", "tool_call_id": "c2", "content": "noon"},
            {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        ],
        tools=[TOOL, CLOCK],
    )
    assert sent["messages"][1:] == [
        {
            "role": "assistant",
            "content": "",
            "thinking": "Hm.",
            "tool_calls": [
                {"function": {"name": "weather", "arguments": {"city": "x"}}},
                {"function": {"name": "clock", "arguments": {"INVALID_JSON": "broken"}}},
            ],
        },
        {"role": "tool", "tool_name": "clock", "content": "noon"},
        {"role": "tool", "tool_name": "weather", "content": "rain"},
    ]
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["weather", "clock"]
    assert written.dropped == ()


def test_a_result_without_its_call_is_a_mistake() -> None:
    with pytest.raises(InvalidRequest) as caught:
        chat([*USER, {"role": "tool", "tool_call_id": "x", "content": "?"}])
    assert caught.value.param == "messages"


def test_tool_choices() -> None:
    assert "tools" not in chat(tools=[TOOL], tool_choice="none")[0]
    assert len(chat(tools=[TOOL, CLOCK], tool_choice="auto")[0]["tools"]) == 2
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [TOOL]}}
    assert len(chat(tools=[TOOL, CLOCK], tool_choice=allowed)[0]["tools"]) == 1
    refused("tool_choice", tools=[TOOL], tool_choice="required")
    refused("tool_choice", tools=[TOOL], tool_choice={"type": "function", "function": {"name": "weather"}})


def test_options_and_ollamas_own_fields() -> None:
    sent, written = chat(
        temperature=1.5,
        top_p=0.5,
        top_k=40,
        seed=7,
        stop="a",
        presence_penalty=-1,
        max_tokens=9,
        keep_alive="10m",
        options={"num_ctx": 8192, "seed": 1},
    )
    assert sent["options"] == {
        "num_ctx": 8192,
        "temperature": 1.5,
        "top_p": 0.5,
        "top_k": 40,
        "seed": 7,
        "presence_penalty": -1,
        "num_predict": 9,
        "stop": ["a"],
    }
    assert sent["keep_alive"] == "10m"
    assert written.dropped == ()
    with pytest.raises(InvalidRequest):
        chat(options=7)


def test_what_ollama_cannot_say_is_refused() -> None:
    refused("n", n=2)
    refused("logprobs", logprobs=True)
    refused("logit_bias", logit_bias={"1": 2})
    refused(
        "image_url.url", [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y"}}]}]
    )
    pdf = {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}}
    refused("messages", [{"role": "user", "content": [pdf]}])


def test_formats() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert chat(response_format={"type": "json_object"})[0]["format"] == "json"
    sent, _ = chat(response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}})
    assert sent["format"] == schema
    assert claude(output_config={"format": {"type": "json_schema", "schema": schema}})[0]["format"] == schema


@pytest.mark.parametrize(
    ("fields", "think"),
    [
        ({"reasoning_effort": "none"}, False),
        ({"reasoning_effort": "minimal"}, "low"),
        ({"reasoning_effort": "high"}, "high"),
        ({"reasoning": {"enabled": True}}, True),
        ({}, None),
    ],
    ids=range(5),
)
def test_reasoning_as_openais_clients_ask_for_it(fields: Any, think: Any) -> None:
    assert chat(**fields)[0].get("think") == think


def test_reasoning_as_anthropics_clients_ask_for_it() -> None:
    sent, written = claude(thinking={"type": "enabled", "budget_tokens": 500})
    assert (sent["think"], written.dropped) == (True, ("thinking.budget_tokens",))
    assert claude(thinking={"type": "disabled"})[0]["think"] is False
    assert "think" not in claude(thinking={"type": "adaptive"})[0]


def test_an_answer_with_thinking_text_and_calls() -> None:
    body = {
        "model": "qwen3",
        "created_at": "2026-01-01T00:00:00.5Z",
        "message": {
            "role": "assistant",
            "content": "Wait.",
            "thinking": "Hm.",
            "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1.0}}}],
        },
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 5,
        "eval_count": 2,
    }
    answer = OLLAMA.read_answer(json.dumps(body).encode())
    assert answer.parts == (
        Reasoning("Hm."),
        Text("Wait."),
        ToolCall("call_20260101T0000005Z_0", "f", '{"a": 1.0}'),
    )
    assert answer.stop.reason is StopReason.TOOL_USE
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (5, 2)


def test_an_answer_that_is_an_error() -> None:
    with pytest.raises(MalformedAnswer) as caught:
        OLLAMA.read_answer(b'{"error":"model \'x\' not found"}')
    assert caught.value.error is not None
    assert caught.value.error.message == "model 'x' not found"
    with pytest.raises(MalformedAnswer):
        OLLAMA.read_answer(b'{"done":true}')
