"""Hands records to the database, so that one it rejects cannot block all others."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from ownkey.domain.errors import Unavailable
from ownkey.domain.usage import RequestRecord
from ownkey.storage.journal.frames import SETTLE, encode_frame, encode_header, storable
from ownkey.storage.journal.segments import write_whole

Sink = Callable[[Sequence[RequestRecord]], Awaitable[object]]
"""Stores records durably, all or none; those whose id is stored already change nothing. Any exception means none."""

_HOPELESS: Final = 8


class Delivery:
    """Stores batches through `sink`; what the database permanently rejects goes to the segment `rejected`.

    A record that is already stored serves as a probe: storing it again changes nothing and succeeds if anything does,
    which distinguishes a rejected record from a database that is away.
    """

    def __init__(self, sink: Sink, rejected: Path) -> None:
        self.rejections = 0
        """Records set aside in the rejected segment."""
        self._sink = sink
        self._rejected = rejected
        self._probe: RequestRecord | None = None

    async def store(self, records: Sequence[RequestRecord]) -> BaseException | None:
        """Store all of `records`, or say why not now: then call again with the same records."""
        failure = await self._try(records)
        if failure is None or isinstance(failure, Unavailable | OSError):
            return failure
        cleaned = [storable(record) for record in records]
        if any(clean is not record for clean, record in zip(cleaned, records, strict=True)):
            failure = await self._try(cleaned)
            if failure is None or isinstance(failure, Unavailable | OSError):
                return failure
        return await self._isolate(cleaned, failure)

    async def _try(self, records: Sequence[RequestRecord]) -> BaseException | None:
        """What the sink raised, as a value: whichever driver error it is, the records must stay and be retried."""
        (failure,) = await asyncio.gather(_call(self._sink, records), return_exceptions=True)
        if failure is None:
            self._probe = records[-1]
        return failure

    async def _isolate(self, records: Sequence[RequestRecord], failure: BaseException) -> BaseException | None:
        """Halve until the rejected record is alone, then set it aside, given proof that others are accepted."""
        if self._probe is not None and await self._try([self._probe]) is not None:
            self._probe = None
        refused: list[RequestRecord] = []
        waiting = [records] if len(records) == 1 else _halves(records)
        while waiting:
            part = waiting.pop()
            problem = await self._try(part)
            if problem is None:
                continue
            if isinstance(problem, Unavailable | OSError):
                return problem
            if len(part) > 1:
                waiting.extend(_halves(part))
                continue
            refused.append(part[0])
            if self._probe is None and len(refused) >= _HOPELESS:
                return failure
        for record in refused:
            if not await self._is_refused(record):
                return failure
        for record in refused:
            try:
                self._reject(record)
            except OSError as error:
                return error
        return None

    async def _is_refused(self, record: RequestRecord) -> bool:
        """True when `record` fails between two successes of a record known to be sound."""
        probe = self._probe
        if probe is None or await self._try([probe]) is not None:
            return False
        return await self._try([record]) is not None and await self._try([probe]) is None

    def _reject(self, record: RequestRecord) -> None:
        self._rejected.parent.mkdir(mode=0o700, exist_ok=True)
        fd = os.open(self._rejected, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            header = b"" if os.fstat(fd).st_size else encode_header()
            write_whole(fd, header + encode_frame(SETTLE, record))
            os.fsync(fd)
        finally:
            os.close(fd)
        self.rejections += 1


async def _call(sink: Sink, records: Sequence[RequestRecord]) -> None:
    await sink(records)


def _halves(records: Sequence[RequestRecord]) -> list[Sequence[RequestRecord]]:
    middle = len(records) // 2
    return [records[middle:], records[:middle]]
