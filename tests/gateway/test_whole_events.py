"""Events leave as a whole, wherever the network cut them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.gateway.streams import WholeEvents

STREAMS = [
    b"data: 1\n\ndata: 2\n\n: ping\n\ndata: 3\ndata: 4\n\n",
    b"data: 1\r\n\r\nevent: x\r\ndata: 2\r\n\r\n",
    b"data: 1\r\rdata: 2\r\r",
    b"data: 1\n\r\ndata: 2\n\n",
]


@pytest.mark.parametrize("stream", STREAMS)
def test_a_stream_cut_at_every_byte_comes_out_whole_and_in_events(stream: bytes) -> None:
    for cut in range(len(stream) + 1):
        events = WholeEvents()
        first, second = events.feed(stream[:cut]), events.feed(stream[cut:])
        assert first + second + events.rest() == stream
        assert not first or first.endswith((b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n"))


@given(st.lists(st.sampled_from([b"data: x", b"\n", b"\r", b"\n\n", b"\r\n", b"\r\n\r\n"]), max_size=30))
def test_nothing_is_lost_and_nothing_is_doubled(pieces: list[bytes]) -> None:
    events = WholeEvents()
    out = b"".join(events.feed(piece) for piece in pieces)
    assert out + events.rest() == b"".join(pieces)


def test_bytes_that_are_whole_pass_as_the_same_object() -> None:
    chunk = b"data: 1\n\ndata: 2\n\n"
    assert WholeEvents().feed(chunk) is chunk


def test_an_event_beyond_the_limit_goes_on_in_pieces_and_says_so() -> None:
    events = WholeEvents(limit=10)
    assert events.feed(b"data: 0123456789") == b"data: 0123456789"
    assert events.inside
    assert events.feed(b"0") == b""
    assert events.inside
    assert events.feed(b"1\n\n") == b"01\n\n"
    assert not events.inside
