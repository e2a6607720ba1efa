"""Answers and streams from and for Gemini, checked against Google's own types."""

import json
from pathlib import Path
from typing import Any

import pytest
from anthropic.types import Message
from google.genai import types
from openai.types.chat import ChatCompletion
from tests.wire.test_streams import CHAT, MESSAGES, chat_completion, message, read, recorded, written

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire import CHAT_FORMATS, ErrorKind, MalformedAnswer, WireError
from ownkey.wire.events import (
    Event,
    Finished,
    Pinged,
    ReasoningDelta,
    ReasoningRedacted,
    ReasoningSigned,
    RefusalDelta,
    Started,
    Stopped,
    StreamFailed,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from ownkey.wire.neutral import (
    GEMINI_REASONING,
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
from ownkey.wire.sse import SseParser

GEMINI = CHAT_FORMATS[WireFormat.GEMINI]


def response(parts: list[dict[str, Any]] | None, finish: str = "STOP", **more: Any) -> bytes:
    content = {"parts": parts, "role": "model"} if parts is not None else {"role": "model"}
    candidate = {"content": content, "finishReason": finish, "index": 0} | more
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 4, "totalTokenCount": 14}
    return json.dumps({"candidates": [candidate], "usageMetadata": usage, "responseId": "r"}).encode()


def told(answer: Answer) -> types.GenerateContentResponse:
    body = GEMINI.write_answer(answer, AnswerLabel("asked", 1, "id-1"))
    return types.GenerateContentResponse.model_validate_json(body)


def chunks(data: bytes) -> list[types.GenerateContentResponse]:
    """What Google's SDK makes of a stream: its lines must all be data."""
    assert all(line.startswith(b"data: ") or not line for line in data.split(b"\n"))
    return [types.GenerateContentResponse.model_validate_json(payload) for _, payload in SseParser().feed(data)]


def parts_of(read: list[types.GenerateContentResponse]) -> list[types.Part]:
    found = [each.candidates[0].content for each in read if each.candidates]
    return [part for content in found if content is not None for part in content.parts or []]


def test_every_recording_is_valid_for_googles_sdk(recording: Path) -> None:
    events = recorded(f"{recording.parent.name}/{recording.stem}")
    read = chunks(written(GEMINI, events))
    assert all((each.response_id, each.model_version) == ("id-1", "the-model") for each in read)
    assert [bool(each.candidates and each.candidates[0].finish_reason) for each in read] == [False] * (
        len(read) - 1
    ) + [True]
    assert read[-1].usage_metadata is not None
    usage = next(event.usage for event in reversed(events) if isinstance(event, UsageReported))
    assert read[-1].usage_metadata.total_token_count == usage.input_tokens + usage.output_tokens


def test_a_whole_answer_is_read_with_its_thoughts_and_calls() -> None:
    usage = {
        "promptTokenCount": 10,
        "toolUsePromptTokenCount": 2,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 7,
        "cachedContentTokenCount": 4,
        "totalTokenCount": 24,
    }
    body = json.loads(
        response(
            [
                {"text": "Hm.", "thought": True},
                {"text": "Look:", "thoughtSignature": "c2ln"},
                {"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "Y2FsbA=="},
                {"functionCall": {"name": "g", "id": "own"}},
                {"executableCode": {"code": "print()", "language": "PYTHON"}},
            ]
        )
    )
    answer = GEMINI.read_answer(json.dumps(body | {"usageMetadata": usage, "modelVersion": "v"}).encode())
    assert answer == Answer(
        id="r",
        model="v",
        parts=(
            Reasoning("Hm.", format=GEMINI_REASONING),
            Reasoning(redacted="c2ln", format=GEMINI_REASONING),
            Text("Look:"),
            ToolCall("call_r_3", "f", '{"x": 1}', None, "Y2FsbA=="),
            ToolCall("own", "g", "{}"),
        ),
        stop=Stop(StopReason.TOOL_USE),
        usage=Usage(12, 12, 4, 0, 7),
    )
    chat = json.loads(CHAT.write_answer(answer, AnswerLabel("m", 1, "i")))
    ChatCompletion.model_validate(chat, strict=True)
    calls = chat["choices"][0]["message"]["tool_calls"]
    assert [call.get("extra_content") for call in calls] == [{"google": {"thought_signature": "Y2FsbA=="}}, None]
    blocks = json.loads(MESSAGES.write_answer(answer, AnswerLabel("m", 1, "i")))["content"]
    Message.model_validate_json(MESSAGES.write_answer(answer, AnswerLabel("m", 1, "i")), strict=True)
    assert [(block["type"], block.get("data")) for block in blocks] == [
        ("thinking", None),
        ("redacted_thinking", "google-gemini-v1:c2ln"),
        ("text", None),
        ("redacted_thinking", "google-gemini-v1:Y2FsbA=="),
        ("tool_use", None),
        ("tool_use", None),
    ]


@pytest.mark.parametrize(
    ("finish", "stop"),
    [
        ("STOP", Stop(StopReason.END)),
        ("MAX_TOKENS", Stop(StopReason.MAX_TOKENS)),
        ("CONTINUATION", Stop(StopReason.PAUSE)),
        ("SAFETY", Stop(StopReason.REFUSAL, explanation="The answer was withheld: SAFETY.")),
        ("SOMETHING_NEW", Stop(StopReason.REFUSAL, explanation="The answer was withheld: SOMETHING_NEW.")),
    ],
)
def test_reasons_for_the_end(finish: str, stop: Stop) -> None:
    assert GEMINI.read_answer(response([{"text": "x"}], finish)).stop == stop
    assert GEMINI.read_answer(response(None, finish)).parts == ()


def test_a_blocked_prompt_is_a_refusal() -> None:
    answer = GEMINI.read_answer(b'{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"totalTokenCount":3}}')
    assert answer.stop == Stop(StopReason.REFUSAL, explanation="The prompt was blocked: SAFETY.")
    chat = json.loads(CHAT.write_answer(answer, AnswerLabel("m", 1, "i")))
    assert chat["choices"][0]["finish_reason"] == "content_filter"
    assert chat["choices"][0]["message"]["refusal"] == "The prompt was blocked: SAFETY."


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", None),
        (b"{}", None),
        (b"[]", None),
        (b'{"candidates":[]}', None),
        (b'{"candidates":null,"usageMetadata":{}}', None),
        (b'{"candidates":[{"content":{"parts":[{"functionCall":{}}]}}]}', None),
        (b'{"error":{"code":503,"message":"Busy","status":"UNAVAILABLE"}}', "Busy"),
        (response(None, "MALFORMED_FUNCTION_CALL", finishMessage="f("), "MALFORMED_FUNCTION_CALL): f("),
    ],
)
def test_what_is_no_answer_is_malformed(body: bytes, says: str | None) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        GEMINI.read_answer(body)
    assert (caught.value.error is None) == (says is None)
    assert says is None or says in caught.value.public


