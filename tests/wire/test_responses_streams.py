"""Streams become responses events that OpenAI's SDK knows, in which every part that begins also ends."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire import CHAT_FORMATS, ErrorKind, WireError
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
from ownkey.wire.neutral import ANTHROPIC_REASONING, OPENAI_REASONING, AnswerLabel, Stop, StopReason
from ownkey.wire.sse import SseParser
from ownkey.wire.translation import new_writer

RESPONSES = CHAT_FORMATS[WireFormat.OPENAI_RESPONSES]
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
PAIRS = {
    "response.output_item.added": "response.output_item.done",
    "response.content_part.added": "response.content_part.done",
    "response.reasoning_summary_part.added": "response.reasoning_summary_part.done",
}
DONE = {
    "response.output_text.delta": ("response.output_text.done", "text"),
    "response.refusal.delta": ("response.refusal.done", "refusal"),
    "response.reasoning_summary_text.delta": ("response.reasoning_summary_text.done", "text"),
    "response.function_call_arguments.delta": ("response.function_call_arguments.done", "arguments"),
}


def recorded(path: Path) -> list[Event]:
    reader = CHAT_FORMATS[WireFormat(path.parent.name)].reader()
    return reader.feed(path.read_bytes()) + reader.finish()


def read(*data: bytes) -> list[Event]:
    reader = RESPONSES.reader()
    return [event for piece in data for event in reader.feed(piece)] + reader.finish()


def written(events: Sequence[Event], asked: dict[str, Any] | None = None) -> bytes:
    writer = new_writer(WireFormat.OPENAI_RESPONSES, AnswerLabel("the-model", 1764, "req_77", asked or {}), True)
    return b"".join(map(writer.write, events)) + writer.finish()


def unknown_fields(value: Any) -> set[str]:
    if isinstance(value, list):
        return set[str]().union(*map(unknown_fields, value))
    if not hasattr(value, "model_extra"):
        return set()
    inner = (unknown_fields(getattr(value, name)) for name in type(value).model_fields)
    return set(value.model_extra or {}).union(*inner)


def events_of(data: bytes) -> list[Any]:
    """The typed events of a stream, none of which has a field that the SDK does not know, but for Gemini's signature
    of a call, which stands where Google's surface for chat puts it."""
    events: list[Any] = []
    for name, payload in SseParser().feed(data):
        event = EVENT.validate_json(payload, strict=True)
        assert event.type == name.decode()
        assert unknown_fields(event) <= {"extra_content"}
        events.append(event)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    return events


def key(event: Any) -> tuple[Any, ...]:
    part = getattr(event, "content_index", None), getattr(event, "summary_index", None)
    return (event.output_index, *part)


def check_pairs(events: list[Any]) -> None:
    """What was added is done, and what is done was said before."""
    added: dict[str, list[Any]] = {}
    said: dict[tuple[Any, ...], str] = {}
    for event in events:
        if event.type in PAIRS:
            added.setdefault(PAIRS[event.type], []).append(key(event))
        elif event.type in added:
            added[event.type].remove(key(event))
        if event.type in DONE:
            done = (DONE[event.type][0], *key(event))
            said[done] = said.get(done, "") + event.delta
        for done, field in DONE.values():
            if event.type == done:
                whole = getattr(event, field)
                assert said.pop((done, *key(event)), "{}" if field == "arguments" else "") == whole
    assert not any(added.values())
    assert said == {}


def response(data: bytes) -> Response:
    """What the OpenAI SDK makes of a stream; the last event must repeat what the others told."""
    events = events_of(data)
    check_pairs(events)
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1].type in ("response.completed", "response.incomplete")
    state: Any = ResponseStreamState(input_tools=[], text_format=omit)
    for event in events[:-1]:
        state.handle_event(event)
    final = events[-1].response
    told = [event.item for event in events if event.type == "response.output_item.done"]
    assert sorted(item.id for item in told) == sorted(item.id for item in final.output)
    return Response.model_validate(final.to_dict(), strict=True)


