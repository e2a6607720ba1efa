"""Whole answers in one format become answers in another that the vendors' SDKs accept."""

import json
from typing import Any

import pytest
from anthropic.types import Message
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire import CHAT_FORMATS, ChatFormat, ErrorKind, MalformedAnswer
from ownkey.wire.neutral import (
    ANTHROPIC_REASONING,
    Answer,
    AnswerLabel,
    Part,
    Reasoning,
    Refusal,
    Stop,
    StopReason,
    Text,
    ToolCall,
)

CHAT = CHAT_FORMATS[WireFormat.OPENAI_CHAT]
MESSAGES = CHAT_FORMATS[WireFormat.ANTHROPIC_MESSAGES]


def completion(message: dict[str, Any], finish: str | None = "stop", usage: Any = None) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return json.dumps({"id": "chatcmpl-1", "model": "m", "choices": [choice], "usage": usage}).encode()


def message(content: list[dict[str, Any]], stop: str = "end_turn", **more: Any) -> bytes:
    usage = {"input_tokens": 10, "output_tokens": 20}
    return json.dumps(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "c",
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": usage,
            **more,
        }
    ).encode()


def to_chat(answer: Answer) -> Any:
    body = CHAT.write_answer(answer, AnswerLabel("asked", 1764, "id-1"))
    return ChatCompletion.model_validate_json(body, strict=True)


def to_message(answer: Answer) -> Message:
    body = MESSAGES.write_answer(answer, AnswerLabel("asked", 1764, "id-1"))
    return Message.model_validate_json(body, strict=True)


def test_a_message_becomes_a_completion() -> None:
    answer = MESSAGES.read_answer(
        message(
            [
                {"type": "thinking", "thinking": "Hm.", "signature": "sig=="},
                {"type": "redacted_thinking", "data": "xyz"},
                {"type": "text", "text": "One ", "citations": None},
                {"type": "text", "text": "two."},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": [1, 2.5]}},
                {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
            ],
            "tool_use",
            usage={
                "input_tokens": 10,
                "cache_read_input_tokens": 5,
                "cache_creation_input_tokens": 3,
                "output_tokens": 20,
                "output_tokens_details": {"thinking_tokens": 8},
            },
        )
    )
    assert answer.usage == Usage(18, 20, 5, 3, 8)
    told = to_chat(answer)
    assert (told.id, told.created, told.model, told.object) == ("id-1", 1764, "asked", "chat.completion")
    said = told.choices[0].message
    assert said.content == "One two."
    assert said.refusal is None
    assert said.reasoning_content == "Hm."
    assert [detail["type"] for detail in said.reasoning_details] == ["reasoning.text", "reasoning.encrypted"]
    assert said.reasoning_details[0]["signature"] == "sig=="
    assert said.tool_calls[0].function.arguments == '{"a": [1, 2.5]}'
    assert told.choices[0].finish_reason == "tool_calls"
    assert told.usage.to_dict() == {
        "prompt_tokens": 18,
        "completion_tokens": 20,
        "total_tokens": 38,
        "prompt_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 8},
    }


def test_a_completion_becomes_a_message() -> None:
    usage = {
        "prompt_tokens": 18,
        "completion_tokens": 20,
        "total_tokens": 38,
        "prompt_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 8},
    }
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1.0}'}}
    told = to_message(
        CHAT.read_answer(completion({"content": "Hi", "reasoning_content": "Hm.", "tool_calls": [call]}, usage=usage))
    )
    assert [block.to_dict() for block in told.content] == [
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        {"type": "text", "text": "Hi"},
        {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1.0}},
    ]
    assert told.stop_reason == "tool_use"
    assert told.usage.to_dict() == {
        "input_tokens": 10,
        "cache_creation_input_tokens": 3,
        "cache_read_input_tokens": 5,
        "output_tokens": 20,
        "output_tokens_details": {"thinking_tokens": 8},
    }


@pytest.mark.parametrize("arguments", ["", " ", "{}"])
def test_a_call_without_arguments(arguments: str) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    answer = CHAT.read_answer(completion({"content": None, "tool_calls": [call]}))
    block: Any = to_message(answer).content[0]
    assert block.input == {}


