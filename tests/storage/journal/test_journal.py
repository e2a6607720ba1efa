"""Writing: what the files hold after each call, when segments come and go, and what a full disk does."""

import asyncio
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.storage.journal.books import (
    Books,
    directories,
    files_limited_to,
    frames,
    interrupted,
    opening,
    run,
    segments,
    settled,
)

from ownkey.domain.errors import Unavailable
from ownkey.storage.journal import Journal, recover
from ownkey.storage.journal.frames import SETTLE, START, Frame
from ownkey.storage.journal.segments import Segment


async def store_all(journal: Journal) -> list[str]:
    """What a writer would store, in its order."""
    ids: list[str] = []
    while batch := await journal.peek(100):
        ids += [record.id for record in batch]
        journal.drop(len(batch))
    journal.tidy()
    return ids


@contextmanager
def unsyncable(journal: Journal) -> Generator[None]:
    """Put something in the place of the active segment that the kernel refuses to sync."""
    fd = journal._active.fd
    kept = os.dup(fd)
    reading, writing = os.pipe()
    os.dup2(writing, fd)
    try:
        yield
    finally:
        os.dup2(kept, fd)
        for each in (kept, reading, writing):
            os.close(each)


def test_what_returned_is_with_the_operating_system(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, None)
    journal.start(opening(1))
    assert frames(segments(tmp_path)[0]) == [Frame(START, opening(1))]
    journal.settle(settled(1))
    assert frames(segments(tmp_path)[0]) == [Frame(START, opening(1)), Frame(SETTLE, settled(1))]
    journal.close()


@pytest.mark.parametrize("fsync_interval", [None, 0, 0.001])
async def test_every_way_to_sync_ends_in_an_empty_root(tmp_path: Path, fsync_interval: float | None) -> None:
    journal = Journal.open(tmp_path, fsync_interval, segment_bytes=4096)
    run(journal, *range(100))
    assert len(await store_all(journal)) == 100
    journal.close()
    assert directories(tmp_path) == []


def test_files_are_for_the_owner_alone(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "new" / "journal", None)
    paths = [*directories(tmp_path / "new" / "journal"), *segments(tmp_path / "new" / "journal")]
    assert [path.stat().st_mode & 0o777 for path in paths] == [0o700, 0o600]
    journal.close()


async def test_segments_are_removed_once_all_in_them_is_stored(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, 1000, segment_bytes=4096)
    run(journal, *range(100))
    assert len(segments(tmp_path)) > 5
    assert await store_all(journal) == [opening(number).id for number in range(100)]
    journal._syncer._turn()
    assert len(segments(tmp_path)) == 1
    journal.close()


async def test_a_segment_stays_while_one_record_of_it_is_not_stored(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, 1000, segment_bytes=4096)
    run(journal, *range(30))
    before = segments(tmp_path)
    await journal.peek(2)
    journal.drop(2)
    journal.tidy()
    journal._syncer._turn()
    assert segments(tmp_path) == before
    journal.close()


async def test_a_long_request_does_not_hold_back_segments(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, 1000, segment_bytes=4096)
    journal.start(opening(0))
    for number in range(1, 200):
        run(journal, number)
        await store_all(journal)
    journal._syncer._turn()
    assert len(segments(tmp_path)) <= 4
    assert journal.open_requests == 1
    journal.close()
    books = Books()
    report = await recover(tmp_path, books.insert, 0)
    assert report.interrupted == 1
    assert books.rows[opening(0).id] == interrupted(0)


async def test_a_carried_request_is_settled_like_any_other(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, None, segment_bytes=4096)
    journal.start(opening(0))
    for number in range(1, 100):
        run(journal, number)
        await store_all(journal)
    journal.settle(settled(0))
    assert journal.open_requests == 0
    assert await store_all(journal) == [opening(0).id]
    journal.close()
    assert directories(tmp_path) == []


async def test_a_quiet_journal_starts_a_new_segment_after_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.open(tmp_path, 1000)
    run(journal, 1)
    await store_all(journal)
    first = segments(tmp_path)
    monkeypatch.setattr("time.monotonic", lambda now=journal._active_since: now + 61)
    journal.tidy()
    journal.tidy()
    journal._syncer._turn()
    assert len(segments(tmp_path)) == 1
    assert segments(tmp_path) != first
    journal.close()


def test_a_full_disk_refuses_the_start_and_leaves_no_partial_frame(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, None)
    journal.start(opening(1))
    size = segments(tmp_path)[0].stat().st_size
    for room in (0, 1, 9, 10, 100):
        with files_limited_to(size + room), pytest.raises(Unavailable, match="not sent"):
            journal.start(opening(2))
        assert segments(tmp_path)[0].stat().st_size == size
    journal.start(opening(3))
    assert frames(segments(tmp_path)[0]) == [Frame(START, opening(1)), Frame(START, opening(3))]
    assert journal.open_requests == 2
    journal.close()