def outline(answer: Response) -> list[tuple[Any, ...]]:
    """The items in short."""
    found: list[tuple[Any, ...]] = []
    for item in answer.output:
        if item.type == "message":
            found += [(part.type, part.text if part.type == "output_text" else part.refusal) for part in item.content]
        elif item.type == "function_call":
            found.append((item.call_id, item.name, item.arguments))
        elif item.type == "reasoning":
            found.append(("reasoning", "".join(piece.text for piece in item.summary), bool(item.encrypted_content)))
    return found


def test_every_recording_becomes_valid_events(recording: Path) -> None:
    events = recorded(recording)
    data = written(events)
    response(data)
    # Read again, the stream tells the same story but for the blocks' numbers.
    again = read(data)
    assert isinstance(again[-1], Finished)
    usage = [event for event in events if isinstance(event, UsageReported)]
    assert [event for event in again if isinstance(event, UsageReported)] == usage[-1:]


def test_reading_text() -> None:
    path = next(Path(__file__).parent.glob("recordings/openai_responses/text.sse"))
    assert recorded(path) == [
        Started("resp_9", "gpt-5-mini-2025-08-07"),
        TextDelta(0, "Grüße"),
        TextDelta(0, " aus Köln 👋🏽"),
        TextDelta(0, ' "usage":{} "type":"response.completed"\n\ndata: [DONE]'),
        Stopped(Stop(StopReason.END)),
        UsageReported(Usage(31, 17, 16, 0, 5)),
        Finished(),
    ]


def test_reading_reasoning_and_interleaved_calls() -> None:
    path = next(Path(__file__).parent.glob("recordings/openai_responses/reasoning_and_tools.sse"))
    assert recorded(path) == [
        Started("resp_9", "gpt-5-mini-2025-08-07"),
        ReasoningDelta(0, "Need"),
        ReasoningDelta(0, " weather."),
        ReasoningDelta(0, "\n\nAnd time."),
        ReasoningRedacted(0, "gAAAAB==", OPENAI_REASONING),
        ToolCallStarted(1, "call_a", "weather"),
        ToolCallDelta(1, '{"city":'),
        ToolCallStarted(2, "call_b", "now"),
        ToolCallDelta(1, '"Köln"}'),
        ToolCallDelta(2, "{}"),
        Stopped(Stop(StopReason.TOOL_USE)),
        UsageReported(Usage(132, 42, 0, 0, 12)),
        Finished(),
    ]


def test_reading_an_answer_cut_short() -> None:
    path = next(Path(__file__).parent.glob("recordings/openai_responses/cut_refusal.sse"))
    assert recorded(path)[1:4] == [
        RefusalDelta(0, "I can"),
        RefusalDelta(0, "not."),
        Stopped(Stop(StopReason.MAX_TOKENS)),
    ]


def test_thinking_of_claude_comes_back_with_its_signature() -> None:
    events = [
        Started("m", "claude"),
        ReasoningDelta(0, "Hm", ANTHROPIC_REASONING),
        ReasoningSigned(0, "sig==", ANTHROPIC_REASONING),
        ReasoningRedacted(1, "secret", ANTHROPIC_REASONING),
        TextDelta(2, "Yes."),
        ToolCallStarted(3, "call_1", "now"),
        Stopped(Stop(StopReason.TOOL_USE)),
        UsageReported(Usage(3, 4)),
        Finished(),
    ]
    data = written(events)
    answer = response(data)
    assert outline(answer) == [
        ("reasoning", "Hm", True),
        ("reasoning", "", True),
        ("output_text", "Yes."),
        ("call_1", "now", "{}"),
    ]
    assert answer.status == "completed"
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (3, 4, 7)
    assert [event for event in read(data) if isinstance(event, ReasoningSigned | ReasoningRedacted)] == [
        ReasoningSigned(0, "sig==", ANTHROPIC_REASONING),
        ReasoningRedacted(1, "secret", ANTHROPIC_REASONING),
    ]


