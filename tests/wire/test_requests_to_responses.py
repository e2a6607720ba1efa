"""Requests that become OpenAI responses requests, as the SDK's types know them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import TypeAdapter
from tests.wire.conftest import checked

from ownkey.domain.errors import UnsupportedField
from ownkey.domain.formats import WireFormat
from ownkey.wire import CHAT_FORMATS
from ownkey.wire.format import Draft
from ownkey.wire.neutral import OPENAI_REASONING
from ownkey.wire.translation import translate_request
from ownkey.wire.wishes import Wishes

RESPONSES = CHAT_FORMATS[WireFormat.OPENAI_RESPONSES]
ANTHROPIC, CHAT = WireFormat.ANTHROPIC_MESSAGES, WireFormat.OPENAI_CHAT
Translate = Callable[..., tuple[Any, Draft]]


@pytest.fixture(scope="session")
def sent() -> Translate:
    adapter: TypeAdapter[Any] = TypeAdapter(ResponseCreateParamsNonStreaming)

    def translate(source: WireFormat, body: dict[str, Any], quirks: tuple[str, ...] = ()) -> tuple[Any, Draft]:
        written = CHAT_FORMATS[source].read_request(body)
        told = RESPONSES.write_request(written, "gpt", False, quirks)
        return checked(adapter, told.encoded()), told

    return translate


def chat(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"messages": list(messages) or [{"role": "user", "content": "hi"}], **more}


def claude(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"max_tokens": 1000, "messages": list(messages) or [{"role": "user", "content": "hi"}], **more}


def test_a_chat_conversation_with_tools(sent: Translate) -> None:
    function = {"name": "f", "description": "d", "parameters": {"type": "object"}}
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    body, written = sent(
        CHAT,
        chat(
            {"role": "system", "content": "A."},
            {"role": "developer", "content": "B."},
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "Let me see.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "42"},
            {"role": "user", "content": [{"type": "text", "text": "and?"}, {"type": "text", "text": "so?"}]},
            tools=[{"type": "function", "function": function}],
            tool_choice={"type": "function", "function": {"name": "f"}},
            parallel_tool_calls=False,
            max_completion_tokens=100,
            temperature=0.5,
            top_p=0.5,
            reasoning_effort="low",
            user="u",
        ),
    )
    assert body == {
        "model": "gpt",
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "instructions": "A.\n\nB.",
        "input": [
            {"type": "message", "role": "user", "content": "hi"},
            {"type": "message", "role": "assistant", "content": "Let me see."},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'},
            {"type": "function_call_output", "call_id": "c1", "output": "42"},
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "and?"}, {"type": "input_text", "text": "so?"}],
            },
        ],
        "tools": [
            {
                "type": "function",
                "name": "f",
                "description": "d",
                "parameters": {"type": "object"},
                "strict": False,
            }
        ],
        "tool_choice": {"type": "function", "name": "f"},
        "parallel_tool_calls": False,
        "max_output_tokens": 100,
        "temperature": 0.5,
        "top_p": 0.5,
        "reasoning": {"effort": "low"},
        "safety_identifier": "u",
    }
    assert written.dropped == ()


def test_images_files_and_schemas(sent: Translate) -> None:
    parts = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBOR", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBER", "filename": "a.pdf"}},
    ]
    schema = {"name": "n", "schema": {"type": "object"}, "strict": True}
    body, _ = sent(
        CHAT,
        chat({"role": "user", "content": parts}, response_format={"type": "json_schema", "json_schema": schema}),
    )
    assert body["input"][0]["content"] == [
        {"type": "input_image", "image_url": "data:image/png;base64,iVBOR", "detail": "low"},
        {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBER"},
    ]
    assert body["text"] == {"format": {"type": "json_schema"} | schema}
    plain, _ = sent(CHAT, chat(response_format={"type": "json_object"}))
    assert plain["text"] == {"format": {"type": "json_object"}}


def test_perplexitys_dialect(sent: Translate) -> None:
    schema = {"name": "n", "schema": {"type": "object"}}
    asked = chat(response_format={"type": "json_schema", "json_schema": schema}, user="u")
    written = RESPONSES.write_request(CHAT_FORMATS[CHAT].read_request(asked), "m", True, ("agent_api",))
    assert json.loads(written.encoded()) == {
        "model": "m",
        "store": False,
        "input": [{"type": "message", "role": "user", "content": "hi"}],
        "stream": True,
        "response_format": {"type": "json_schema", "json_schema": schema},
    }
    assert written.dropped == ("user",)


def test_a_claude_conversation(sent: Translate) -> None:
    body, written = sent(
        ANTHROPIC,
        claude(
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm", "signature": "s"},
                    {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": [], "is_error": True},
                    {"type": "text", "text": "and?", "cache_control": {"type": "ephemeral"}},
                    {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
                ],
            },
            {"role": "assistant", "content": "I"},
            system="Be brief.",
            thinking={"type": "enabled", "budget_tokens": 1024},
            metadata={"user_id": "x" * 65},
            tools=[{"name": "f", "input_schema": {"type": "object"}}],
            tool_choice={"type": "any"},
        ),
    )
    assert body["input"] == [
        {"type": "message", "role": "user", "content": "hi"},
        {"type": "function_call", "call_id": "t1", "name": "f", "arguments": '{"a":1}'},
        {"type": "function_call_output", "call_id": "t1", "output": "The tool reported an error."},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "and?"},
                {"type": "input_file", "file_url": "https://example.com/a.pdf"},
            ],
        },
        {"type": "message", "role": "assistant", "content": "I"},
    ]
    assert body["tool_choice"] == "required"
    assert body["reasoning"] == {"effort": "high"}
    assert set(written.dropped) == {
        "reasoning_content",
        "cache_control",
        "is_error",
        "messages.prefill",
        "metadata.user_id",
    }


def test_reasoning_goes_back_to_openai_alone(sent: Translate) -> None:
    details = [
        {"type": "reasoning.encrypted", "data": "gAAA", "format": OPENAI_REASONING, "index": 0},
        {"type": "reasoning.text", "text": "Hm", "signature": "s", "format": "anthropic-claude-v1", "index": 1},
    ]
    answered = {"role": "assistant", "content": "yes", "reasoning_details": details}
    asked = chat({"role": "user", "content": "hi"}, answered, {"role": "user", "content": "and?"})
    conversation = CHAT_FORMATS[CHAT].read_request(asked)
    written = RESPONSES.write_request(conversation, "gpt", False)
    assert json.loads(written.encoded())["input"][1:3] == [
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
        {"type": "message", "role": "assistant", "content": "yes"},
    ]
    assert written.dropped == ("reasoning_content",)


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"stop": ["a"]}, "stop"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"frequency_penalty": 1}, "frequency_penalty"),
        ({"presence_penalty": 1}, "presence_penalty"),
        ({"logit_bias": {"1": 1}}, "logit_bias"),
        ({"modalities": ["text", "audio"]}, "modalities"),
    ],
)
def test_what_responses_cannot_say_is_refused_by_name(sent: Translate, more: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedField) as caught:
        sent(CHAT, chat(**more))
    assert caught.value.param == param


def test_values_that_change_nothing_are_not_refused(sent: Translate) -> None:
    _, written = sent(CHAT, chat(n=1, logprobs=False, frequency_penalty=0, seed=4, stop=None))
    assert written.dropped == ("seed",)


def test_a_preference_for_short_answers_fills_what_the_client_left_open() -> None:
    asked = {"model": "m", "input": "hi"}
    target = WireFormat.ANTHROPIC_MESSAGES
    wishes = Wishes(temperature=1.5, max_tokens=77)
    source = WireFormat.OPENAI_RESPONSES
    written = translate_request(source, target, asked, model="c", stream=False, wishes=wishes, quirks=())
    body = json.loads(written.body)
    assert (body["temperature"], body["max_tokens"]) == (1.0, 77)
