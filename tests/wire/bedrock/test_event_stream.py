"""The binary framing: every message that botocore reads is read the same, wherever the bytes are cut."""

import struct
import uuid
from itertools import pairwise
from typing import Any
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer, InvalidHeadersLength, ParserError
from hypothesis import given, settings
from hypothesis import strategies as st

from ownkey.sandbox.formats.bedrock_converse import event, message
from ownkey.wire.bedrock_converse.event_stream import EventStreamParser, Message
from ownkey.wire.errors import MalformedAnswer

Header = tuple[str, int, bytes]
"""A name, the type of the value, and the value's bytes."""

_HEADER_VALUES = st.one_of(
    st.sampled_from([(0, b""), (1, b"")]),
    st.binary(min_size=1, max_size=1).map(lambda raw: (2, raw)),
    st.binary(min_size=2, max_size=2).map(lambda raw: (3, raw)),
    st.binary(min_size=4, max_size=4).map(lambda raw: (4, raw)),
    st.binary(min_size=8, max_size=8).map(lambda raw: (5, raw)),
    st.binary(max_size=20).map(lambda raw: (6, struct.pack(">H", len(raw)) + raw)),
    st.text(max_size=20).map(lambda text: (7, struct.pack(">H", len(text.encode())) + text.encode())),
    st.binary(min_size=8, max_size=8).map(lambda raw: (8, raw)),
    st.binary(min_size=16, max_size=16).map(lambda raw: (9, raw)),
)
_NAMES = st.text(st.characters(codec="ascii", min_codepoint=0x21), min_size=1, max_size=12)
_MESSAGES = st.tuples(
    st.lists(st.tuples(_NAMES, _HEADER_VALUES), max_size=4, unique_by=lambda header: header[0]), st.binary(max_size=60)
)


def encoded(headers: list[tuple[str, tuple[int, bytes]]], payload: bytes) -> bytes:
    block = b"".join(
        bytes([len(name.encode())]) + name.encode() + bytes([kind]) + value for name, (kind, value) in headers
    )
    prelude = struct.pack(">II", 16 + len(block) + len(payload), len(block))
    before = prelude + struct.pack(">I", crc32(prelude)) + block + payload
    return before + struct.pack(">I", crc32(before))


def read(*pieces: bytes) -> list[Message]:
    parser = EventStreamParser()
    return [found for piece in pieces for found in parser.feed(piece)]


def botocores(data: bytes) -> list[tuple[dict[str, Any], bytes]]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return [(dict(found.headers), found.payload) for found in buffer]


@settings(max_examples=200, deadline=None)
@given(st.lists(_MESSAGES, max_size=4), st.lists(st.integers(0, 500), max_size=12))
def test_every_stream_is_read_as_botocore_reads_it(messages: list[Any], cuts: list[int]) -> None:
    data = b"".join(encoded(headers, payload) for headers, payload in messages)
    expected = botocores(data)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    found = read(*(data[a:b] for a, b in pairwise(edges)))
    assert [(each.headers, each.payload) for each in found] == expected


def test_the_pieces_may_be_single_bytes_and_a_cut_leaves_a_prefix() -> None:
    data = event("messageStart", b'{"role":"assistant"}') + message({}, b"") + event("x", b"{}" * 50)
    whole = read(data)
    assert read(*(data[at : at + 1] for at in range(len(data)))) == whole
    for at in range(len(data)):
        assert read(data[:at], data[at:]) == whole
        parser = EventStreamParser()
        prefix = parser.feed(data[:at])
        assert prefix == whole[: len(prefix)]
        assert data[:at].endswith(parser.rest)


def test_the_sandboxs_messages_are_botocores() -> None:
    [(headers, payload)] = botocores(event("messageStop", b'{"stopReason":"end_turn"}'))
    assert headers == {":event-type": "messageStop", ":content-type": "application/json", ":message-type": "event"}
    assert payload == b'{"stopReason":"end_turn"}'


def test_any_changed_bit_is_noticed() -> None:
    data = event("contentBlockDelta", b'{"delta":{"text":"hello"}}')
    for at in range(len(data)):
        for bit in range(8):
            spoilt = bytearray(data)
            spoilt[at] ^= 1 << bit
            with pytest.raises(MalformedAnswer):
                read(bytes(spoilt))
            with pytest.raises((ParserError, InvalidHeadersLength)):
                botocores(bytes(spoilt))


def prelude(total: int, headers: int) -> bytes:
    numbers = struct.pack(">II", total, headers)
    return numbers + struct.pack(">I", crc32(numbers))


@pytest.mark.parametrize(("total", "headers"), [(0, 0), (15, 0), (20, 5), (400_000, 131_073), (16, 2**32 - 1)])
def test_lengths_that_do_not_fit_are_refused_at_once(total: int, headers: int) -> None:
    with pytest.raises(MalformedAnswer):
        read(prelude(total, headers))


def test_a_message_that_is_too_large_is_known_from_its_first_bytes() -> None:
    parser = EventStreamParser(limit=1000)
    first = event("a", b"")
    assert len(parser.feed(first + prelude(1001, 0))) == 1
    assert parser.oversized
    assert parser.rest == b""
    assert parser.feed(first) == []


@pytest.mark.parametrize(
    "block",
    [
        b"\x05abc",
        b"\x01a\x0a",
        b"\x01a\x07\x00\x05abc",
        b"\x01a\x04\x00",
        b"\x01a\x09" + uuid.UUID(int=1).bytes[:-1],
        b"\x01a\x07\x00\x01\xff",
        b"\x01\xff\x00",
        b"\x01a\x00\x01a\x00",
        b"\x01",
    ],
)
def test_headers_that_cannot_be_read_are_refused(block: bytes) -> None:
    numbers = prelude(16 + len(block), len(block))
    whole = numbers + block
    with pytest.raises(MalformedAnswer):
        read(whole + struct.pack(">I", crc32(whole)))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_messages_or_a_refusal(data: bytes) -> None:
    try:
        found = read(data)
    except MalformedAnswer:
        return
    assert isinstance(found, list)
