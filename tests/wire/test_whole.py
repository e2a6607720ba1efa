"""Whole answers as events and back."""

from pathlib import Path

import pytest

from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire import CHAT_FORMATS, MalformedAnswer
from ownkey.wire.errors import broken
from ownkey.wire.events import Started, StreamFailed, TextDelta
from ownkey.wire.neutral import Answer, AnswerLabel, Reasoning, Refusal, Stop, StopReason, Text, ToolCall
from ownkey.wire.whole import answer_of, events_of

ANSWER = Answer(
    id="a",
    model="m",
    parts=(
        Reasoning("thought", signature="s", format="f"),
        Reasoning(redacted="x", format="f"),
        Text("text"),
        Refusal("no"),
        ToolCall("1", "look", '{"shelf":4}', signature="g"),
        ToolCall("2", "apply", "", freeform=True, namespace="n"),
    ),
    stop=Stop(StopReason.TOOL_USE),
    usage=Usage(3, 4),
)


def test_an_answer_survives_its_events() -> None:
    assert answer_of(events_of(ANSWER)) == ANSWER


def test_a_stream_reads_as_its_answer(recording: Path) -> None:
    """What the reader makes of a recording is what it makes of the recording put together and streamed again."""
    format_ = CHAT_FORMATS[WireFormat(recording.parent.name)]
    reader = format_.reader()
    answer = answer_of([*reader.feed(recording.read_bytes()), *reader.finish()])
    assert answer.parts or answer.stop.reason is StopReason.REFUSAL
    assert answer.usage == reader.usage
    assert answer_of(events_of(answer)) == answer
    for target in CHAT_FORMATS.values():
        label = AnswerLabel("m", 1, "id")
        writer = target.writer(label, True)
        streamed = b"".join(map(writer.write, events_of(answer))) + writer.finish()
        again = target.reader()
        put_together = answer_of([*again.feed(streamed), *again.finish()])
        whole = target.read_answer(target.write_answer(answer, label))
        texts = [[part.text for part in each.parts if isinstance(part, Text)] for each in (put_together, whole)]
        assert "".join(texts[0]) == "".join(texts[1])


def test_events_that_end_in_a_failure_are_no_answer() -> None:
    with pytest.raises(MalformedAnswer) as failed:
        answer_of([Started("a", "m"), TextDelta(0, "x"), StreamFailed(broken("late"))])
    assert failed.value.error is not None
    assert failed.value.error.message == "late"
