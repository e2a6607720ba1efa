"""Streams of formats that only providers speak: the same events however they are cut, and a prefix of a cut one."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import ollama
import pytest
from cohere.core.unchecked_base_model import construct_type
from cohere.v2.types.v2chat_stream_response import V2ChatStreamResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire import CHAT_FORMATS, PROVIDER_CHATS
from ownkey.wire.events import (
    Event,
    Finished,
    ReasoningDelta,
    Started,
    Stopped,
    StreamFailed,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from ownkey.wire.neutral import AnswerLabel, Stop, StopReason

EVENT: Any = V2ChatStreamResponse
FOLDER = Path(__file__).parent / "recordings"
FILES = sorted([*(FOLDER / "cohere_chat").iterdir(), *(FOLDER / "ollama_chat").iterdir()])
EVERY = pytest.mark.parametrize("file", FILES, ids=[f"{file.parent.name}/{file.stem}" for file in FILES])


def events_of(file: Path, *pieces: bytes) -> list[Event]:
    reader = PROVIDER_CHATS[WireFormat(file.parent.name)].reader()
    return [event for piece in pieces for event in reader.feed(piece)] + reader.finish()


def test_cohere_text_without_its_citations() -> None:
    data = (FOLDER / "cohere_chat" / "text.sse").read_bytes()
    assert events_of(FOLDER / "cohere_chat" / "text.sse", data) == [
        Started("29f14a5a-11de-4cae-9800-25e4747408ea", ""),
        TextDelta(0, "The tallest penguins are "),
        TextDelta(0, "Emperor penguins – ½ of them in “Antarctica” 🐧"),
        UsageReported(Usage(17, 13, 5)),
        Stopped(Stop(StopReason.END)),
        Finished(),
    ]


def test_cohere_thinking_a_plan_and_parallel_calls() -> None:
    data = (FOLDER / "cohere_chat" / "thinking_and_tools.sse").read_bytes()
    assert events_of(FOLDER / "cohere_chat" / "text.sse", data)[1:] == [
        ReasoningDelta(0, "The user wants ", "cohere-thinking"),
        ReasoningDelta(0, "the weather.", "cohere-thinking"),
        TextDelta(1, "I look."),
        ReasoningDelta(2, "I will ", "cohere-tool-plan"),
        ReasoningDelta(2, "look twice.", "cohere-tool-plan"),
        ToolCallStarted(3, "weather_k1", "weather"),
        ToolCallDelta(3, '{"city"'),
        ToolCallDelta(3, ': "Zürich"'),
        ToolCallDelta(3, "}"),
        ToolCallStarted(4, "clock_k2", "clock"),
        ToolCallDelta(4, "{}"),
        UsageReported(Usage(80, 40)),
        Stopped(Stop(StopReason.TOOL_USE)),
        Finished(),
    ]


def test_ollama_thinking_and_calls_with_and_without_ids() -> None:
    data = (FOLDER / "ollama_chat" / "thinking_and_tools.ndjson").read_bytes()
    assert events_of(FOLDER / "ollama_chat" / "text.ndjson", data) == [
        Started("", "qwen3:8b"),
        ReasoningDelta(0, "Two calls"),
        ReasoningDelta(0, " are due."),
        TextDelta(1, "I look."),
        ToolCallStarted(2, "call_20261125T160000123456789Z_0", "weather"),
        ToolCallDelta(2, '{"city":"Zürich"}'),
        ToolCallStarted(3, "call_9x", "clock"),
        ToolCallDelta(3, "{}"),
        UsageReported(Usage(26, 290)),
        Stopped(Stop(StopReason.TOOL_USE)),
        Finished(),
    ]


def test_the_vendors_own_types_know_the_recordings() -> None:
    for file in FILES:
        if file.suffix == ".ndjson":
            for line in file.read_bytes().splitlines():
                ollama.ChatResponse.model_validate_json(line)
            continue
        for line in file.read_bytes().splitlines():
            if line.startswith(b"data: "):
                event = json.loads(line[6:])
                typed: Any = construct_type(type_=EVENT, object_=event)
                assert type(typed).__name__.endswith("V2ChatStreamResponse")
                assert typed.type == event["type"]
                assert not typed.model_extra


@EVERY
def test_two_pieces_give_the_same_events(file: Path) -> None:
    data = file.read_bytes()
    expected = events_of(file, data)
    for at in range(len(data)):
        assert events_of(file, data[:at], data[at:]) == expected


@EVERY
def test_single_bytes_give_the_same_events(file: Path) -> None:
    data = file.read_bytes()
    assert events_of(file, *(data[at : at + 1] for at in range(len(data)))) == events_of(file, data)


@EVERY
def test_line_ends_of_other_systems_give_the_same_events(file: Path) -> None:
    data = file.read_bytes()
    assert events_of(file, data.replace(b"\n", b"\r\n")) == events_of(file, data)


@EVERY
@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 4000), max_size=40))
def test_any_pieces_give_the_same_events(file: Path, cuts: list[int]) -> None:
    data = file.read_bytes()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    assert events_of(file, *[data[a:b] for a, b in pairwise(edges)]) == events_of(file, data)


@EVERY
def test_a_stream_cut_at_any_byte_gives_a_prefix_and_fails(file: Path) -> None:
    data = file.read_bytes()
    expected = events_of(file, data)
    complete = len(data.rstrip())
    for at in range(len(data)):
        reader = PROVIDER_CHATS[WireFormat(file.parent.name)].reader()
        events = reader.feed(data[:at]) + reader.finish()
        if at >= complete:
            assert events == expected
            continue
        last = events[-1]
        assert isinstance(last, StreamFailed)
        assert "ended before" in last.error.message
        # A line that was whole but for its end has given its events before the cut is known.
        assert events[:-1] == expected[: len(events) - 1]
        assert reader.error == last.error
        assert not reader.ended
        assert reader.feed(data[at:]) == []
        assert reader.finish() == []


@EVERY
def test_every_cut_has_a_well_formed_end_for_every_client(file: Path) -> None:
    data = file.read_bytes()
    for at in range(0, len(data) - 4, 3):
        for target in CHAT_FORMATS.values():
            writer = target.writer(AnswerLabel("m", 1, "id"), True)
            written = b"".join(map(writer.write, events_of(file, data[:at]))) + writer.finish()
            reader = target.reader()
            again = reader.feed(written) + reader.finish()
            assert isinstance(again[-1], StreamFailed)
            assert "ended before" in again[-1].error.message


@EVERY
def test_a_whole_stream_is_whole_for_every_client(file: Path) -> None:
    events = events_of(file, file.read_bytes())
    for target in CHAT_FORMATS.values():
        writer = target.writer(AnswerLabel("m", 1, "id"), True)
        written = b"".join(map(writer.write, events)) + writer.finish()
        reader = target.reader()
        again = reader.feed(written) + reader.finish()
        assert isinstance(again[-1], Finished)
        assert reader.usage == [event.usage for event in events if isinstance(event, UsageReported)][-1]
