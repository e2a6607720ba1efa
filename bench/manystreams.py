"""A load generator that opens many event streams at once (its own process: `python -m bench.manystreams`).

Job: host, port, wire (the request), count.
Result: `opened_at`, `ended_at` (monotonic seconds, comparable between processes of one machine) and
`all_first_s`, the time from the start until every stream had its first event; `events` counts all,
`most_open` the streams that were open at once, `broken` those without a proper end.
"""

import asyncio
import json
import sys
import time
from typing import Any, cast

import uvloop

_PATIENCE = 60.0
_EVENT = b"data: "
_LAST_CHUNK = b"0\r\n\r\n"


class Stream(asyncio.Protocol):
    """One request, one stream."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._events = 0
        self.ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._load.wire)

    def data_received(self, data: bytes) -> None:
        events = data.count(_EVENT)
        if events and not self._events:
            self._load.began()
        self._events += events
        self._load.events += events
        if data.endswith(_LAST_CHUNK):
            self.ended = True
            self._load.over(broken=not self._events)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended:
            self._load.over(broken=True)


class Load:
    """All streams of a run."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.wire = str(job["wire"]).encode()
        self._host, self._port, self._count = str(job["host"]), int(job["port"]), int(job["count"])
        self.events = 0
        self._begun = self._ended = self._broken = self._most_open = 0
        self._first: list[float] = []
        self._all_over = asyncio.Event()

    async def run(self) -> dict[str, Any]:
        """Open all at once and read them to their ends."""
        loop = asyncio.get_running_loop()
        self._start = time.monotonic()
        async with asyncio.timeout(_PATIENCE):
            await asyncio.gather(
                *(loop.create_connection(lambda: Stream(self), self._host, self._port) for _ in range(self._count))
            )
            connected = time.monotonic() - self._start
            await self._all_over.wait()
        firsts = sorted(self._first)
        return {
            "opened_at": self._start + (firsts[-1] if firsts else 0.0),
            "ended_at": time.monotonic(),
            "connected_s": connected,
            "all_first_s": firsts[-1] if firsts else 0.0,
            "median_first_s": firsts[len(firsts) // 2] if firsts else 0.0,
            "events": self.events,
            "most_open": self._most_open,
            "broken": self._broken,
        }

    def began(self) -> None:
        """A stream got its first event."""
        self._first.append(time.monotonic() - self._start)
        self._begun += 1
        self._most_open = max(self._most_open, self._begun - self._ended)

    def over(self, *, broken: bool) -> None:
        """A stream has ended."""
        self._ended += 1
        self._broken += broken
        if self._ended == self._count:
            self._all_over.set()


async def _main() -> dict[str, Any]:
    return await Load(json.load(sys.stdin)).run()


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_main())))
