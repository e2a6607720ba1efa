"""Whole answers become responses of the SDK's type, and a provider's responses become answers."""

import json
from typing import Any

import pytest
from openai.types.responses import Response
from tests.wire.test_responses_streams import outline, unknown_fields

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire import CHAT_FORMATS, ErrorKind, MalformedAnswer
from ownkey.wire.neutral import (
    ANTHROPIC_REASONING,
    OPENAI_REASONING,
    Answer,
    AnswerLabel,
    Reasoning,
    Refusal,
    Stop,
    StopReason,
    Text,
    ToolCall,
)
from ownkey.wire.translation import translate_answer

RESPONSES = CHAT_FORMATS[WireFormat.OPENAI_RESPONSES]
NAMED = AnswerLabel("the-model", 1764, "req_77", {"instructions": "Be brief.", "previous_response_id": "resp_1"})


def written(*parts: Any, stop: Stop | None = None, usage: Usage | None = None) -> Response:
    answer = Answer(id="x", model="m", parts=parts, stop=stop or Stop(), usage=usage)
    body = RESPONSES.write_answer(answer, AnswerLabel("the-model", 1764, "req_77"))
    response = Response.model_validate_json(body, strict=True)
    assert unknown_fields(response) == set()
    return response


def body(*output: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"id": "r", "model": "m", "status": "completed", "output": list(output)} | more).encode()


def read(*output: dict[str, Any], **more: Any) -> Answer:
    return RESPONSES.read_answer(body(*output, **more))


def message(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": list(content)}


def test_parts_become_items() -> None:
    response = written(
        Reasoning("Hm", "sig", format=ANTHROPIC_REASONING),
        Text("a"),
        Text("b"),
        ToolCall("c1", "f", ""),
        Refusal("no"),
        usage=Usage(3, 4, 1, 1, 2),
    )
    assert outline(response) == [
        ("reasoning", "Hm", True),
        ("output_text", "a"),
        ("output_text", "b"),
        ("c1", "f", "{}"),
        ("refusal", "no"),
    ]
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "message"]
    assert len({item.id for item in response.output}) == 4
    assert response.usage is not None
    assert response.usage.to_dict() == {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 1},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 7,
    }


def test_an_answer_written_and_read_again_is_the_same() -> None:
    parts = (
        Reasoning("Hm", "sig", format=ANTHROPIC_REASONING),
        Reasoning(redacted="data", format=ANTHROPIC_REASONING),
        Reasoning("Summed up", redacted="gAAA", format=OPENAI_REASONING),
        Text("a"),
        ToolCall("c1", "f", '{"x":1}'),
    )
    answer = Answer(id="x", model="m", parts=parts, stop=Stop(StopReason.TOOL_USE), usage=Usage(3, 4, 1, 1, 2))
    again = RESPONSES.read_answer(RESPONSES.write_answer(answer, AnswerLabel("m", 1, "req_77")))
    assert (again.parts, again.stop, again.usage) == (parts, answer.stop, answer.usage)


@pytest.mark.parametrize(
    ("stop", "status", "reason"),
    [
        (Stop(StopReason.END), "completed", None),
        (Stop(StopReason.MAX_TOKENS), "incomplete", "max_output_tokens"),
        (Stop(StopReason.REFUSAL), "incomplete", "content_filter"),
        (Stop(StopReason.REFUSAL, explanation="No."), "completed", None),
    ],
)
def test_why_the_answer_ended(stop: Stop, status: str, reason: str | None) -> None:
    response = written(Text("a"), stop=stop)
    assert response.status == status
    assert (response.incomplete_details.reason if response.incomplete_details else None) == reason
    assert (("refusal", "No.") in outline(response)) == (stop.explanation is not None)
    assert response.usage is None


def test_claudes_answer_for_a_client_of_responses() -> None:
    claude = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "c",
        "content": [
            {"type": "thinking", "thinking": "Hm", "signature": "sig"},
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 3, "output_tokens": 4},
    }
    source = WireFormat.ANTHROPIC_MESSAGES
    told, usage = translate_answer(source, WireFormat.OPENAI_RESPONSES, json.dumps(claude).encode(), NAMED)
    response = Response.model_validate_json(told, strict=True)
    assert outline(response) == [("reasoning", "Hm", True), ("output_text", "I look."), ("t1", "f", '{"a": 1}')]
    assert (response.id, response.model, response.created_at) == ("resp_77", "c", 1764)
    assert (response.instructions, response.previous_response_id) == ("Be brief.", "resp_1")
    assert usage == Usage(3, 4)


def test_a_response_for_clients_of_chat_and_messages() -> None:
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": "gA"}
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'}
    text = {"type": "output_text", "text": "Yes.", "annotations": [{"type": "url_citation"}]}
    search = {"type": "search_results", "content": "of another form", "results": []}
    told = body(search, thought, message(text), call, usage={"input_tokens": 3, "output_tokens": 4})
    chat, _ = translate_answer(WireFormat.OPENAI_RESPONSES, WireFormat.OPENAI_CHAT, told, NAMED)
    choice = json.loads(chat)["choices"][0]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", "Yes.")
    assert choice["message"]["reasoning_content"] == "Hm"
    assert choice["message"]["reasoning_details"][0]["data"] == "gA"
    claude, usage = translate_answer(WireFormat.OPENAI_RESPONSES, WireFormat.ANTHROPIC_MESSAGES, told, NAMED)
    assert [block["type"] for block in json.loads(claude)["content"]] == ["thinking", "text", "tool_use"]
    assert usage == Usage(3, 4)


def test_reading_ends_and_parts() -> None:
    refused = read(message({"type": "refusal", "refusal": "No."}))
    assert (refused.parts, refused.stop.reason, refused.usage) == ((Refusal("No."),), StopReason.END, None)
    cut = read(status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    assert cut.stop.reason is StopReason.MAX_TOKENS
    filtered = read(status="incomplete", incomplete_details={"reason": "content_filter"})
    assert filtered.stop.reason is StopReason.REFUSAL
    raw = read({"type": "reasoning", "content": [{"text": "a"}, {"text": "b"}]}, {"type": "reasoning", "summary": []})
    assert raw.parts == (Reasoning("a\n\nb"),)


@pytest.mark.parametrize(
    ("data", "message_", "kind"),
    [
        (body(error={"code": "rate_limit_exceeded", "message": "No."}), "No.", ErrorKind.RATE_LIMIT),
        (b'{"error":{"message":"No.","code":402}}', "No.", ErrorKind.BILLING),
        (b'{"id":"r"}', None, None),
        (b"[]", None, None),
        (b"{", None, None),
        (b"\xff", None, None),
        (body({"type": "function_call", "name": "f"}), None, None),
        (body({"type": "function_call", "call_id": "c"}), None, None),
        (body({"type": "message", "content": 7}), None, None),
        (b'{"output":[7]}', None, None),
        (body(usage={"input_tokens": -1}), None, None),
    ],
)
def test_malformed_answers(data: bytes, message_: str | None, kind: ErrorKind | None) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        RESPONSES.read_answer(data)
    assert (caught.value.error.message if caught.value.error else None) == message_
    assert (caught.value.error.kind if caught.value.error else None) == kind


def test_usage_alone_can_be_read() -> None:
    assert RESPONSES.usage_of(body(usage={"input_tokens": 3, "total_tokens": 9})) == Usage(3, 6)
    assert RESPONSES.usage_of(body(usage={})) is None
    assert RESPONSES.usage_of(body()) is None
    assert RESPONSES.usage_of(b"{") is None
