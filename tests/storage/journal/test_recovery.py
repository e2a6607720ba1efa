"""After a crash: what settled is stored as it is, what did not is interrupted, and nothing twice."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import pytest
from tests.storage.journal.books import (
    AWAY,
    ESTIMATE,
    NOW,
    Books,
    directories,
    everything_below,
    frames,
    interrupted,
    opening,
    run,
    segments,
    settled,
)

from ownkey.domain.usage import RequestRecord
from ownkey.storage.journal import Journal, recover
from ownkey.storage.journal.frames import SETTLE, Frame, encode_frame


def left_behind(root: Path, *numbers: int, unsettled: Sequence[int] = (), segment_bytes: int = 4096) -> Path:
    """The directory of a process that stored nothing; the kernel has let go of its lock."""
    journal = Journal.open(root, None, segment_bytes=segment_bytes)
    path = journal._directory.path
    for number in unsettled:
        journal.start(opening(number))
    run(journal, *numbers)
    journal.close()
    return path


def expected(numbers: Sequence[int], unsettled: Sequence[int] = ()) -> dict[str, RequestRecord]:
    rows = {opening(number).id: settled(number) for number in numbers}
    return rows | {opening(number).id: interrupted(number) for number in unsettled}


async def test_a_dead_journal_is_stored_and_removed(tmp_path: Path) -> None:
    left_behind(tmp_path, *range(50), unsettled=[90, 91])
    books = Books()
    report = await recover(tmp_path, books.insert, NOW + 100)
    assert books.rows == expected(range(50), [90, 91])
    assert books.rows[opening(90).id].list_cost == ESTIMATE + 90
    assert (report.adopted, report.settled, report.interrupted, report.oldest_s) == (1, 50, 2, 100)
    assert (report.postponed, report.corrupted, report.torn, report.failure) == (0, 0, 0, None)
    assert everything_below(tmp_path) == []


async def test_a_living_journal_is_left_alone(tmp_path: Path) -> None:
    journal, books = Journal.open(tmp_path, None), Books()
    run(journal, 1)
    report = await recover(tmp_path, books.insert, NOW)
    assert (report.adopted, books.calls) == (0, 0)
    run(journal, 2)
    assert len(frames(segments(tmp_path)[0])) == 4
    journal.close()


async def test_nothing_to_recover_is_no_error(tmp_path: Path) -> None:
    assert (await recover(tmp_path / "never made", Books().insert, NOW)).adopted == 0


async def test_an_empty_directory_is_removed(tmp_path: Path) -> None:
    (tmp_path / "run-1-abc").mkdir()
    assert (await recover(tmp_path, Books().insert, NOW)).adopted == 1
    assert directories(tmp_path) == []


async def test_a_torn_end_is_no_corruption(tmp_path: Path) -> None:
    left_behind(tmp_path, 1, 2)
    last = segments(tmp_path)[-1]
    last.write_bytes(last.read_bytes()[:-7])
    books = Books()
    report = await recover(tmp_path, books.insert, NOW)
    assert books.rows == expected([1], [2])
    assert (report.torn, report.corrupted) == (1, 0)
    assert everything_below(tmp_path) == []


async def test_corruption_is_reported_the_rest_stored_and_the_segment_kept(tmp_path: Path) -> None:
    left_behind(tmp_path, *range(40))
    second = segments(tmp_path)[1]
    data = bytearray(second.read_bytes())
    hit = data.index(opening(12).id.encode())
    data[hit] ^= 0xFF
    second.write_bytes(data)
    books = Books()
    report = await recover(tmp_path, books.insert, NOW)
    assert books.rows == expected(range(40))
    assert (report.corrupted, report.torn, report.adopted) == (1, 0, 1)
    (kept,) = (tmp_path / "damaged").iterdir()
    assert kept.read_bytes() == bytes(data)
    assert directories(tmp_path) == []


async def test_a_damaged_settle_becomes_an_interrupted_request(tmp_path: Path) -> None:
    left_behind(tmp_path, 1, 2)
    (only,) = segments(tmp_path)
    data = bytearray(only.read_bytes())
    data[data.index(encode_frame(SETTLE, settled(1))) + 40] ^= 0xFF
    only.write_bytes(data)
    books = Books()
    await recover(tmp_path, books.insert, NOW)
    assert books.rows == expected([2], [1])


async def test_a_later_format_is_left_for_the_server_that_wrote_it(tmp_path: Path) -> None:
    path = left_behind(tmp_path, 1)
    head = b"OKJOURNL" + (2).to_bytes(4, "little")
    (path / f"{2:012d}.segment").write_bytes(head + crc32(head).to_bytes(4, "little"))
    report = await recover(tmp_path, Books().insert, NOW)
    assert (report.adopted, report.postponed) == (0, 1)
    assert "segment format 2" in str(report.failure)
    assert len(segments(tmp_path)) == 2


async def test_a_database_that_is_away_postpones_everything(tmp_path: Path) -> None:
    left_behind(tmp_path, *range(10), unsettled=[20])
    left_behind(tmp_path, *range(30, 40))
    books = Books()
    books.away = AWAY
    report = await recover(tmp_path, books.insert, NOW)
    assert (report.adopted, report.postponed, report.failure) == (0, 2, AWAY)
    books.away = None
    report = await recover(tmp_path, books.insert, NOW)
    assert (report.adopted, report.postponed) == (2, 0)
    assert books.rows == expected([*range(10), *range(30, 40)], [20])


async def test_a_recovery_that_dies_between_any_two_calls_is_simply_repeated(tmp_path: Path) -> None:
    left_behind(tmp_path, *range(1100), unsettled=range(2000, 2600), segment_bytes=65536)
    books = Books()
    for allowed in range(20):
        books.calls = 0

        async def dying(records: Sequence[RequestRecord], allowed: int = allowed) -> None:
            if books.calls == allowed:
                raise asyncio.CancelledError
            await books.insert(records)

        report = await recover(tmp_path, dying, NOW)
        if report.adopted:
            break
    assert books.rows == expected(range(1100), range(2000, 2600))
    assert directories(tmp_path) == []


async def test_a_removal_that_dies_between_any_two_files_is_simply_repeated(tmp_path: Path) -> None:
    path = left_behind(tmp_path, *range(60), unsettled=[90])
    contents = {segment: segment.read_bytes() for segment in segments(tmp_path)}
    books = Books()
    await recover(tmp_path, books.insert, NOW)
    for removed in range(1, len(contents) + 1):
        path.mkdir()
        for segment, data in list(contents.items())[removed:]:
            segment.write_bytes(data)
        assert (await recover(tmp_path, books.insert, NOW)).adopted == 1
        assert books.rows == expected(range(60), [90])
    assert directories(tmp_path) == []


async def test_two_recoveries_in_one_process_share_the_work(tmp_path: Path) -> None:
    for number in range(0, 100, 10):
        left_behind(tmp_path, *range(number, number + 10))
    books = Books()
    reports = await asyncio.gather(*(recover(tmp_path, books.insert, NOW) for _ in range(2)))
    assert [report.postponed for report in reports] == [0, 0]
    assert sum(report.adopted for report in reports) == 10
    assert sum(report.settled for report in reports) == 100
    assert books.rows == expected(range(100))


async def test_a_refused_record_does_not_keep_the_directory(tmp_path: Path) -> None:
    path = left_behind(tmp_path, *range(20))
    books = Books()
    books.refuses = {opening(5).id}
    report = await recover(tmp_path, books.insert, NOW)
    assert (report.adopted, report.rejected) == (1, 1)
    assert frames(tmp_path / "rejected" / f"{path.name}.segment") == [Frame(SETTLE, settled(5))]
    assert directories(tmp_path) == []


@pytest.mark.parametrize("now", [NOW - 86400, 0.0])
async def test_a_clock_that_went_back_changes_no_record(tmp_path: Path, now: float) -> None:
    left_behind(tmp_path, 3, 2, 1, unsettled=[4])
    books = Books()
    report = await recover(tmp_path, books.insert, now)
    assert books.rows == expected([1, 2, 3], [4])
    assert report.oldest_s == 0.0


async def test_a_journal_opened_while_others_recover_keeps_its_directory(tmp_path: Path) -> None:
    books = Books()
    stop = asyncio.Event()

    async def keep_recovering() -> None:
        while not stop.is_set():
            await recover(tmp_path, books.insert, NOW)

    async def open_and_write(number: int) -> None:
        journal = await asyncio.to_thread(Journal.open, tmp_path, None)
        run(journal, number)
        assert len(list(journal._directory.path.iterdir())) == 1
        journal.close()

    recovering = asyncio.create_task(keep_recovering())
    await asyncio.gather(*(open_and_write(number) for number in range(50)))
    stop.set()
    await recovering
    await recover(tmp_path, books.insert, NOW)
    assert books.rows == expected(range(50))