def test_an_answer_is_written_for_googles_sdk() -> None:
    parts: tuple[Part, ...] = (
        Reasoning("Hm.", "sig", format="anthropic-claude-v1"),
        Reasoning("free"),
        Text("Hello"),
        ToolCall("a", "f", '{"x": 1}'),
        ToolCall("b", "g", ""),
        ToolCall("c", "h", "no json"),
    )
    usage = Usage(10, 20, 4, 3, 8)
    answer = told(Answer(id="x", model="y", parts=parts, stop=Stop(StopReason.TOOL_USE), usage=usage))
    assert (answer.response_id, answer.model_version, answer.text) == ("id-1", "asked", "Hello")
    assert answer.candidates
    assert answer.candidates[0].finish_reason is types.FinishReason.STOP
    found = parts_of([answer])
    assert [(part.thought, bool(part.thought_signature)) for part in found[:3]] == [
        (True, True),
        (True, False),
        (None, False),
    ]
    calls = answer.function_calls or []
    assert [(call.id, call.name, call.args) for call in calls] == [
        ("a", "f", {"x": 1}),
        ("b", "g", {}),
        ("c", "h", {"INVALID_JSON": "no json"}),
    ]
    counted = answer.usage_metadata
    assert counted is not None
    assert (
        counted.prompt_token_count,
        counted.candidates_token_count,
        counted.thoughts_token_count,
        counted.cached_content_token_count,
        counted.total_token_count,
    ) == (10, 12, 8, 4, 30)


def test_refusals_are_withheld_answers_for_googles_sdk() -> None:
    spoken = told(Answer(id="", model="", parts=(Refusal("No."),), stop=Stop(), usage=None))
    filtered = told(Answer(id="", model="", parts=(), stop=Stop(StopReason.REFUSAL, explanation="Why"), usage=None))
    for answer in (spoken, filtered):
        assert answer.candidates
        assert answer.candidates[0].finish_reason is types.FinishReason.SAFETY
    assert spoken.text == "No."
    assert filtered.candidates
    assert filtered.candidates[0].finish_message == "Why"


