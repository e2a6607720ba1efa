"""A load generator at a constant rate, whatever the answers do (its own process: `python -m bench.openloop`).

Request number i is due at start + i / rate, and its latency counts from that moment, also when it
had to wait for a free connection or for this process: what a stall delays is seen in every request
it delayed (no coordinated omission). The event loop's own timers tick in milliseconds, too coarse
for what is measured here, so the clock is a Linux timerfd.

Job: host, port, wire (the request), rate (a second), seconds, connections.
Result: times in microseconds; `late` is how long after its due moment a request left this process.
"""

import asyncio
import ctypes
import json
import os
import sys
import time
from collections import deque
from typing import Any, cast

import uvloop

_WARM_UP = 0.2
_CLOCK_MONOTONIC = 1
_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_PATIENCE = 10.0


class Connection(asyncio.Protocol):
    """One request at a time; `due` is when it should have been sent."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._buffer = b""
        self.due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data if self._buffer else data
        end = data.find(_END)
        if end >= 0:
            at = data[:end].lower().find(_LENGTH)
            if at < 0 or data[9:12] != b"200":
                self._load.fail(data[:200])
                return
            length = int(data[at + len(_LENGTH) : end].split(b"\r\n", 1)[0])
            if len(data) >= end + 4 + length:
                self._buffer = b""
                self._load.answered(self)
                return
        self._buffer = data

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.fail(b"a connection was closed")


class Load:
    """Sends what is due on whatever connection is free; what finds none waits, its clock running."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._wire = str(job["wire"]).encode()
        self._host, self._port = str(job["host"]), int(job["port"])
        self._gap = 1 / float(job["rate"])
        self._count = int(float(job["rate"]) * float(job["seconds"]))
        self._connections = int(job["connections"])
        self._idle: list[Connection] = []
        self._waiting: deque[float] = deque()
        self._sent = 0
        self._latencies: list[tuple[float, float]] = []
        self._late: list[float] = []
        self._failure = ""
        self._over = asyncio.Event()

    async def run(self) -> dict[str, Any]:
        """Send everything and wait for the answers."""
        loop = asyncio.get_running_loop()
        for _ in range(self._connections):
            _, connection = await loop.create_connection(lambda: Connection(self), self._host, self._port)
            self._idle.append(connection)
        ticks = start_timer(self._gap)
        self._start = time.monotonic() + self._gap
        loop.add_reader(ticks, self._tick, ticks)
        try:
            async with asyncio.timeout(self._count * self._gap + _PATIENCE):
                await self._over.wait()
        finally:
            loop.remove_reader(ticks)
            os.close(ticks)
        if self._failure:
            raise SystemExit(self._failure)
        return self._result()

    def answered(self, connection: Connection) -> None:
        """An answer is complete; its connection takes what waits."""
        self._latencies.append((connection.due, time.monotonic() - connection.due))
        if len(self._latencies) == self._count:
            self._over.set()
        elif self._waiting:
            self._send(connection, self._waiting.popleft())
        else:
            self._idle.append(connection)

    def fail(self, why: bytes) -> None:
        """End the run."""
        if not self._over.is_set():
            self._failure = f"the load generator cannot go on: {why!r}"
            self._over.set()

    def _tick(self, ticks: int) -> None:
        os.read(ticks, 8)
        now = time.monotonic()
        while self._sent < self._count and (due := self._start + self._sent * self._gap) <= now:
            self._sent += 1
            if self._idle:
                self._send(self._idle.pop(), due)
            else:
                self._waiting.append(due)

    def _send(self, connection: Connection, due: float) -> None:
        connection.due = due
        self._late.append(time.monotonic() - due)
        connection.transport.write(self._wire)

    def _result(self) -> dict[str, Any]:
        counted = sorted(latency for due, latency in self._latencies if due >= self._start + _WARM_UP)
        late = sorted(self._late)
        ended = max(due + latency for due, latency in self._latencies)
        return {
            "requests": self._count,
            "per_second": self._count / (ended - self._start),
            "p50_us": _quantile(counted, 0.5) * 1e6,
            "p99_us": _quantile(counted, 0.99) * 1e6,
            "late_p99_us": _quantile(late, 0.99) * 1e6,
        }


def start_timer(gap: float) -> int:
    """A file descriptor that becomes readable every `gap` seconds."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = int(libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC))
    nanoseconds = int(gap * 1e9)
    # struct itimerspec: interval and first expiry, each as seconds and nanoseconds.
    times = (ctypes.c_long * 4)(*divmod(nanoseconds, 1_000_000_000), *divmod(nanoseconds, 1_000_000_000))
    if handle < 0 or libc.timerfd_settime(handle, 0, ctypes.byref(times), None) != 0:
        raise OSError(ctypes.get_errno(), "no timerfd")
    return handle


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def _main() -> dict[str, Any]:
    return await Load(json.load(sys.stdin)).run()


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_main())))
