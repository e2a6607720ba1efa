"""Storing what processes that died left in their journals."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ownkey.domain.usage import RequestRecord, RequestStatus
from ownkey.storage.journal.delivery import Delivery, Sink
from ownkey.storage.journal.frames import START, Damage, UnknownFormat, read_segment
from ownkey.storage.journal.segments import RunDirectory, run_directories

_ROWS: Final = 500


class RecoveryReport(Struct, kw_only=True):
    """What a recovery found.

    `adopted` counts directories emptied and removed, `postponed` those left for another try, with
    `failure` the last reason. `settled` and `interrupted` count records handed to the database,
    `rejected` those it rejected. `corrupted` counts stretches of a segment that could not be read
    (such a segment is moved to `root`/damaged), `torn` ends of writes that a crash cut short.
    `oldest_s` is the age of the oldest record in seconds.
    """

    adopted: int = 0
    postponed: int = 0
    settled: int = 0
    interrupted: int = 0
    rejected: int = 0
    corrupted: int = 0
    torn: int = 0
    oldest_s: float = 0.0
    failure: BaseException | None = None


async def recover(root: Path, sink: Sink, now: float) -> RecoveryReport:
    """Adopt the journals of dead processes below `root` and store their records; `now` is Unix seconds.

    Settled requests are stored as they are, the others as interrupted with the estimate they began
    with. Living processes' journals are left alone, and two recoveries share the work. What fails,
    such as a database that is away, is reported and left as it is: call again. Being killed at any
    moment is harmless too. Raises OSError when `root` cannot be read.
    """
    report = RecoveryReport()
    for path in await asyncio.to_thread(lambda: list(run_directories(root))):
        directory = RunDirectory.adopt(path)
        if directory is not None:
            await _Replay(directory, sink, now, report).run()
    return report


class _Replay:
    """One dead process's journal. Nothing is removed before everything in it is stored."""

    def __init__(self, directory: RunDirectory, sink: Sink, now: float, report: RecoveryReport) -> None:
        self._directory = directory
        self._delivery = Delivery(sink, directory.rejected_path())
        self._now = now
        self._report = report
        self._started: dict[str, RequestRecord] = {}
        self._batch: list[RequestRecord] = []
        self._damaged: set[Path] = set()

    async def run(self) -> None:
        try:
            failure = await self._store_all()
            if failure is None:
                self._remove()
        except (OSError, UnknownFormat) as error:
            failure = error
        finally:
            self._report.rejected += self._delivery.rejections
            self._directory.release()
        if failure is not None:
            self._report.postponed += 1
            self._report.failure = failure
        else:
            self._report.adopted += 1

    async def _store_all(self) -> BaseException | None:
        for segment in self._directory.segments():
            data = await asyncio.to_thread(segment.read_bytes)
            for count, item in enumerate(read_segment(data)):
                if not count % _ROWS:
                    await asyncio.sleep(0)
                if isinstance(item, Damage):
                    self._note(item, segment)
                elif item.kind == START:
                    self._started[item.record.id] = item.record
                else:
                    self._started.pop(item.record.id, None)
                    self._batch.append(item.record)
                    if len(self._batch) >= _ROWS and (failure := await self._store()) is not None:
                        return failure
        if self._batch and (failure := await self._store()) is not None:
            return failure
        return await self._store_interrupted()

    async def _store(self) -> BaseException | None:
        batch, self._batch = self._batch, []
        failure = await self._delivery.store(batch)
        if failure is None:
            self._report.settled += len(batch)
            self._count_age(batch)
        return failure

    async def _store_interrupted(self) -> BaseException | None:
        interrupted = [
            replace(record, status=RequestStatus.INTERRUPTED.value, usage_reported=False)
            for record in self._started.values()
        ]
        for first in range(0, len(interrupted), _ROWS):
            batch = interrupted[first : first + _ROWS]
            if (failure := await self._delivery.store(batch)) is not None:
                return failure
            self._report.interrupted += len(batch)
            self._count_age(batch)
        return None

    def _note(self, damage: Damage, segment: Path) -> None:
        if damage.torn:
            self._report.torn += 1
        else:
            self._report.corrupted += 1
            self._damaged.add(segment)

    def _count_age(self, records: Iterable[RequestRecord]) -> None:
        oldest = min(record.at for record in records)
        self._report.oldest_s = max(self._report.oldest_s, self._now - oldest)

    def _remove(self) -> None:
        # Oldest first: a settle that outlives its start is still true, a start that outlives its settle is not.
        for segment in self._directory.segments():
            self._directory.discard(segment, damaged=segment in self._damaged)
        self._directory.remove()
