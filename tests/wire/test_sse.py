"""Server-sent events come out the same however the bytes are cut, and memory stays bounded."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.wire.sse import SseParser

STREAM = (
    "\ufeff: hello\r\rdata: one\n\nevent: two\r\ndata: 2a\r\ndata:2b\r\n\r\n\n\nid: 7\nretry: 3\n\n"
    "data\n\ndata: Köln 👋\r\rdata:  led\nignored: x\n\nevent: none\n\ndata: last\n\n"
).encode()
EVENTS = [
    (b"", b"one"),
    (b"two", b"2a\n2b"),
    (b"", b""),
    (b"", "Köln 👋".encode()),
    (b"", b" led"),
    (b"", b"last"),
]


def test_reads_every_line_end_comment_and_multi_line_data() -> None:
    assert SseParser().feed(STREAM) == EVENTS


@pytest.mark.parametrize("at", range(len(STREAM) + 1))
def test_a_cut_at_any_byte_changes_nothing(at: int) -> None:
    parser = SseParser()
    assert parser.feed(STREAM[:at]) + parser.feed(STREAM[at:]) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_many_cuts_change_nothing(cuts: list[int]) -> None:
    parser = SseParser()
    edges = [0, *sorted(cuts), len(STREAM)]
    found = [event for a, b in pairwise(edges) for event in parser.feed(STREAM[a:b])]
    assert found == EVENTS


@given(st.lists(st.sampled_from([b"data: x", b"\n", b"\r", b"\r\n", b":c", b"event: e", b"data", b"y"]), max_size=30))
def test_any_mixture_of_line_ends_is_independent_of_cuts(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    whole, bytewise = SseParser(), SseParser()
    expected = whole.feed(data)
    assert [event for i in range(len(data)) for event in bytewise.feed(data[i : i + 1])] == expected
    assert bytewise.rest == whole.rest


def test_an_unfinished_event_is_kept_back() -> None:
    parser = SseParser()
    assert parser.feed(b"data: 1\n\ndata: 2\n") == [(b"", b"1")]
    assert parser.rest == b"data: 2\n"


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_an_event_above_the_limit_ends_the_parsing(step: int) -> None:
    data = b"data: 1\n\ndata: " + b"x" * 100 + b"\n\ndata: 3\n\n"
    parser = SseParser(limit=64)
    found = [event for at in range(0, len(data), step) for event in parser.feed(data[at : at + step])]
    assert found == [(b"", b"1")]
    assert parser.oversized
    assert parser.rest == b""


@pytest.mark.parametrize("step", [1, 1000])
def test_an_event_at_the_limit_is_read(step: int) -> None:
    data = b"data: " + b"x" * 58 + b"\n\n"
    parser = SseParser(limit=64)
    found = [event for at in range(0, len(data), step) for event in parser.feed(data[at : at + step])]
    assert found == [(b"", b"x" * 58)]


def test_empty_input_is_harmless() -> None:
    parser = SseParser()
    assert parser.feed(b"") == []
    assert parser.feed(b"data: 1\r") == []
    assert parser.feed(b"") == []
    assert parser.feed(b"\n\n") == [(b"", b"1")]
