"""Chat completions and messages as Cohere's requests, checked against the `cohere` package's own types."""

import json
from pathlib import Path
from typing import Any

import pytest
from cohere.types import ChatMessageV2, Document, ResponseFormatV2, Thinking, ToolV2
from pydantic import BaseModel, TypeAdapter

from ownkey.domain.errors import InvalidRequest, UnsupportedField
from ownkey.domain.formats import WireFormat
from ownkey.wire import CHAT_FORMATS, PROVIDER_CHATS, MalformedAnswer
from ownkey.wire.format import Draft
from ownkey.wire.neutral import Reasoning, Text, ToolCall

FIELDS = {
    "messages": TypeAdapter(list[ChatMessageV2]),
    "tools": TypeAdapter(list[ToolV2]),
    "documents": TypeAdapter(list[str | Document]),
    "response_format": TypeAdapter(ResponseFormatV2),
    "thinking": TypeAdapter(Thinking),
}
"""The fields that have types of their own; all others are plain values, named by `V2Client.chat`."""
PLAIN = {
    *("model", "stream", "max_tokens", "stop_sequences", "temperature", "seed", "p", "k", "tool_choice"),
    *("frequency_penalty", "presence_penalty", "strict_tools", "safety_mode", "citation_options"),
}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CLOCK = {"type": "function", "function": {"name": "clock", "description": "The time."}}
USER = [{"role": "user", "content": "hi"}]


def extras(value: Any) -> list[str]:
    if isinstance(value, BaseModel):
        inner = [name for field in type(value).model_fields for name in extras(getattr(value, field))]
        return [*(value.model_extra or {}), *inner]
    return [name for each in value for name in extras(each)] if isinstance(value, list) else []


def translate(source: WireFormat, body: dict[str, Any], stream: bool = False) -> tuple[dict[str, Any], Draft]:
    written = PROVIDER_CHATS[WireFormat.COHERE_CHAT].write_request(
        CHAT_FORMATS[source].read_request(body), "command-a", stream
    )
    sent: dict[str, Any] = json.loads(written.encoded())
    assert set(sent) <= {*FIELDS, *PLAIN}
    for name, adapter in FIELDS.items():
        if name in sent:
            assert extras(adapter.validate_python(sent[name])) == []
    return sent, written


def chat(messages: list[Any] = USER, **more: Any) -> tuple[dict[str, Any], Draft]:
    return translate(WireFormat.OPENAI_CHAT, {"model": "m", "messages": messages, **more})


def claude(messages: list[Any] = USER, **more: Any) -> tuple[dict[str, Any], Draft]:
    return translate(WireFormat.ANTHROPIC_MESSAGES, {"model": "m", "max_tokens": 1000, "messages": messages, **more})


def refused(field: str, messages: list[Any] = USER, **more: Any) -> None:
    with pytest.raises(UnsupportedField) as caught:
        chat(messages, **more)
    assert caught.value.param == field


def test_a_recorded_request_without_its_files_is_known_to_the_sdk() -> None:
    folder = Path(__file__).parent / "recordings"
    body = json.loads((folder / "openai_chat" / "request.json").read_text())
    needed = {name: body[name] for name in ("messages", "tools", "tool_choice") if name in body}
    for message in needed["messages"]:
        if isinstance(message["content"], list):
            message["content"] = [part for part in message["content"] if part["type"] != "file"]
    sent, _ = chat(**needed)
    assert {message["role"] for message in sent["messages"]} >= {"user", "assistant", "tool"}
    assert sent["tools"]


def test_text_images_and_system_messages_stay_in_their_places() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}}
    sent, written = chat(
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]},
            {"role": "assistant", "content": "A dot."},
            {"role": "system", "content": "Now be long."},
            {"role": "user", "content": "Go on.", "name": "eve"},
        ],
        user="u",
        store=True,
    )
    assert sent["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is it?"}, image]},
        {"role": "assistant", "content": "A dot."},
        {"role": "system", "content": "Now be long."},
        {"role": "user", "content": "Go on."},
    ]
    assert set(written.dropped) == {"store", "messages.name", "user"}


def test_calls_results_and_reasoning_go_back_where_they_came_from() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"x"}'}}
    details = [
        {"type": "reasoning.text", "text": "Hm.", "format": "cohere-thinking", "index": 0},
        {"type": "reasoning.text", "text": "I will look.", "format": "cohere-tool-plan", "index": 1},
    ]
    sent, written = chat(
        [
            *USER,
            {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_details": details},
            {"role": "tool", "tool_call_id": "c1", "content": "rain"},
        ],
        tools=[TOOL],
    )
    assert sent["messages"][1:] == [
        {
            "role": "assistant",
            "tool_calls": [call],
            "tool_plan": "I will look.",
            "content": [{"type": "thinking", "thinking": "Hm."}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    ]
    assert written.dropped == ()


def test_anothers_signed_thinking_and_a_results_files() -> None:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}
    sent, written = claude(
        [
            *USER,
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "secret", "signature": "s"},
                    {"type": "thinking", "thinking": "open", "signature": ""},
                    {"type": "tool_use", "id": "c1", "name": "weather", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "c1", "is_error": True, "content": [picture]}],
            },
        ],
        tools=[{"name": "weather", "input_schema": {"type": "object"}}],
    )
    assert sent["messages"][1]["tool_plan"] == "open"
    assert sent["messages"][2] == {
        "role": "tool",
        "tool_call_id": "c1",
        "content": "The result is in the files of the next user message.",
    }
    assert [part["type"] for part in sent["messages"][3]["content"]] == ["text", "image_url"]
    assert set(written.dropped) == {"reasoning_content", "is_error"}


