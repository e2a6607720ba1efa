"""Responses requests that become requests in other formats, and themselves again."""

import json
from pathlib import Path
from typing import Any

import pytest

from ownkey.domain.errors import InvalidRequest, UnsupportedField
from ownkey.domain.formats import WireFormat
from ownkey.wire import CHAT_FORMATS, Written
from ownkey.wire.neutral import ANTHROPIC_REASONING
from ownkey.wire.openai_responses import items, reasoning
from ownkey.wire.translation import translate_request
from ownkey.wire.wishes import Wishes

RESPONSES = CHAT_FORMATS[WireFormat.OPENAI_RESPONSES]
REQUEST: dict[str, Any] = json.loads(
    (Path(__file__).parent / "recordings" / "openai_responses" / "request.json").read_text()
)


def translated(target: WireFormat, body: dict[str, Any], quirks: tuple[str, ...] = ()) -> tuple[Any, Written]:
    source = WireFormat.OPENAI_RESPONSES
    asked = {"model": "x"} | body
    wishes = Wishes()
    written = translate_request(source, target, asked, model="m", stream=False, wishes=wishes, quirks=quirks)
    return json.loads(written.body), written


def to_chat(**body: Any) -> tuple[Any, Written]:
    return translated(WireFormat.OPENAI_CHAT, {"input": "hi"} | body)


def to_claude(**body: Any) -> tuple[Any, Written]:
    return translated(WireFormat.ANTHROPIC_MESSAGES, {"input": "hi"} | body)


def test_responses_keep_their_meaning() -> None:
    written = RESPONSES.write_request(RESPONSES.read_request(REQUEST), "m", False)
    assert json.loads(written.encoded()) == REQUEST | {"store": False}
    assert written.dropped == ()


def test_a_conversation_for_chat() -> None:
    without = [part for part in REQUEST["input"][0]["content"] if "file_url" not in part]
    asked = REQUEST | {"input": [REQUEST["input"][0] | {"content": without}, *REQUEST["input"][1:]]}
    body, written = translated(WireFormat.OPENAI_CHAT, asked)
    assert [message["role"] for message in body["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
        "tool",
        "user",
        "assistant",
        "system",
        "user",
    ]
    assert [call["id"] for call in body["messages"][2]["tool_calls"]] == ["call_1", "call_2"]
    assert body["messages"][1]["content"][1]["image_url"]["detail"] == "low"
    assert body["max_tokens"] == 500
    assert body["response_format"]["json_schema"] == {"name": "n", "schema": {"type": "object"}, "strict": True}
    assert body["reasoning_effort"] == "low"
    assert body["user"] == "person-1"
    assert body["tool_choice"] == "auto"
    assert sorted(written.adaptations) == [
        "input.reasoning",
        "reasoning.mode",
        "service_tier",
        "text.verbosity",
        "tool_choice.allowed_tools",
        "truncation",
    ]


def test_a_conversation_for_claude_with_its_own_thinking() -> None:
    wrapped = reasoning.wrap("sig", None, ANTHROPIC_REASONING)
    redacted = reasoning.wrap(None, "data", ANTHROPIC_REASONING)
    thought: dict[str, Any] = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]}
    given = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "hi"},
        thought | {"encrypted_content": wrapped},
        {"type": "reasoning", "summary": [], "encrypted_content": redacted},
        {"type": "function_call", "call_id": "t1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "t1", "output": "42"},
    ]
    body, written = to_claude(input=given, instructions="Be kind.", reasoning={"effort": "low", "summary": "auto"})
    assert [block["text"] for block in body["system"]] == ["Be kind.", "Be brief."]
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm", "signature": "sig"},
                {"type": "redacted_thinking", "data": "data"},
                {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "42"}]}],
        },
    ]
    assert written.adaptations == ()
    spoilt, _ = to_claude(input=[given[1], thought | {"encrypted_content": "ownkey.v1.%%%"}, given[1]])
    assert [message["role"] for message in spoilt["messages"]] == ["user"]


