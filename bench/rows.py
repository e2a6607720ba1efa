"""What a usage row costs: `python -m bench.rows`.

One process without a server: a journal in a fresh folder, its writer, and SQLite with this version's schema. Rows
arrive at a constant rate, as requests would bring them, and CPU time of the whole process is counted until the last
row is stored; the same ticks without rows are subtracted. Beside it stands SQLite alone: one `executemany` per
batch through `sqlite3`, over the same table, with the same settings.
"""

import argparse
import asyncio
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from uuid import uuid4

import msgspec
import uvloop
from msgspec import Struct

from ownkey.domain.ids import RequestIds
from ownkey.domain.usage import RequestRecord
from ownkey.storage import usage
from ownkey.storage.database import Database
from ownkey.storage.journal import Journal, UsageWriter

_TICK = 0.05
"""Seconds between two groups of rows."""
_DETAIL = (
    '{"attempts":[{"credential":"cred_01j8x5yq3v4m7kz2","provider":"openai","model":"gpt-5-mini","payer":"own",'
    '"status":200,"ms":412.5,"ttft_ms":180.25}],"dropped":[]}'
)


class Cost(Struct, frozen=True):
    """Microseconds of CPU time per row. `row` is everything: `start` and `settle` on the request's path and `store`
    beside it. `delay_s` is the longest time from a settled request to its row in the database."""

    start: float
    settle: float
    store: float
    delay_s: float
    batches: int

    @property
    def row(self) -> float:
        return self.start + self.settle + self.store


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the costs of each round and their medians."""
    parser = argparse.ArgumentParser(prog="python -m bench.rows", description=__doc__)
    parser.add_argument("--rate", type=int, default=1000, help="rows per second (1000)")
    parser.add_argument("--seconds", type=float, default=10.0, help="seconds per round (10)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds (3)")
    options = parser.parse_args(arguments)
    rows = int(options.rate * options.seconds)
    costs: list[Cost] = []
    alone: list[float] = []
    print("µs of CPU per row   start  settle   store     all   SQLite alone   longest delay   batches")
    for _ in range(options.rounds):
        costs.append(uvloop.run(_through_the_journal(options.rate, rows)))
        alone.append(_sqlite_alone(rows, rows // max(costs[-1].batches, 1)))
        _print("", costs[-1:], alone[-1:])
    _print("median", costs, alone)


def _print(name: str, costs: Sequence[Cost], alone: Sequence[float]) -> None:
    figures = (median(getattr(cost, field) for cost in costs) for field in ("start", "settle", "store", "row"))
    told = "".join(f"{figure:8.1f}" for figure in figures)
    delay, batches = max(cost.delay_s for cost in costs), median(cost.batches for cost in costs)
    print(f"{name:17s}{told}{median(alone):15.1f}{delay:14.2f} s{batches:10.0f}")


async def _through_the_journal(rate: int, rows: int) -> Cost:
    with TemporaryDirectory(prefix="ownkey-rows-") as folder:
        root = Path(folder)
        database = await Database.open(f"sqlite:///{root / 'ownkey.db'}")
        await database.migrate()
        settled_at: dict[str, float] = {}
        delays: list[float] = []

        async def sink(records: Sequence[RequestRecord]) -> None:
            async with database.write() as connection:
                await usage.insert_batch(connection, records)
            first = next(record.id for record in records if record.id in settled_at)
            delays.append(time.monotonic() - settled_at[first])

        journal = Journal.open(root / "journal", 1.0)
        writer = UsageWriter(journal, sink)
        records, first = _records(rows), _records(1)
        try:
            await _paced(rate, 1, iter(first), journal, settled_at)
            await writer.flush()
            delays.clear()
            idle_from = time.process_time()
            await _paced(rate, rows, iter(()), journal, {})
            idle = time.process_time() - idle_from
            began = time.process_time()
            start, settle = await _paced(rate, rows, iter(records), journal, settled_at)
            await writer.flush()
            total = time.process_time() - began - idle
        finally:
            await writer.close()
            journal.close()
            await database.close()
        _check(root, rows + 1)
    unit = rows / 1e6
    return Cost(start / unit, settle / unit, (total - start - settle) / unit, max(delays), len(delays))


async def _paced(
    rate: int, rows: int, records: Iterator[RequestRecord], journal: Journal, settled_at: dict[str, float]
) -> tuple[float, float]:
    """Start and settle `records` at `rate` per second; CPU seconds of both. Without records, only the ticks."""
    start = settle = 0.0
    began, done = time.monotonic(), 0
    while done < rows:
        await asyncio.sleep(_TICK)
        due = min(rows, int((time.monotonic() - began) * rate))
        group = [record for _, record in zip(range(due - done), records, strict=False)]
        done = due
        now = time.monotonic()
        first = time.thread_time()
        for record in group:
            journal.start(record)
        second = time.thread_time()
        for record in group:
            journal.settle(record)
        settle += time.thread_time() - second
        start += second - first
        if group:
            settled_at[group[0].id] = now
    return start, settle


def _records(rows: int) -> list[RequestRecord]:
    at, ids = time.time(), RequestIds()
    users = [f"usr_{uuid4().hex[:16]}" for _ in range(20)]
    return [
        RequestRecord(
            id=ids.new(at + number * 0.001),
            at=at + number * 0.001,
            user_id=users[number % 20],
            owner_scope="user",
            owner_id=users[number % 20],
            api_key_id=f"key_{users[number % 20]}",
            model="openai/gpt-5-mini",
            upstream_model="gpt-5-mini",
            provider="openai",
            credential_id=f"cred_{users[number % 20]}",
            payer="own",
            client_format="openai_chat",
            status="completed",
            http_status=200,
            streamed=False,
            input_tokens=1200,
            output_tokens=340,
            usage_reported=True,
            list_cost=980_000,
            latency_ms=412.5,
            ttft_ms=180.25,
            attempts=1,
            detail=_DETAIL,
        )
        for number in range(rows)
    ]


def _sqlite_alone(rows: int, batch: int) -> float:
    """CPU microseconds per row of `sqlite3` itself."""
    with TemporaryDirectory(prefix="ownkey-rows-") as folder:
        path = Path(folder) / "ownkey.db"
        asyncio.run(_migrated(path))
        values = [msgspec.structs.astuple(record) for record in _records(rows)]
        marks = ", ".join("?" for _ in values[0])
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
                connection.execute(f"PRAGMA {pragma}")
            began = time.process_time()
            for first in range(0, rows, batch):
                part = sorted(values[first : first + batch])
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(f"INSERT INTO requests VALUES ({marks}) ON CONFLICT (id) DO NOTHING", part)
                connection.execute("COMMIT")
            return (time.process_time() - began) / rows * 1e6


async def _migrated(path: Path) -> None:
    database = await Database.open(f"sqlite:///{path}")
    await database.migrate()
    await database.close()


def _check(root: Path, rows: int) -> None:
    with closing(sqlite3.connect(root / "ownkey.db")) as connection:
        (stored,) = connection.execute("SELECT count(*) FROM requests").fetchone()
    if stored != rows:
        sys.exit(f"{stored} rows are stored, not {rows}")


if __name__ == "__main__":
    main()