@pytest.mark.parametrize(
    ("choice", "names", "word"),
    [
        (None, ["weather", "clock"], None),
        ("auto", ["weather", "clock"], None),
        ("none", ["weather", "clock"], "NONE"),
        ("required", ["weather", "clock"], "REQUIRED"),
        ({"type": "function", "function": {"name": "clock"}}, ["clock"], "REQUIRED"),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [TOOL]}},
            ["weather"],
            None,
        ),
    ],
    ids=["unsaid", "auto", "none", "required", "named", "allowed"],
)
def test_tool_choices(choice: Any, names: list[str], word: str | None) -> None:
    sent, _ = chat(tools=[TOOL, CLOCK], tool_choice=choice)
    assert [tool["function"]["name"] for tool in sent["tools"]] == names
    assert sent.get("tool_choice") == word
    assert all("parameters" in tool["function"] for tool in sent["tools"])


def test_a_choice_of_an_unknown_tool_is_a_mistake() -> None:
    with pytest.raises(InvalidRequest) as caught:
        chat(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "x"}})
    assert caught.value.param == "tool_choice"


def test_strictness_is_for_all_tools_or_none() -> None:
    strict = {"type": "function", "function": {"name": "s", "parameters": {}, "strict": True}}
    assert chat(tools=[strict])[0]["strict_tools"] is True
    sent, written = chat(tools=[strict, CLOCK])
    assert "strict_tools" not in sent
    assert written.dropped == ("tools.strict",)


def test_sampling_under_coheres_names() -> None:
    sent, written = chat(
        temperature=1.5, top_p=1, top_k=40, seed=7, stop=["a"], frequency_penalty=0.5, max_completion_tokens=9
    )
    assert sent | {"messages": []} == {
        "model": "command-a",
        "messages": [],
        "temperature": 1.5,
        "p": 0.99,
        "k": 40,
        "seed": 7,
        "stop_sequences": ["a"],
        "frequency_penalty": 0.5,
        "max_tokens": 9,
    }
    assert written.dropped == ("top_p",)


def test_what_cohere_cannot_say_is_refused() -> None:
    refused("n", n=2)
    refused("logprobs", logprobs=True)
    refused("logit_bias", logit_bias={"1": 2})
    refused("frequency_penalty", frequency_penalty=1.5)
    refused("presence_penalty", presence_penalty=-1)
    refused("stop", stop=list("abcdef"))
    refused("web_search_options", web_search_options={})
    pdf = {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}}
    refused("messages", [{"role": "user", "content": [pdf]}])


def test_json_with_and_without_a_schema() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert chat(response_format={"type": "json_object"})[0]["response_format"] == {"type": "json_object"}
    sent, _ = chat(response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}})
    assert sent["response_format"] == {"type": "json_object", "json_schema": schema}


@pytest.mark.parametrize(
    ("fields", "thinking", "dropped"),
    [
        ({"reasoning_effort": "none"}, {"type": "disabled"}, ()),
        ({"reasoning_effort": "high"}, {"type": "enabled"}, ()),
        ({"reasoning_effort": "low"}, {"type": "enabled"}, ("reasoning_effort",)),
        ({"reasoning_effort": "low", "max_tokens": 1000}, {"type": "enabled", "token_budget": 200}, ()),
        ({"reasoning": {"max_tokens": 300}}, {"type": "enabled", "token_budget": 300}, ()),
    ],
    ids=range(5),
)
def test_reasoning_as_openais_clients_ask_for_it(fields: Any, thinking: Any, dropped: tuple[str, ...]) -> None:
    sent, written = chat(**fields)
    assert (sent["thinking"], written.dropped) == (thinking, dropped)


def test_reasoning_as_anthropics_clients_ask_for_it() -> None:
    sent, _ = claude(thinking={"type": "enabled", "budget_tokens": 500})
    assert sent["thinking"] == {"type": "enabled", "token_budget": 500}
    assert claude(thinking={"type": "disabled"})[0]["thinking"] == {"type": "disabled"}
    assert "thinking" not in claude(thinking={"type": "adaptive"})[0]


def test_coheres_own_fields_pass() -> None:
    own: dict[str, Any] = {
        "documents": ["a", {"id": "1", "data": {"t": "b"}}],
        "safety_mode": "STRICT",
        "citation_options": {"mode": "OFF"},
    }
    sent, written = chat(**own)
    assert {name: sent[name] for name in own} == own
    assert written.dropped == ()


def test_an_answer_with_plan_thinking_text_and_calls() -> None:
    body = {
        "id": "a",
        "finish_reason": "TOOL_CALL",
        "message": {
            "role": "assistant",
            "tool_plan": "I will look.",
            "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Wait."}],
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            "citations": [],
        },
        "usage": {"billed_units": {"input_tokens": 5.0, "output_tokens": 2.0}, "cached_tokens": 9.0},
    }
    answer = PROVIDER_CHATS[WireFormat.COHERE_CHAT].read_answer(json.dumps(body).encode())
    assert answer.parts == (
        Reasoning("I will look.", format="cohere-tool-plan"),
        Reasoning("Hm.", format="cohere-thinking"),
        Text("Wait."),
        ToolCall("c", "f", "{}"),
    )
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.cached_tokens) == (5, 2, 5)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"message": "No."}, "No."),
        ({"message": {"content": []}, "finish_reason": "ERROR"}, "The provider broke off the answer."),
        ({"message": {"content": []}, "finish_reason": "TIMEOUT"}, "The provider broke off the answer."),
        ({}, None),
    ],
    ids=range(4),
)
def test_an_answer_that_is_none(body: Any, told: str | None) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        PROVIDER_CHATS[WireFormat.COHERE_CHAT].read_answer(json.dumps(body).encode())
    assert (caught.value.error.message if caught.value.error else None) == told
