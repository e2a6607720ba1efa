"""Records and sinks for journal tests: what a request says at its start and end, and where it is stored."""

import asyncio
import resource
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from msgspec.structs import replace

from ownkey.domain.errors import Unavailable
from ownkey.domain.usage import RequestRecord
from ownkey.storage.journal import Journal
from ownkey.storage.journal.frames import Damage, Frame, read_segment

ESTIMATE = 1_000_000
NOW = 1_900_000_000.0


def opening(number: int) -> RequestRecord:
    """What is known before request `number` is sent; its estimate is told from its real cost by size."""
    return RequestRecord(
        id=f"req_{number:08d}",
        at=NOW + number,
        user_id="user_1",
        owner_scope="user",
        owner_id="user_1",
        api_key_id="key_1",
        model="openai/gpt-5",
        upstream_model="gpt-5",
        provider="openai",
        credential_id="cred_1",
        payer="user",
        client_format="openai_chat",
        status="failed",
        http_status=0,
        streamed=True,
        output_tokens=ESTIMATE + number,
        list_cost=ESTIMATE + number,
    )


def closing_of(record: RequestRecord) -> RequestRecord:
    """How that request ended: completed, at the cost of its number."""
    cost = record.list_cost - ESTIMATE
    detail = '{"attempts":[{"provider":"openai","status":200}]}'
    return replace(
        record,
        status="completed",
        http_status=200,
        output_tokens=cost,
        list_cost=cost,
        usage_reported=True,
        ttft_ms=12.5,
        detail=detail,
    )


def settled(number: int) -> RequestRecord:
    return closing_of(opening(number))


def interrupted(number: int) -> RequestRecord:
    return replace(opening(number), status="interrupted")


def run(journal: Journal, *numbers: int) -> None:
    """Start and settle requests."""
    for number in numbers:
        journal.start(opening(number))
        journal.settle(settled(number))


class Books:
    """A sink in memory. `away` raises what it holds; `refuses` are ids it never takes."""

    def __init__(self) -> None:
        self.rows: dict[str, RequestRecord] = {}
        self.calls = 0
        self.away: Exception | None = None
        self.refuses: set[str] = set()
        self.called = asyncio.Event()

    async def insert(self, records: Sequence[RequestRecord]) -> None:
        self.calls += 1
        self.called.set()
        await asyncio.sleep(0)
        if self.away is not None:
            raise self.away
        if any(record.id in self.refuses for record in records):
            raise LookupError("foreign key")
        for record in records:
            self.rows.setdefault(record.id, record)

    async def next_call(self) -> None:
        self.called.clear()
        await self.called.wait()

    def numbers(self) -> list[int]:
        return [int(record.id[4:]) for record in self.rows.values()]


AWAY = Unavailable("The database is away.")


class SqliteBooks:
    """A sink into a real file, as durable as the product's own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with closing(self._connect()) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE IF NOT EXISTS usage (id TEXT PRIMARY KEY, status TEXT, list_cost INTEGER)")

    async def insert(self, records: Sequence[RequestRecord]) -> None:
        await asyncio.to_thread(self._insert, records)

    def rows(self) -> dict[int, tuple[str, int]]:
        """(status, list cost) by number."""
        with closing(self._connect()) as connection:
            rows = connection.execute("SELECT id, status, list_cost FROM usage").fetchall()
        return {int(row[0][4:]): (row[1], row[2]) for row in rows}

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=30)

    def _insert(self, records: Sequence[RequestRecord]) -> None:
        rows = [(record.id, record.status, record.list_cost) for record in records]
        with closing(self._connect()) as connection, connection:
            connection.executemany("INSERT OR IGNORE INTO usage VALUES (?, ?, ?)", rows)


def directories(root: Path) -> list[Path]:
    """The processes' directories, living or dead."""
    return sorted(root.glob("run-*"))


def everything_below(root: Path) -> list[Path]:
    return sorted(root.rglob("*"))


def segments(root: Path) -> list[Path]:
    return sorted(root.glob("run-*/*.segment"))


def frames(path: Path) -> list[Frame | Damage]:
    return list(read_segment(path.read_bytes()))


@contextmanager
def files_limited_to(size: int) -> Generator[None]:
    """The disk takes no byte beyond `size` in any file: for the kernel a full disk by another error number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
