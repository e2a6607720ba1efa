"""Streams of Bedrock: what botocore reads in them is what a client is told, however the bytes are cut."""

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.wire.bedrock.conftest import parsed_stream, stream_of, text_stream

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.sandbox.formats.bedrock_converse import message
from ownkey.wire import CHAT_FORMATS
from ownkey.wire.bedrock_converse.stream_reading import ConverseReader
from ownkey.wire.errors import ErrorKind
from ownkey.wire.events import (
    Event,
    Finished,
    ReasoningDelta,
    ReasoningRedacted,
    ReasoningSigned,
    Started,
    Stopped,
    StreamFailed,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from ownkey.wire.neutral import ANTHROPIC_REASONING, AnswerLabel, Stop, StopReason

USAGE = {
    "inputTokens": 3,
    "outputTokens": 5,
    "totalTokens": 128,
    "cacheReadInputTokens": 100,
    "cacheWriteInputTokens": 20,
}
METADATA = ("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}})


def delta(index: int, **value: Any) -> tuple[str, dict[str, Any]]:
    return "contentBlockDelta", {"delta": value, "contentBlockIndex": index, "p": "abcd"}


def stop(index: int) -> tuple[str, dict[str, Any]]:
    return "contentBlockStop", {"contentBlockIndex": index}


def start(index: int, id_: str, name: str) -> tuple[str, dict[str, Any]]:
    return "contentBlockStart", {"start": {"toolUse": {"toolUseId": id_, "name": name}}, "contentBlockIndex": index}


EVERYTHING = [
    ("messageStart", {"role": "assistant"}),
    delta(0, reasoningContent={"text": "Hm"}),
    delta(0, reasoningContent={"text": "."}),
    delta(0, reasoningContent={"signature": "sig"}),
    stop(0),
    delta(1, reasoningContent={"redactedContent": "d2l0aGhlbGQ="}),
    stop(1),
    delta(2, text="Grü"),
    delta(2, text="ße"),
    stop(2),
    start(3, "t1", "weather"),
    delta(3, toolUse={"input": '{"city":'}),
    delta(3, toolUse={"input": '"Graz"}'}),
    stop(3),
    start(4, "t2", "now"),
    stop(4),
    ("messageStop", {"stopReason": "tool_use"}),
    METADATA,
]
DATA = stream_of(*EVERYTHING)


def read(*pieces: bytes) -> list[Event]:
    reader = ConverseReader()
    return [found for piece in pieces for found in reader.feed(piece)] + reader.finish()


def test_a_stream_with_every_part() -> None:
    assert read(DATA) == [
        Started("", ""),
        ReasoningDelta(0, "Hm"),
        ReasoningDelta(0, "."),
        ReasoningSigned(0, "sig", ANTHROPIC_REASONING),
        ReasoningRedacted(1, "d2l0aGhlbGQ=", ANTHROPIC_REASONING),
        TextDelta(2, "Grü"),
        TextDelta(2, "ße"),
        ToolCallStarted(3, "t1", "weather"),
        ToolCallDelta(3, '{"city":'),
        ToolCallDelta(3, '"Graz"}'),
        ToolCallStarted(4, "t2", "now"),
        ToolCallDelta(4, "{}"),
        Stopped(Stop(StopReason.TOOL_USE)),
        UsageReported(Usage(123, 5, 100, 20)),
        Finished(),
    ]


def test_botocore_finds_the_same_in_it() -> None:
    parsed = parsed_stream(DATA)
    assert [next(iter(found)) for found in parsed] == [name for name, _ in EVERYTHING]
    texts = [found["contentBlockDelta"]["delta"].get("text", "") for found in parsed if "contentBlockDelta" in found]
    assert "".join(texts) == "Grüße"
    assert parsed[-1]["metadata"]["usage"] == USAGE


def test_the_cuts_do_not_matter() -> None:
    expected = read(DATA)
    assert read(*(DATA[at : at + 1] for at in range(len(DATA)))) == expected
    for at in range(len(DATA)):
        assert read(DATA[:at], DATA[at:]) == expected


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, len(DATA)), max_size=40))
def test_any_pieces_give_the_same_events(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(DATA)]
    assert read(*(DATA[a:b] for a, b in pairwise(edges))) == read(DATA)


def test_a_stream_cut_at_any_byte_gives_a_prefix_and_fails_unless_its_stop_was_whole() -> None:
    expected = read(DATA)
    complete = len(stream_of(*EVERYTHING[:-1]))
    for at in range(len(DATA)):
        reader = ConverseReader()
        events = reader.feed(DATA[:at]) + reader.finish()
        assert events[:-1] == expected[: len(events) - 1]
        if at == complete:
            assert isinstance(events[-1], Finished)
            continue
        assert isinstance(events[-1], StreamFailed)
        assert reader.error == events[-1].error
        assert reader.feed(DATA[at:]) == []
        assert reader.finish() == []


@pytest.mark.parametrize("target", list(CHAT_FORMATS))
def test_every_cut_has_a_well_formed_end_for_every_client(target: WireFormat) -> None:
    format_ = CHAT_FORMATS[target]
    for at in range(0, len(stream_of(*EVERYTHING[:-1])), 7):
        writer = format_.writer(AnswerLabel("m", 1, "id"), True)
        written = b"".join(map(writer.write, read(DATA[:at]))) + writer.finish()
        reader = format_.reader()
        again = reader.feed(written) + reader.finish()
        assert isinstance(again[-1], StreamFailed)
        assert "ended before" in again[-1].error.message