@pytest.mark.parametrize("arguments", ['{"a":', "[1]", "null", "x"])
def test_arguments_that_are_no_object_stay_readable(arguments: str) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    block: Any = to_message(CHAT.read_answer(completion({"content": None, "tool_calls": [call]}))).content[0]
    assert block.input == {"INVALID_JSON": arguments}


@pytest.mark.parametrize(
    ("stop", "finish", "back"),
    [
        ("end_turn", "stop", "end_turn"),
        ("max_tokens", "length", "max_tokens"),
        ("stop_sequence", "stop", "end_turn"),
        ("tool_use", "tool_calls", "tool_use"),
        ("pause_turn", "stop", "end_turn"),
        ("refusal", "content_filter", "refusal"),
        ("model_context_window_exceeded", "length", "max_tokens"),
        ("a_future_reason", "stop", "end_turn"),
    ],
)
def test_stop_reasons(stop: str, finish: str, back: str) -> None:
    told = to_chat(MESSAGES.read_answer(message([{"type": "text", "text": "x"}], stop)))
    assert told.choices[0].finish_reason == finish
    again = CHAT.read_answer(told.model_dump_json().encode())
    assert to_message(again).stop_reason == back


def test_the_stop_sequence_is_told_where_it_can_be() -> None:
    answer = MESSAGES.read_answer(message([], "stop_sequence", stop_sequence="\n\nH:"))
    assert answer.stop == Stop(StopReason.STOP_SEQUENCE, "\n\nH:")
    assert to_message(answer).stop_sequence == "\n\nH:"


def test_refusals() -> None:
    refused = CHAT.read_answer(completion({"content": None, "refusal": "I won't."}))
    assert refused.parts == (Refusal("I won't."),)
    told = to_message(refused)
    assert told.stop_reason == "refusal"
    assert [block.to_dict() for block in told.content] == [{"type": "text", "text": "I won't."}]
    assert to_chat(refused).choices[0].message.refusal == "I won't."
    explained = message([], "refusal", stop_details={"type": "refusal", "category": None, "explanation": "Why."})
    assert to_chat(MESSAGES.read_answer(explained)).choices[0].message.refusal == "Why."
    filtered = CHAT.read_answer(completion({"content": ""}, "content_filter"))
    assert to_message(filtered).stop_reason == "refusal"


def test_reasoning_of_other_vendors_gets_no_signature() -> None:
    details = [
        {"type": "reasoning.summary", "summary": "S", "format": "openai-responses-v1", "index": 0},
        {"type": "reasoning.encrypted", "data": "gA==", "format": "openai-responses-v1", "index": 1},
    ]
    answer = CHAT.read_answer(completion({"content": "x", "reasoning": "S", "reasoning_details": details}))
    assert [block.to_dict() for block in to_message(answer).content] == [
        {"type": "thinking", "thinking": "S", "signature": ""},
        {"type": "text", "text": "x"},
    ]


def test_content_in_pieces() -> None:
    pieces = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
        {"type": "text", "text": "x"},
        {"type": "reference", "reference_ids": [1]},
    ]
    assert CHAT.read_answer(completion({"content": pieces})).parts == (Reasoning("Hm"), Text("x"))


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        ({}, None),
        ({"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}, Usage(5, 7)),
        ({"prompt_tokens": 5.0, "completion_tokens": 7.0}, Usage(5, 7)),
        # xAI and Gemini count reasoning in the total alone
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 7,
                "total_tokens": 112,
                "completion_tokens_details": {"reasoning_tokens": 100},
            },
            Usage(5, 107, reasoning_tokens=100),
        ),
        ({"prompt_tokens": 5, "total_tokens": 5}, Usage(5, 0)),
        ({"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 4}, Usage(9, 1, 4)),
        ({"prompt_tokens": 9, "completion_tokens": 1, "cached_tokens": 4}, Usage(9, 1, 4)),
        ({"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": None}, Usage(9, 1)),
        # parts never exceed their whole
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 1,
                "prompt_tokens_details": {"cached_tokens": 99},
                "completion_tokens_details": {"reasoning_tokens": 99},
            },
            Usage(9, 1, 9, 0, 1),
        ),
    ],
)
def test_usage_of_openai_and_its_dialects(usage: Any, expected: Usage | None) -> None:
    body = completion({"content": "x"}, usage=usage)
    assert CHAT.read_answer(body).usage == expected
    assert CHAT.usage_of(body) == expected


