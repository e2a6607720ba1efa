"""Streams give the same events however they are cut, and a cut stream fails after its prefix."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ownkey.domain.formats import WireFormat
from ownkey.wire import CHAT_FORMATS, ChatFormat, Observer
from ownkey.wire.events import Event, Finished, Started, Stopped, StreamFailed
from ownkey.wire.neutral import AnswerLabel


def format_of(recording: Path) -> ChatFormat:
    return CHAT_FORMATS[WireFormat(recording.parent.name)]


def events_of(format_: ChatFormat, *pieces: bytes) -> list[Event]:
    reader = format_.reader()
    return [event for piece in pieces for event in reader.feed(piece)] + reader.finish()


def watched(observer: Observer, *pieces: bytes) -> tuple[object, ...]:
    forwarded = b"".join([observer.feed(piece) for piece in pieces] + [observer.finish()])
    return forwarded, observer.usage, observer.first_content, observer.ended, observer.error


def test_a_recording_is_read_whole(recording: Path) -> None:
    events = events_of(format_of(recording), recording.read_bytes())
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)


def test_two_pieces_give_the_same_events(recording: Path) -> None:
    format_, data = format_of(recording), recording.read_bytes()
    expected = events_of(format_, data)
    for at in range(len(data)):
        assert events_of(format_, data[:at], data[at:]) == expected


def test_single_bytes_give_the_same_events(recording: Path) -> None:
    format_, data = format_of(recording), recording.read_bytes()
    assert events_of(format_, *(data[at : at + 1] for at in range(len(data)))) == events_of(format_, data)


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 4000), max_size=40))
def test_any_pieces_give_the_same_events(recording: Path, cuts: list[int]) -> None:
    format_, data = format_of(recording), recording.read_bytes()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert events_of(format_, *pieces) == events_of(format_, data)


@pytest.mark.parametrize("cut", [False, True])
def test_a_stream_cut_at_any_byte_gives_a_prefix_and_fails(recording: Path, cut: bool) -> None:
    """Only a clean end after the reason why the answer stopped makes up for a missing end mark."""
    format_, data = format_of(recording), recording.read_bytes()
    expected = events_of(format_, data)
    complete = len(data.rstrip(b"\r\n"))
    for at in range(len(data)):
        reader = format_.reader()
        events = reader.feed(data[:at]) + reader.finish(cut)
        if at >= complete:
            assert events == expected
            continue
        assert events[:-1] == expected[: len(events) - 1]
        if reader.ended:
            assert not cut
            assert isinstance(events[-1], Finished)
            assert any(isinstance(event, Stopped) for event in events)
            continue
        assert isinstance(events[-1], StreamFailed)
        assert reader.error == events[-1].error
        assert not reader.ended
        assert reader.feed(data[at:]) == []
        assert reader.finish() == []


def test_every_cut_has_a_well_formed_end_in_every_format(recording: Path) -> None:
    format_, data = format_of(recording), recording.read_bytes()
    for at in range(0, len(data) - 4, 3):
        for target in CHAT_FORMATS.values():
            writer = target.writer(AnswerLabel("m", 1, "id"), True)
            written = b"".join(map(writer.write, events_of(format_, data[:at]))) + writer.finish()
            again = events_of(target, written)
            if any(isinstance(event, Finished) for event in events_of(format_, data[:at])):
                assert isinstance(again[-1], Finished)
                continue
            assert isinstance(again[-1], StreamFailed)
            assert "ended before" in again[-1].error.message


@pytest.mark.parametrize("wants_usage", [True, False])
def test_observers_do_not_depend_on_cuts(recording: Path, wants_usage: bool) -> None:
    format_, data = format_of(recording), recording.read_bytes()
    expected = watched(format_.observer(wants_usage), data)
    for at in range(len(data)):
        assert watched(format_.observer(wants_usage), data[:at], data[at:]) == expected
    assert watched(format_.observer(wants_usage), *(data[at : at + 1] for at in range(len(data)))) == expected


def test_observers_learn_what_readers_learn(recording: Path) -> None:
    format_, data = format_of(recording), recording.read_bytes()
    for at in range(len(data) + 1):
        observer, reader = format_.observer(True), format_.reader()
        assert observer.feed(data[:at]) + observer.finish() == data[:at]
        reader.feed(data[:at])
        reader.finish()
        assert observer.ended == reader.ended
        assert observer.first_content == reader.first_content or at < len(data)
        # An observer may look into an event that is whole but for its blank line.
        if not data[:at].rstrip(b"\r\n").endswith(b"}"):
            assert observer.usage == reader.usage
