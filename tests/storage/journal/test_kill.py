"""Exactly once, with real processes killed at random instants and a real database file."""

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.storage.journal.books import ESTIMATE, NOW, SqliteBooks, directories, frames, segments

from ownkey.storage.journal import recover
from ownkey.storage.journal.frames import Damage

REPOSITORY = Path(__file__).parents[3]


class Killer:
    """The process of `kill_worker.py`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.storage.journal.kill_worker"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def order(self, what: str, directory: Path, number: int) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what} {directory} {number}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def close(self) -> None:
        self._process.communicate()
        assert self._process.returncode == 0


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    killer = Killer()
    yield killer
    killer.close()


def acknowledged(directory: Path) -> dict[str, set[int]]:
    """The numbers by what was acknowledged; a line the kill cut off does not count."""
    numbers: dict[str, set[int]] = {"started": set(), "settled": set()}
    for line in (directory / "acknowledged").read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            what, number = line.split()
            numbers[what].add(int(number))
    return numbers


def check_books(directory: Path, workers: int) -> None:
    """One row for each acknowledged start, with the right cost; between call and acknowledgement either is right."""
    rows, known = SqliteBooks(directory / "books.sqlite").rows(), acknowledged(directory)
    assert known["started"] <= rows.keys()
    assert len(rows.keys() - known["started"]) <= workers
    status = Counter(status for status, _ in rows.values())
    assert status.keys() <= {"completed", "interrupted"}
    assert {number for number in known["settled"] if rows[number][0] != "completed"} == set()
    assert len(known["settled"]) <= status["completed"] <= len(known["settled"]) + workers
    for number, (how, cost) in rows.items():
        assert cost == (number if how == "completed" else ESTIMATE + number)


async def killed_and_recovered(killer: Killer, directory: Path, seed: int) -> None:
    """One to three workers die one after the other, then some recoveries, then one succeeds."""
    chance = random.Random(seed)
    workers = chance.randint(1, 3)
    for worker in range(workers):
        killer.order("work", directory, seed * 10 + worker)
    for _ in range(chance.randint(0, 2)):
        killer.order("recover", directory, 0)
    books = SqliteBooks(directory / "books.sqlite")
    report = await recover(directory / "journal", books.insert, NOW)
    # A kill may cut a write where it crosses a page; that start was then never acknowledged.
    assert (report.postponed, report.corrupted, report.rejected) == (0, 0, 0)
    assert directories(directory / "journal") == []
    check_books(directory, workers)


@pytest.mark.parametrize("seed", range(20))
async def test_kill_9_at_any_instant_loses_and_doubles_nothing(killer: Killer, tmp_path: Path, seed: int) -> None:
    await killed_and_recovered(killer, tmp_path, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20, 220))
async def test_kill_9_at_any_instant_loses_and_doubles_nothing_long(killer: Killer, tmp_path: Path, seed: int) -> None:
    await killed_and_recovered(killer, tmp_path, seed)


def test_recovering_processes_share_the_dead_journals(killer: Killer, tmp_path: Path) -> None:
    for seed in range(500, 512):
        killer.order("work", tmp_path, seed)
    dead = len(directories(tmp_path / "journal"))
    assert dead == 12
    killer.order("race", tmp_path, 4)
    reports = [list(map(int, line.split())) for line in (tmp_path / "reports").read_text().splitlines()]
    assert len(reports) == 4
    assert sum(adopted for adopted, *_ in reports) == dead
    assert sum(postponed for _, postponed, *_ in reports) == 0
    assert directories(tmp_path / "journal") == []
    check_books(tmp_path, dead)


@pytest.mark.parametrize("size", [700, 4096, 10_000, 10_001, 10_002])
async def test_a_full_disk_then_kill_9_keeps_every_started_request(killer: Killer, tmp_path: Path, size: int) -> None:
    killer.order("fill", tmp_path, size)
    read = [item for path in segments(tmp_path / "journal") for item in frames(path)]
    assert not any(isinstance(item, Damage) for item in read)
    books = SqliteBooks(tmp_path / "books.sqlite")
    await recover(tmp_path / "journal", books.insert, NOW)
    rows = books.rows()
    assert rows.keys() == acknowledged(tmp_path)["started"]
    assert {number for number, (status, _) in rows.items() if status == "completed"} == {0}
