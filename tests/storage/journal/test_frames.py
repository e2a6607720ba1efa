"""The bytes on disk: whatever happens to them, what is read was written, and nothing sound is lost."""

import random
from zlib import crc32

import pytest
from msgspec.structs import replace
from tests.storage.journal.books import opening, settled

from ownkey.domain.usage import RequestRecord
from ownkey.storage.journal.frames import (
    HEADER_SIZE,
    SETTLE,
    START,
    Damage,
    Frame,
    UnknownFormat,
    encode_frame,
    encode_header,
    read_segment,
    scan,
    storable,
)

FRAMES = [Frame(START, opening(1)), Frame(START, opening(2)), Frame(SETTLE, settled(2)), Frame(SETTLE, settled(1))]
ENCODED = [encode_frame(frame.kind, frame.record) for frame in FRAMES]
SEGMENT = encode_header() + b"".join(ENCODED)
ENDS = [HEADER_SIZE + sum(map(len, ENCODED[: count + 1])) for count in range(len(ENCODED))]


def sound(data: bytes) -> list[Frame]:
    return [item for item in read_segment(data) if isinstance(item, Frame)]


def damage(data: bytes) -> list[Damage]:
    return [item for item in read_segment(data) if isinstance(item, Damage)]


def test_a_segment_reads_back_as_written() -> None:
    assert list(read_segment(SEGMENT)) == FRAMES


def test_every_truncation_keeps_the_whole_frames_and_counts_as_torn() -> None:
    for length in range(len(SEGMENT)):
        whole = [frame for frame, end in zip(FRAMES, ENDS, strict=True) if end <= length]
        boundary = length in (0, HEADER_SIZE, *ENDS)
        assert sound(SEGMENT[:length]) == whole, length
        assert [item.torn for item in damage(SEGMENT[:length])] == ([] if boundary else [True]), length


def test_every_flipped_byte_costs_at_most_the_frame_it_is_in() -> None:
    for offset in range(len(SEGMENT)):
        for mask in (0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF):
            data = bytearray(SEGMENT)
            data[offset] ^= mask
            hit = next((index for index, end in enumerate(ENDS) if offset < end), None) if offset >= HEADER_SIZE else -1
            expected = [frame for index, frame in enumerate(FRAMES) if index != hit]
            assert sound(bytes(data)) == expected, (offset, mask)
            assert len(damage(bytes(data))) == 1, (offset, mask)


def test_a_flipped_byte_before_other_frames_is_reported_as_corruption() -> None:
    data = bytearray(SEGMENT)
    data[HEADER_SIZE + 30] ^= 0xFF
    assert damage(bytes(data)) == [Damage(HEADER_SIZE, len(ENCODED[0]), torn=False)]


def test_random_damage_never_invents_a_record() -> None:
    chance = random.Random(7)
    for _ in range(2000):
        data = bytearray(SEGMENT)
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(len(data))
            length = chance.randint(0, 60)
            data[start : start + length] = chance.choice(
                [b"", bytes(length), chance.randbytes(length), b"\xc1" * length, bytes(data[:length])]
            )
        read = iter(FRAMES)
        assert all(any(frame == candidate for candidate in read) for frame in sound(bytes(data)))


def test_zeros_after_the_last_frame_are_a_torn_end() -> None:
    assert sound(SEGMENT + bytes(4096)) == FRAMES
    assert damage(SEGMENT + bytes(4096)) == [Damage(len(SEGMENT), 4096, torn=True)]


def test_a_partial_write_that_stayed_costs_no_later_frame() -> None:
    for cut in range(1, len(ENCODED[0])):
        data = encode_header() + ENCODED[0][:cut] + b"".join(ENCODED[1:])
        assert sound(data) == FRAMES[1:], cut


def test_text_that_imitates_a_frame_is_not_read_as_one() -> None:
    forged = encode_frame(SETTLE, replace(settled(9), charged=0)).decode("latin-1")
    data = bytearray(encode_header() + encode_frame(SETTLE, replace(settled(1), model=forged, detail=forged)))
    for offset in range(HEADER_SIZE, HEADER_SIZE + 40):
        damaged = bytearray(data)
        damaged[offset] ^= 0xFF
        assert sound(bytes(damaged)) == []


def test_a_later_format_is_refused_not_guessed_at() -> None:
    head = b"OKJOURNL" + (2).to_bytes(4, "little")
    with pytest.raises(UnknownFormat, match="segment format 2"):
        list(read_segment(head + crc32(head).to_bytes(4, "little") + ENCODED[0]))


def test_one_kind_can_be_read_alone() -> None:
    assert list(scan(SEGMENT, HEADER_SIZE, SETTLE)) == FRAMES[2:]


@pytest.mark.parametrize(
    ("field", "value", "stored"),
    [
        ("model", "a\0b", "a\ufffdb"),
        ("error", "\ud800!", "\ufffd\ufffd\ufffd!"),
        ("detail", '{"error":"\\u0000"}', '{"error":"\\ufffd"}'),
        ("input_tokens", 10**30, 2**63 - 1),
        ("input_tokens", -(10**30), -(2**63 - 1)),
        ("latency_ms", float("nan"), 0.0),
        ("ttft_ms", float("inf"), 0.0),
        ("credential_id", None, None),
    ],
)
def test_a_storable_record_holds_only_what_any_database_takes(field: str, value: object, stored: object) -> None:
    record: RequestRecord = replace(settled(1), **{field: value})
    assert getattr(storable(record), field) == stored
    assert sound(encode_header() + encode_frame(SETTLE, storable(record)))


def test_a_storable_record_is_left_as_it_is() -> None:
    assert storable(FRAMES[2].record) is FRAMES[2].record