def test_reading_a_stream_of_thoughts_and_calls() -> None:
    events = recorded("gemini/thoughts_and_calls")
    assert [event for event in events if not isinstance(event, UsageReported)] == [
        Started("rEsp0nse", "gemini-2.5-flash"),
        ReasoningDelta(0, "I should ", GEMINI_REASONING),
        ReasoningDelta(0, "look.", GEMINI_REASONING),
        ReasoningRedacted(1, "c2lnLXRleHQ=", GEMINI_REASONING),
        TextDelta(2, "Let me look."),
        ToolCallStarted(3, "call_rEsp0nse_3", "weather", "c2lnLWNhbGw="),
        ToolCallDelta(3, '{"city": "Köln", "days": 2.5}'),
        ToolCallStarted(4, "own-id", "time"),
        ToolCallDelta(4, "{}"),
        Stopped(Stop(StopReason.TOOL_USE)),
        Finished(),
    ]
    assert [event.usage for event in events if isinstance(event, UsageReported)] == [
        Usage(31, 12, reasoning_tokens=12),
        Usage(31, 20, reasoning_tokens=20),
        Usage(31, 24, reasoning_tokens=20),
        Usage(31, 50, reasoning_tokens=20),
    ]


def test_signatures_survive_the_streams_of_other_clients() -> None:
    events = recorded("gemini/thoughts_and_calls")
    chat: Any = chat_completion(written(CHAT, events)).choices[0].message
    assert chat.tool_calls[0].extra_content == {"google": {"thought_signature": "c2lnLWNhbGw="}}
    assert [block.type for block in message(written(MESSAGES, events)).content] == [
        "thinking",
        "redacted_thinking",
        "text",
        "redacted_thinking",
        "tool_use",
        "tool_use",
    ]
    signed = [
        Started("x", "m"),
        ReasoningDelta(0, "Hm", GEMINI_REASONING),
        ReasoningSigned(0, "c2ln", GEMINI_REASONING),
    ]
    block = message(written(MESSAGES, [*signed, Stopped(Stop()), Finished()])).content[0]
    assert block.type == "thinking"
    assert block.signature == "google-gemini-v1:c2ln"


def test_interleaved_calls_are_whole_parts_for_googles_sdk() -> None:
    events = recorded("openai_chat/interleaved_tools")
    found = parts_of(chunks(written(GEMINI, events)))
    calls = [part.function_call for part in found if part.function_call is not None]
    assert [call.name for call in calls] == ["weather", "time", "now"]
    assert all(call.id and call.args is not None for call in calls)
    late: list[Event] = [
        Started("x", "m"),
        ToolCallStarted(0, "a", "f"),
        ToolCallDelta(0, "{}"),
        TextDelta(1, "after"),
        ToolCallDelta(0, " "),
        RefusalDelta(2, "No."),
        Stopped(Stop()),
        Finished(),
    ]
    read = chunks(written(GEMINI, late))
    assert [part.text for part in parts_of(read)] == [None, "after", "No.", ""]
    assert read[-1].candidates
    assert read[-1].candidates[0].finish_reason is types.FinishReason.SAFETY


def test_pings_are_no_lines_that_googles_sdk_takes_for_an_error() -> None:
    data = written(GEMINI, [Started("x", "m"), Pinged(), TextDelta(0, "a"), Pinged(), Stopped(Stop()), Finished()])
    assert len(chunks(data)) == 2


def test_an_error_in_a_stream_is_googles() -> None:
    error = WireError(ErrorKind.OVERLOADED, "Too busy.", 529, "overloaded_error")
    data = written(GEMINI, [Started("x", "m"), TextDelta(0, "a"), StreamFailed(error)])
    assert json.loads(SseParser().feed(data)[-1][1])["error"] | {"details": []} == {
        "code": 529,
        "message": "Too busy.",
        "status": "UNAVAILABLE",
        "details": [],
    }
    failed = read(GEMINI, data)[-1]
    assert isinstance(failed, StreamFailed)
    assert failed.error.kind is ErrorKind.OVERLOADED


def test_calls_that_grow_without_end_are_cut() -> None:
    writer = GEMINI.writer(AnswerLabel("m", 1, "i"), True)
    writer.write(ToolCallStarted(0, "a", "f"))
    outs = [writer.write(ToolCallDelta(0, "x" * 1_000_000)) for _ in range(20)]
    assert b"too large" in b"".join(outs)
    assert writer.finish() == b""