@pytest.mark.parametrize("target", list(CHAT_FORMATS))
def test_every_client_gets_the_whole_answer(target: WireFormat) -> None:
    format_ = CHAT_FORMATS[target]
    writer = format_.writer(AnswerLabel("m", 1, "id"), True)
    written = b"".join(map(writer.write, read(DATA))) + writer.finish()
    reader = format_.reader()
    again = reader.feed(written) + reader.finish()
    assert isinstance(again[-1], Finished)
    assert reader.usage is not None
    assert (reader.usage.input_tokens, reader.usage.output_tokens, reader.usage.cached_tokens) == (123, 5, 100)
    assert "".join(event.text for event in again if isinstance(event, TextDelta)) == "Grüße"
    assert [event.name for event in again if isinstance(event, ToolCallStarted)] == ["weather", "now"]
    if target is not WireFormat.GEMINI:
        # Google's clients have no place for another vendor's signature, nor for cache writes.
        assert reader.usage.cache_write_tokens == 20
        assert "".join(event.signature for event in again if isinstance(event, ReasoningSigned)) == "sig"


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("modelStreamErrorException", ErrorKind.SERVER, 424),
        ("throttlingException", ErrorKind.RATE_LIMIT, 429),
        ("validationException", ErrorKind.INVALID_REQUEST, 400),
        ("internalServerException", ErrorKind.SERVER, 500),
        ("serviceUnavailableException", ErrorKind.OVERLOADED, 503),
        ("inventedException", ErrorKind.SERVER, 502),
    ],
)
@pytest.mark.parametrize("before", [0, 3])
def test_an_exception_ends_the_stream(name: str, kind: ErrorKind, status: int, before: int) -> None:
    reader = ConverseReader()
    events = reader.feed(stream_of(*EVERYTHING[:before], (name, {"message": "told by the model"})) + DATA)
    assert isinstance(events[-1], StreamFailed)
    error = events[-1].error
    assert (error.kind, error.status, error.message) == (kind, status, "told by the model")
    assert error.type == name[0].upper() + name[1:]
    assert len(events) == before + 1
    assert reader.finish() == []


def test_an_error_of_the_transport_ends_the_stream() -> None:
    data = message({":message-type": "error", ":error-code": "InternalError", ":error-message": "x"}, b"")
    assert isinstance(read(data)[-1], StreamFailed)


def test_output_that_could_not_be_read_is_an_error_with_its_totals() -> None:
    reader = ConverseReader()
    events = reader.feed(stream_of(*text_stream("x", stop="malformed_tool_use")))
    assert isinstance(events[-1], StreamFailed)
    assert events[-1].error.code == "malformed_tool_use"
    assert reader.usage == Usage(3, 5)


def test_unknown_events_and_parts_are_passed_over() -> None:
    data = stream_of(
        ("messageStart", {"role": "assistant"}),
        ("somethingNew", {"x": 1}),
        delta(0, citation={"title": "t"}),
        delta(0, image={"source": {}}),
        ("contentBlockStart", {"start": {"toolUse": {"toolUseId": "s", "name": "s", "type": "server_tool_use"}},
                               "contentBlockIndex": 1}),
        delta(1, toolUse={"input": "{}"}),
        stop(1),
        ("messageStop", {"stopReason": "end_turn"}),
        METADATA,
    )  # fmt: skip
    assert [type(event) for event in read(data)] == [Started, Stopped, UsageReported, Finished]


@pytest.mark.parametrize(
    "events",
    [
        [delta(0, text="x")],
        [("messageStart", {}), ("messageStart", {})],
        [("messageStart", {}), ("contentBlockDelta", {"delta": {"text": "x"}})],
        [("messageStart", {}), ("contentBlockDelta", {"contentBlockIndex": 0})],
        [("messageStart", {}), delta(0, text=5)],
        [("messageStart", {}), delta(0, toolUse={"input": "{}"})],
        [("messageStart", {}), start(0, "", "x")],
        [("messageStart", {}), start(0, "a", "b"), start(0, "a", "b")],
        [
            ("messageStart", {}),
            ("messageStop", {"stopReason": "end_turn"}),
            ("messageStop", {"stopReason": "end_turn"}),
        ],
        [("messageStart", {}), ("metadata", {"usage": {"inputTokens": -1}})],
    ],
)
def test_what_breaks_the_format_is_a_failure(events: list[tuple[str, dict[str, Any]]]) -> None:
    assert isinstance(read(stream_of(*events))[-1], StreamFailed)


@pytest.mark.parametrize("data", [b"data: {}\n\n", b'{"message":"no"}', b"\x00" * 100, b"<html></html>"])
def test_what_is_no_stream_of_messages_is_a_failure(data: bytes) -> None:
    assert isinstance(read(data)[-1], StreamFailed)


def test_blocks_are_bounded() -> None:
    opening = stream_of(("messageStart", {"role": "assistant"}))
    body = b"".join(stream_of(delta(index, text="")) for index in range(10_001))
    assert isinstance(read(opening + body)[-1], StreamFailed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "toolUse", "delta", "x"]), inner)
    ),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([name for name, _ in EVERYTHING]), JSON), max_size=6))
def test_any_events_end_in_an_event(events: list[tuple[str, Any]]) -> None:
    data = stream_of(("messageStart", {}), *((name, value) for name, value in events))
    assert isinstance(read(data)[-1], StreamFailed | Finished)
    assert msgspec.json.decode(json.dumps(events).encode()) is not None