def test_calls_stay_open_beside_each_other_and_text_may_follow_them() -> None:
    events = [
        Started("c", "m"),
        TextDelta(0, "a"),
        ToolCallStarted(1, "x", "f"),
        ToolCallStarted(2, "y", "g"),
        ToolCallDelta(1, "{"),
        ToolCallDelta(2, '{"n":1}'),
        ToolCallDelta(1, "}"),
        TextDelta(3, "b"),
        RefusalDelta(4, "c"),
        Stopped(Stop(StopReason.END)),
        Finished(),
    ]
    answer = response(written(events))
    assert outline(answer) == [
        ("output_text", "a"),
        ("x", "f", "{}"),
        ("y", "g", '{"n":1}'),
        ("output_text", "b"),
        ("refusal", "c"),
    ]
    assert answer.usage is None


@pytest.mark.parametrize(
    ("stop", "status", "reason"),
    [
        (Stop(StopReason.END), "completed", None),
        (Stop(StopReason.PAUSE), "completed", None),
        (Stop(StopReason.STOP_SEQUENCE, "x"), "completed", None),
        (Stop(StopReason.MAX_TOKENS), "incomplete", "max_output_tokens"),
        (Stop(StopReason.CONTEXT_WINDOW), "incomplete", "max_output_tokens"),
        (Stop(StopReason.REFUSAL), "incomplete", "content_filter"),
        (Stop(StopReason.REFUSAL, explanation="No."), "completed", None),
    ],
)
def test_why_the_answer_ended(stop: Stop, status: str, reason: str | None) -> None:
    answer = response(written([Started("c", "m"), TextDelta(0, "a"), Stopped(stop), Finished()]))
    assert answer.status == status
    assert (answer.incomplete_details.reason if answer.incomplete_details else None) == reason
    assert (("refusal", "No.") in outline(answer)) == (stop.explanation is not None)
    assert answer.output[0].status == status  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def test_a_response_repeats_its_request() -> None:
    asked = {
        "input": "hi",
        "instructions": "Be brief.",
        "temperature": 0.5,
        "metadata": {"a": "b"},
        "previous_response_id": "resp_1",
        "reasoning": {"effort": "low"},
        "text": {"verbosity": "low"},
        "tools": [{"type": "function", "name": "f", "parameters": {}, "strict": True}],
        "tool_choice": {"type": "function", "name": "f"},
        "parallel_tool_calls": False,
        "max_output_tokens": 50,
        "user": None,
    }
    answer = response(written([Started("c", "m"), Stopped(Stop()), Finished()], asked))
    assert answer.id == "resp_77"
    assert answer.model == "the-model"
    assert answer.instructions == "Be brief."
    assert answer.metadata == {"a": "b"}
    assert answer.previous_response_id == "resp_1"
    assert answer.text is not None
    assert answer.text.to_dict() == {"format": {"type": "text"}, "verbosity": "low"}
    assert answer.reasoning is not None
    assert answer.reasoning.effort == "low"
    assert answer.parallel_tool_calls is False
    assert answer.max_output_tokens == 50


def test_failures_before_and_after_the_beginning() -> None:
    error = WireError(ErrorKind.RATE_LIMIT, "Slow down \ud800.", 429, code="too_fast")
    (alone,) = events_of(written([StreamFailed(error)]))
    assert (alone.type, alone.code, alone.message) == ("error", "too_fast", "Slow down ?.")
    *_, last = events_of(written([Started("c", "m"), TextDelta(0, "a"), StreamFailed(error)]))
    assert (last.type, last.response.status) == ("response.failed", "failed")
    assert (last.response.error.code, last.response.error.message) == ("rate_limit_exceeded", "Slow down ?.")
    *_, cut = events_of(written([Started("c", "m"), Pinged()]))
    assert cut.response.error.code == "server_error"


def test_an_endless_answer_ends_in_a_failure() -> None:
    writer = RESPONSES.writer(AnswerLabel("m", 1, "req_1"), True)
    writer.write(Started("c", "m"))
    outputs = [writer.write(TextDelta(0, "x" * 4_000_000)) for _ in range(12)]
    assert sum(b"response.failed" in output for output in outputs) == 1
    assert outputs[-1] == writer.finish() == b""