async def test_a_settle_on_a_full_disk_is_kept_and_written_later(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, None)
    journal.start(opening(1))
    with files_limited_to(segments(tmp_path)[0].stat().st_size + 20):
        journal.settle(settled(1))
        journal.retry()
        assert (journal.pending, journal.remembered, journal.open_requests) == (1, 1, 1)
    journal.retry()
    assert frames(segments(tmp_path)[0]) == [Frame(START, opening(1)), Frame(SETTLE, settled(1))]
    assert await store_all(journal) == [opening(1).id]
    journal.close()
    assert directories(tmp_path) == []


def test_a_segment_that_cannot_be_begun_leaves_no_file(tmp_path: Path) -> None:
    with files_limited_to(10), pytest.raises(OSError, match="part of a write"):
        Segment.create(tmp_path / "1.segment")
    assert list(tmp_path.iterdir()) == []
    with files_limited_to(10), pytest.raises(OSError, match="part of a write"):
        Journal.open(tmp_path, None)
    assert list(tmp_path.iterdir()) == []


async def test_without_a_new_segment_the_old_one_goes_on(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, None, segment_bytes=4096)
    in_the_way = directories(tmp_path)[0] / f"{2:012d}.segment"
    in_the_way.touch()
    run(journal, *range(20))
    assert [path.name[:12] for path in segments(tmp_path)] == [f"{number:012d}" for number in (1, 2, 3)]
    assert segments(tmp_path)[0].stat().st_size > 4096 + 4096 // 16
    assert len(await store_all(journal)) == 20
    in_the_way.unlink()
    journal.close()
    assert directories(tmp_path) == []


def test_starts_are_refused_while_nothing_can_be_made_durable(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, 1000)
    journal.start(opening(1))
    with unsyncable(journal):
        journal._syncer._turn()
        assert isinstance(journal.failure, OSError)
        with pytest.raises(Unavailable, match="not sent"):
            journal.start(opening(2))
    journal._syncer._turn()
    assert journal.failure is None
    journal.start(opening(2))
    journal.close()


def test_a_start_that_cannot_be_synced_at_once_is_refused(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, 0)
    with unsyncable(journal), pytest.raises(Unavailable):
        journal.start(opening(1))
    assert journal.open_requests == 0
    journal.close()


async def test_values_no_format_can_hold_do_not_stop_the_books(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, None)
    journal.start(replace(opening(1), model="\ud800"))
    journal.settle(replace(settled(1), input_tokens=10**30))
    assert [type(item) for item in frames(segments(tmp_path)[0])] == [Frame, Frame]
    await store_all(journal)
    journal.close()


def test_a_closed_journal_refuses(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, None)
    journal.close()
    with pytest.raises(Unavailable):
        journal.start(opening(1))


async def test_memory_is_bounded_and_the_rest_is_read_again(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, None, segment_bytes=8192, in_memory=50)
    run(journal, *range(1000))
    assert (journal.pending, journal.remembered) == (1000, 50)
    stored: list[str] = []
    number = 1000
    while batch := await journal.peek(70):
        assert journal.remembered <= 50 + 70
        stored += [record.id for record in batch]
        journal.drop(len(batch))
        journal.tidy()
        if number < 1300:
            run(journal, *range(number, number + 7))
            number += 7
    assert stored == [opening(each).id for each in range(number)]
    run(journal, number)
    assert journal.remembered == 1
    await store_all(journal)
    journal.close()
    assert directories(tmp_path) == []


async def test_a_segment_that_reads_back_damaged_is_counted_and_set_aside(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, None, segment_bytes=8192, in_memory=5)
    run(journal, *range(100))
    second = segments(tmp_path)[1]
    data = bytearray(second.read_bytes())
    data[-5] ^= 0xFF
    second.write_bytes(data)
    stored = await store_all(journal)
    assert (len(stored), journal.lost, journal.pending) == (99, 1, 0)
    journal.close()
    assert directories(tmp_path) == []
    assert [path.read_bytes() for path in (tmp_path / "damaged").iterdir()] == [bytes(data)]


async def test_what_settles_while_a_segment_is_read_again_is_not_missed(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, None, in_memory=5)
    run(journal, *range(10))
    journal.drop(len(await journal.peek(5)))
    peeking = asyncio.create_task(journal.peek(50))
    await asyncio.sleep(0)
    run(journal, *range(10, 20))
    journal.drop(len(await peeking))
    await store_all(journal)
    assert (journal.stored, journal.lost, journal.pending) == (20, 0, 0)
    journal.close()


async def test_a_segment_still_to_be_read_is_not_removed(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, 1000, segment_bytes=4096, in_memory=1)
    run(journal, 0)
    for number in range(1, 30):
        journal.start(opening(number))
    for number in range(1, 30):
        journal.settle(settled(number))
    await journal.peek(1)
    journal.drop(1)
    journal.tidy()
    journal._syncer._turn()
    assert await store_all(journal) == [opening(number).id for number in range(1, 30)]
    journal.close()


@pytest.mark.parametrize("fsync_interval", [None, 0, 0.001])
def test_no_file_stays_open_behind_a_closed_journal(tmp_path: Path, fsync_interval: float | None) -> None:
    before = os.listdir("/proc/self/fd")
    journal = Journal.open(tmp_path, fsync_interval, segment_bytes=4096)
    run(journal, *range(50))
    journal.close()
    assert len(os.listdir("/proc/self/fd")) == len(before)
