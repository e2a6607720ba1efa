"""Moving to the database: everything once, whatever the database does meanwhile."""

import asyncio
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.storage.journal.books import (
    AWAY,
    Books,
    directories,
    files_limited_to,
    frames,
    opening,
    run,
    segments,
    settled,
)

from ownkey.domain.errors import Unavailable
from ownkey.storage.journal import Journal, Pace, UsageWriter, recover
from ownkey.storage.journal.frames import SETTLE, Frame

SOON = Pace(interval=0.001, rows=50, patience=0.001, longest=0.002)


@pytest.mark.parametrize(
    ("stored", "took", "pause"),
    [
        (0, 0.0, 0.25),
        (99, 0.05, 0.2),
        (99, 0.5, 0.0),
        (100, 0.05, 0.95),
        (5000, 1.5, 0.0),
    ],
)
def test_turns_come_less_often_under_load_and_keep_to_their_interval(stored: int, took: float, pause: float) -> None:
    assert Pace().pause(stored, took) == pytest.approx(pause)


def test_a_row_reaches_a_database_that_keeps_up_within_two_seconds() -> None:
    pace = Pace()
    # Settled right after a turn has looked, it waits for the pause and for one turn, half of the interval at most.
    assert max(pace.interval, pace.busy_interval) * 1.5 <= 2.0


async def test_a_flush_returns_when_all_settled_before_is_stored(tmp_path: Path) -> None:
    journal, books = Journal.open(tmp_path, 0.01), Books()
    writer = UsageWriter(journal, books.insert, Pace(interval=3600, rows=50))
    run(journal, *range(500))
    journal.start(opening(500))
    await writer.flush()
    assert books.numbers() == list(range(500))
    assert books.rows[opening(7).id] == settled(7)
    assert (writer.state.written, writer.state.pending, writer.state.oldest_pending_s) == (500, 0, 0.0)
    journal.settle(settled(500))
    await writer.close()
    journal.close()
    assert books.numbers() == list(range(501))
    assert directories(tmp_path) == []


async def test_records_move_by_themselves(tmp_path: Path) -> None:
    journal, books = Journal.open(tmp_path, None), Books()
    writer = UsageWriter(journal, books.insert, SOON)
    run(journal, 1)
    await books.next_call()
    await writer.close()
    journal.close()
    assert books.numbers() == [1]


@pytest.mark.parametrize("error", [AWAY, ConnectionRefusedError(), TimeoutError(), LookupError("any driver error")])
async def test_a_database_that_was_long_away_gets_everything_once(tmp_path: Path, error: Exception) -> None:
    journal, books = Journal.open(tmp_path, None, segment_bytes=32768, in_memory=100), Books()
    writer = UsageWriter(journal, books.insert, SOON)
    books.away = error
    run(journal, *range(1000))
    for number in range(1000, 1100):
        await books.next_call()
        run(journal, *range(number * 10, number * 10 + 10))
    assert journal.remembered <= 100
    assert writer.state.pending == 2000
    assert writer.state.oldest_pending_s > 0
    assert writer.state.failing == type(error).__name__
    assert books.rows == {}
    books.away = None
    await writer.flush()
    assert books.numbers() == [*range(1000), *range(10000, 11000)]
    assert (writer.state.failing, writer.state.rejected, writer.state.oldest_pending_s) == (None, 0, 0.0)
    await writer.close()
    journal.close()
    assert directories(tmp_path) == []


async def test_failures_make_the_writer_patient(tmp_path: Path) -> None:
    journal, books = Journal.open(tmp_path, None), Books()
    writer = UsageWriter(journal, books.insert, Pace(interval=0.001, patience=0.001, longest=3600))
    books.away = AWAY
    run(journal, 1)
    delays: list[float] = []
    for _ in range(5):
        await books.next_call()
        delays.append(writer._delay)
    assert delays == [0.001 * 2**n for n in range(5)]
    await writer.close(grace=0.01)
    journal.close()


async def test_a_flush_during_an_outage_waits_without_hurrying_the_retries(tmp_path: Path) -> None:
    journal, books = Journal.open(tmp_path, None), Books()
    writer = UsageWriter(journal, books.insert, Pace(interval=3600, patience=0.005, longest=0.005))
    books.away = AWAY
    run(journal, 1)
    flush = asyncio.create_task(writer.flush())
    began, calls = time.monotonic(), books.calls
    for _ in range(10):
        await books.next_call()
    assert time.monotonic() - began >= 0.005 * (books.calls - calls - 2)
    assert not flush.done()
    books.away = None
    await flush
    assert books.numbers() == [1]
    await writer.close()
    journal.close()


async def test_closing_without_a_database_leaves_the_records_for_recovery(tmp_path: Path) -> None:
    journal, books = Journal.open(tmp_path, None), Books()
    writer = UsageWriter(journal, books.insert, SOON)
    books.away = AWAY
    run(journal, *range(10))
    await writer.close(grace=0.01)
    journal.close()
    books.away = None
    report = await recover(tmp_path, books.insert, 0)
    assert (report.adopted, report.settled, report.interrupted) == (1, 10, 0)
    assert books.numbers() == list(range(10))