@pytest.mark.parametrize("format_", [CHAT, MESSAGES])
@pytest.mark.parametrize("body", [b"", b"x", b"[]", b'{"usage":[]}', b'{"usage":{"prompt_tokens":-1}}', b"[" * 100_000])
def test_unreadable_usage_is_none(format_: ChatFormat, body: bytes) -> None:
    assert format_.usage_of(body) is None


CALL = {"id": "c", "function": {"name": "f", "arguments": {}}}


@pytest.mark.parametrize(
    ("format_", "body"),
    [
        (CHAT, b""),
        (CHAT, b"<html>"),
        (CHAT, b"null"),
        (CHAT, b"{}"),
        (CHAT, b'{"choices":[]}'),
        (CHAT, b'{"choices":[{}]}'),
        (CHAT, b'{"choices":{"0":1}}'),
        (CHAT, b"[" * 100_000),
        (CHAT, completion({"content": 7})),
        (CHAT, completion({"content": "\xff"}).replace(b"\\u00ff", b"\xff")),
        (CHAT, completion({"content": "x", "tool_calls": [CALL]})),
        (CHAT, completion({"content": "x"}, usage={"prompt_tokens": -1})),
        (CHAT, completion({"content": "x"}, usage={"prompt_tokens": 10**30})),
        (CHAT, completion({"content": "x"}, usage="many")),
        (MESSAGES, b"{}"),
        (MESSAGES, b'{"content":"x"}'),
        (MESSAGES, message([{"type": "text", "text": 7}])),
        (MESSAGES, message([{"text": "x"}])),
        (MESSAGES, message([{"type": "tool_use", "name": "f", "input": {}}])),
        (MESSAGES, message([], usage={"input_tokens": -1})),
    ],
    ids=range(20),
)
def test_malformed_answers(format_: ChatFormat, body: bytes) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        format_.read_answer(body)
    assert caught.value.error is None
    assert caught.value.operator
    assert caught.value.status == 502


@pytest.mark.parametrize("format_", [CHAT, MESSAGES])
def test_an_error_with_status_200(format_: ChatFormat) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        format_.read_answer(b'{"type":"error","error":{"type":"rate_limit_error","message":"Slow down."}}')
    assert caught.value.error is not None
    assert (caught.value.error.kind, caught.value.public) == (ErrorKind.RATE_LIMIT, "Slow down.")


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1)
COUNT = st.integers(0, 10**9)


@st.composite
def answers(draw: st.DrawFn, signed: bool) -> Answer:
    parts: list[Part] = []
    for _ in range(draw(st.integers(0, 2))):
        signature = draw(TEXTS) if signed else None
        parts.append(Reasoning(draw(TEXTS), signature, format=ANTHROPIC_REASONING if signed else None))
    if draw(st.booleans()):
        parts.append(Text(draw(TEXTS)))
    for _ in range(draw(st.integers(0, 2))):
        arguments = json.dumps(draw(st.dictionaries(TEXTS, COUNT, max_size=2)))
        parts.append(ToolCall(draw(TEXTS), draw(TEXTS), arguments))
    calls = any(isinstance(part, ToolCall) for part in parts)
    reasons = [StopReason.MAX_TOKENS, StopReason.REFUSAL, StopReason.TOOL_USE if calls else StopReason.END]
    plain, cached, written, output = draw(COUNT), draw(COUNT), draw(COUNT), draw(COUNT)
    usage = Usage(plain + cached + written, output, cached, written, draw(st.integers(0, output)))
    return Answer(id="i", model="m", parts=tuple(parts), stop=Stop(draw(st.sampled_from(reasons))), usage=usage)


@given(answers(signed=True))
def test_messages_round_trip(answer: Answer) -> None:
    assert MESSAGES.read_answer(MESSAGES.write_answer(answer, AnswerLabel("m", 1, "i"))) == answer
    to_message(answer)


@given(answers(signed=True) | answers(signed=False))
def test_completions_round_trip(answer: Answer) -> None:
    assert CHAT.read_answer(CHAT.write_answer(answer, AnswerLabel("m", 1, "i"))) == answer
    to_chat(answer)