def test_a_reference_to_earlier_reasoning_is_left_out_and_named() -> None:
    items = [{"role": "user", "content": "x"}, {"type": "item_reference", "id": "rs_1"}]
    for translate in (to_chat, to_claude):
        body, written = translate(input=items)
        assert len(body["messages"]) == 1
        assert written.adaptations == ("input.item_reference",)


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"moderation": {"model": "x"}}, "moderation"),
        ({"top_logprobs": 1}, "top_logprobs"),
        ({"include": ["message.output_text.logprobs"]}, "include"),
        ({"tools": [{"type": "web_search"}], "tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "file_search"}}, "tool_choice.type"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "input[0].content[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]}, "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}, "input[0].content[0]"),
    ],
)
def test_what_no_other_format_can_say_is_refused_by_name(more: dict[str, Any], param: str) -> None:
    for translate in (to_chat, to_claude):
        with pytest.raises(UnsupportedField) as caught:
            translate(**more)
        assert caught.value.param == param
        assert param in caught.value.public


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"input": []}, "input"),
        ({"input": 7}, "input"),
        ({"input": [7]}, "input[0]"),
        ({"input": [{"role": "nobody", "content": "x"}]}, "input[0].role"),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input[0].call_id"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "ftp://x"}]}]}, None),
        ({"input": [{"role": "system", "content": [{"type": "input_image", "image_url": "https://x"}]}]}, None),
        ({"temperature": 3}, "temperature"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"metadata": {"a": 1}}, "metadata[...]"),
    ],
)
def test_mistakes_are_refused_by_name(more: dict[str, Any], param: str | None) -> None:
    with pytest.raises(InvalidRequest) as caught:
        to_chat(**more)
    assert param is None or caught.value.param == param


def test_fields_are_named_in_the_clients_words() -> None:
    with pytest.raises(UnsupportedField) as caught:
        to_claude(temperature=1.5)
    assert caught.value.param == "temperature"
    assert to_claude(text={"format": {"type": "json_object"}})[1].adaptations == ("text.format",)
    with pytest.raises(UnsupportedField) as caught:
        to_chat(input=[{"role": "user", "content": [{"type": "input_file", "file_url": "https://x"}]}])
    assert caught.value.param == "input"


def test_what_the_gateway_sees_to_itself_is_neither_refused_nor_dropped() -> None:
    options = {"include_obfuscation": False}
    body, written = to_chat(
        store=True, metadata={"a": "b"}, stream_options=options, background=False, truncation="disabled", tools=[]
    )
    assert sorted(body) == ["messages", "model"]
    assert written.adaptations == ()


def test_items_are_listed_with_ids_that_stay() -> None:
    given = [
        {"role": "user", "content": "a"},
        {"type": "message", "id": "msg_own", "role": "assistant", "content": "b", "phase": "final_answer"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "reasoning", "summary": []},
        {"type": "new_kind", "x": 1},
    ]
    shown = items.listed(items.items_of(given), "resp_1")
    assert [item["id"] for item in shown] == ["msg_1i0", "msg_own", "fc_1i2", "rs_1i3", "item_1i4"]
    assert shown[0]["content"] == [{"type": "input_text", "text": "a"}]
    assert shown[1]["content"] == [{"type": "output_text", "text": "b", "annotations": []}]
    assert shown[1]["phase"] == "final_answer"
    assert "status" not in shown[3]
    assert items.items_of("hi") == [{"type": "message", "role": "user", "content": "hi"}]
    assert items.items_of(7) == []


def test_outline_defaults_and_the_stateless_quirk() -> None:
    outline = RESPONSES.outline({"model": "m", "input": "hi", "stream": True, "max_output_tokens": 9})
    assert (outline.model, outline.stream, outline.max_tokens) == ("m", True, 9)
    for wrong in ({"input": "x"}, {"model": "m", "store": 1}, {"model": "m", "previous_response_id": 7}):
        with pytest.raises(InvalidRequest):
            RESPONSES.outline(wrong)
    assert RESPONSES.defaults({}, 0.5, 9) == {"temperature": 0.5, "max_output_tokens": 9}
    assert RESPONSES.defaults({"temperature": 0, "max_output_tokens": 1}, 0.5, 9) == {}
    assert RESPONSES.ask_usage({"stream": True}) == {}
    assert RESPONSES.adapt is not None
    assert RESPONSES.adapt({}, ("stateless_responses",)) == {"store": False}
    assert RESPONSES.adapt({"store": False}, ("stateless_responses",)) == {}
    assert RESPONSES.adapt({"store": True}, ()) == {}
