"""Processes to be killed. Run as `python -m tests.storage.journal.kill_worker`; one order a line on stdin.

    work <directory> <seed>      fork a worker, kill it at a random instant after its first acknowledgement
    recover <directory> <seed>   fork a recovery and kill it at a random instant, if it lasts so long
    race <directory> <count>     fork that many recoveries, let them begin together, wait for all
    fill <directory> <bytes>     fork a worker whose files may not grow beyond so many bytes, then kill it

Each order is answered by a line `done`. A directory holds `journal`, `books.sqlite`, `acknowledged`
(a line `started <n>` or `settled <n>`, written after the call returned) and `reports`. Workers are
forked from a process that has imported everything, so that hundreds of them take seconds.
"""

import asyncio
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.storage.journal.books import NOW, SqliteBooks, closing_of, opening

from ownkey.domain.errors import Unavailable
from ownkey.storage.journal import Journal, Pace, UsageWriter, recover


class Acknowledgements:
    def __init__(self, directory: Path) -> None:
        self._fd = os.open(directory / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def add(self, what: str, number: int) -> None:
        os.write(self._fd, f"{what} {number}\n".encode())


async def work(directory: Path, seed: int, ready: int) -> None:
    """Start and settle requests for ever, in random order, with everything else going on at once."""
    chance = random.Random(seed)
    books, acknowledged = SqliteBooks(directory / "books.sqlite"), Acknowledgements(directory)
    journal = Journal.open(
        directory / "journal",
        chance.choice([None, 0, 0.002]),
        segment_bytes=chance.choice([2000, 20_000, 200_000]),
        in_memory=chance.choice([10, 100, 10_000]),
    )
    UsageWriter(journal, books.insert, Pace(interval=0.002, rows=chance.choice([1, 20, 200]), rest=0.001))
    running: list[int] = []
    number = seed * 1_000_000
    while True:
        number += 1
        journal.start(opening(number))
        acknowledged.add("started", number)
        os.write(ready, b".")
        running.append(number)
        while running and chance.random() < 0.52:
            ended = running.pop(chance.randrange(len(running)))
            journal.settle(closing_of(opening(ended)))
            acknowledged.add("settled", ended)
        await asyncio.sleep(0)


async def fill(directory: Path, size: int, ready: int) -> None:
    """Run into a full disk with requests open, and settle them there."""
    acknowledged = Acknowledgements(directory)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    journal = Journal.open(directory / "journal", 0)
    number = 0
    try:
        while True:
            journal.start(opening(number))
            acknowledged.add("started", number)
            number += 1
    except Unavailable:
        pass
    for each in range(number):
        journal.settle(closing_of(opening(each)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    journal.start(opening(number))
    acknowledged.add("started", number)
    # The first settle alone finds its way to the disk again.
    journal._unwritten = type(journal._unwritten)(list(journal._unwritten)[:1])
    journal.retry()
    acknowledged.add("settled", 0)
    os.write(ready, b".")
    await asyncio.Event().wait()


async def recover_once(directory: Path) -> None:
    report = await recover(directory / "journal", SqliteBooks(directory / "books.sqlite").insert, NOW)
    with (directory / "reports").open("a") as file:
        file.write(f"{report.adopted} {report.postponed} {report.settled} {report.interrupted}\n")


def forked(job: Callable[[], None]) -> int:
    """The id of a child that does `job` and exits."""
    if pid := os.fork():
        return pid
    code = 1
    try:
        job()
        code = 0
    finally:
        os._exit(code)


def killed_at_random(job: Callable[[int], None], within: float) -> None:
    """Kill a child at an instant within so many seconds of its first sign of life, or of its end."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    pid = forked(lambda: job(writing))
    os.close(writing)
    os.read(reading, 1)
    time.sleep(random.random() * within)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(reading)


def race(directory: Path, count: int) -> None:
    gate, opener = os.pipe()

    def enter() -> None:
        os.close(opener)
        os.read(gate, 1)
        asyncio.run(recover_once(directory))

    children = [forked(enter) for _ in range(count)]
    os.close(opener)
    for pid in children:
        os.waitpid(pid, 0)
    os.close(gate)


def obey(order: str, directory: Path, number: int) -> None:
    if order == "work":
        killed_at_random(lambda ready: asyncio.run(work(directory, number, ready)), 0.08)
    elif order == "fill":
        killed_at_random(lambda ready: asyncio.run(fill(directory, number, ready)), 0)
    elif order == "race":
        race(directory, number)
    else:

        def one(ready: int) -> None:
            os.write(ready, b".")
            asyncio.run(recover_once(directory))

        killed_at_random(one, 0.02)


def main() -> None:
    for line in sys.stdin:
        order, directory, number = line.rsplit(maxsplit=2)
        obey(order, Path(directory), int(number))
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