async def test_a_sink_that_hangs_neither_blocks_nor_loses(tmp_path: Path) -> None:
    journal, books = Journal.open(tmp_path, None, in_memory=100), Books()
    entered, gate = asyncio.Event(), asyncio.Event()

    async def slow(records: object) -> None:
        entered.set()
        await gate.wait()
        await books.insert(records)  # type: ignore[arg-type]

    writer = UsageWriter(journal, slow, SOON)
    run(journal, 0)
    await entered.wait()
    run(journal, *range(1, 1000))
    assert journal.remembered <= 100
    gate.set()
    await writer.flush()
    assert books.numbers() == list(range(1000))
    await writer.close()
    journal.close()


async def test_a_burst_leaves_the_event_loop_to_others(tmp_path: Path) -> None:
    journal, books = Journal.open(tmp_path, None), Books()
    run(journal, *range(5000))
    writer = UsageWriter(journal, books.insert, Pace(interval=0.001, rows=100))
    turns = 0
    while journal.pending:
        await asyncio.sleep(0)
        turns += 1
    assert turns >= books.calls == 50
    await writer.close()
    journal.close()


async def test_a_record_the_database_refuses_is_set_aside_and_holds_up_nobody(tmp_path: Path) -> None:
    journal, books = Journal.open(tmp_path, None), Books()
    writer = UsageWriter(journal, books.insert, SOON)
    books.refuses = {opening(7).id, opening(130).id}
    run(journal, *range(200))
    await writer.flush()
    assert sorted(books.numbers()) == [number for number in range(200) if number not in {7, 130}]
    assert (writer.state.rejected, writer.state.written, writer.state.pending) == (2, 198, 0)
    (kept,) = (tmp_path / "rejected").iterdir()
    assert frames(kept) == [Frame(SETTLE, settled(7)), Frame(SETTLE, settled(130))]
    await writer.close()
    journal.close()
    assert directories(tmp_path) == []


async def test_a_refused_record_alone_waits_for_proof(tmp_path: Path) -> None:
    journal, books = Journal.open(tmp_path, None), Books()
    writer = UsageWriter(journal, books.insert, SOON)
    books.refuses = {opening(1).id}
    run(journal, 1)
    for _ in range(5):
        await books.next_call()
    assert (writer.state.rejected, writer.state.pending) == (0, 1)
    run(journal, 2)
    await writer.flush()
    assert (writer.state.rejected, books.numbers()) == (1, [2])
    await writer.close()
    journal.close()


async def test_a_value_the_database_refuses_is_replaced_not_lost(tmp_path: Path) -> None:
    journal, books = Journal.open(tmp_path, None), Books()

    async def without_nul(records: list[object]) -> None:
        if any("\0" in record.model for record in records):  # type: ignore[attr-defined]
            raise ValueError("NUL")
        await books.insert(records)  # type: ignore[arg-type]

    writer = UsageWriter(journal, without_nul, SOON)  # type: ignore[arg-type]
    run(journal, 1)
    journal.start(opening(2))
    journal.settle(replace(settled(2), model="a\0b"))
    await writer.close()
    journal.close()
    assert books.rows[opening(2).id] == replace(settled(2), model="a\ufffdb")


async def test_what_a_full_disk_kept_in_memory_is_stored_all_the_same(tmp_path: Path) -> None:
    journal, books = Journal.open(tmp_path, None), Books()
    for number in range(100):
        journal.start(opening(number))
    with files_limited_to(segments(tmp_path)[0].stat().st_size):
        for number in range(100):
            journal.settle(settled(number))
        with pytest.raises(Unavailable):
            journal.start(opening(100))
        writer = UsageWriter(journal, books.insert, SOON)
        await writer.flush()
    assert sorted(books.numbers()) == list(range(100))
    assert (journal.pending, journal.open_requests) == (0, 0)
    await writer.close()
    journal.close()
    assert directories(tmp_path) == []


async def test_a_flush_after_the_end_says_so(tmp_path: Path) -> None:
    journal, books = Journal.open(tmp_path, None), Books()
    writer = UsageWriter(journal, books.insert, SOON)
    await writer.close()
    run(journal, 1)
    with pytest.raises(RuntimeError, match="stopped"):
        await writer.flush()
    journal.close()


async def test_ages_do_not_follow_the_wall_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, books = Journal.open(tmp_path, None), Books()
    writer = UsageWriter(journal, books.insert, SOON)
    books.away = AWAY
    run(journal, 2)
    await books.next_call()
    monkeypatch.setattr("time.time", lambda: 0.0)
    run(journal, 1)
    await books.next_call()
    assert 0 < writer.state.oldest_pending_s < 60
    books.away = None
    await writer.close()
    journal.close()
    assert books.rows == {opening(2).id: settled(2), opening(1).id: settled(1)}
