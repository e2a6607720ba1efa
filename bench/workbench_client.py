"""Asks the sandbox many prompts and says when each answer came: by the workbench's engine, or by the least of clients.

A process of its own, one job as JSON in and one result as JSON out, see `processes.Generator`:
`{"client": "engine" | "raw", "url": …, "model": …, "prompts": …, "concurrency": …, "name": …}`. The result holds a row
a prompt, `[question, sent, first, last]`, in seconds of the machine's monotonic clock.
"""

import asyncio
import gc
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from time import monotonic
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from bench.questions import PROVIDER_KEY
from ownkey.domain.secret import Secret
from ownkey.gateway.net import AddressGuard, UpstreamClient
from ownkey.workbench.endpoint import Clock, DirectTransport, EndpointCaller
from ownkey.workbench.endpoint.request import chat_body
from ownkey.workbench.engine import Runner
from ownkey.workbench.graders import Graders
from ownkey.workbench.records import (
    Abilities,
    EndpointKind,
    Message,
    Prompt,
    Result,
    RunPlan,
    Sampling,
    SuiteInfo,
    Target,
)

Row = tuple[str, float, float, float]
_TEMPERATURE = 0.7


def question(name: str, number: int) -> str:
    """What prompt `number` asks; the sandbox's log is searched for it."""
    return f"{name}: question {number}?"


def plan_of(url: str, model: str, prompts: int, concurrency: int) -> RunPlan:
    """A run against the sandbox."""
    target = Target(id="t", label=model, kind=EndpointKind.DIRECT, model=model, base_url=url)
    suite = SuiteInfo(id="s", name="s", prompts=prompts)
    return RunPlan(suite=suite, targets=(target,), concurrency=concurrency, retries=0)


async def carry_out(plan: RunPlan, name: str, keep: Callable[[Result], None]) -> None:
    """Make a run as the command line would. Unix times in the results are the machine's monotonic clock."""

    async def source() -> AsyncIterator[Prompt]:
        for number in range(plan.prompts):
            yield Prompt(question(name, number), (Message("user", question(name, number)),))

    async def keep_all(results: Sequence[Result]) -> None:
        for result in results:
            if not result.observation.ok:
                raise RuntimeError(f"{result.prompt_id}: {result.observation.failure}")
            keep(result)

    (target,) = plan.targets
    client = UpstreamClient(AddressGuard())
    transport = DirectTransport(client, target.base_url or "", Secret(PROVIDER_KEY), trusted=True)
    caller = EndpointCaller(transport, target, Clock(0.0))
    try:
        await Runner(plan, [caller], Graders(), source, keep_all).run()
    finally:
        await client.close()


async def ask_by_engine(url: str, model: str, name: str, prompts: int, concurrency: int) -> list[Row]:
    """Through `Runner` and `EndpointCaller`."""
    rows: list[Row] = []

    def keep(result: Result) -> None:
        timing = result.observation.timing
        if timing.ttft_ms is None or timing.e2e_ms is None:
            raise RuntimeError(f"{result.prompt_id} has no times")
        sent = timing.sent_at
        rows.append((result.prompt_id, sent, sent + timing.ttft_ms / 1000, sent + timing.e2e_ms / 1000))

    await carry_out(plan_of(url, model, prompts, concurrency), name, keep)
    return rows


class RawClient(asyncio.Protocol):
    """Writes a request, stamps what comes, and looks for no more than the marks it needs."""

    def __init__(self) -> None:
        self.first = self.last = 0.0
        self._ended: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        stamp = monotonic()
        if b'"delta":{"content":' in data:
            self.first = self.first or stamp
            self.last = stamp
        if b"data: [DONE]" in data and self._ended is not None:
            self._ended.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_exception(ConnectionError("the sandbox closed the connection"))

    async def ask(self, request: bytes) -> tuple[float, float, float]:
        """When the request was sent, and when the first and the last content came."""
        self.first = self.last = 0.0
        self._ended = asyncio.get_running_loop().create_future()
        sent = monotonic()
        self.transport.write(request)
        await self._ended
        return sent, self.first, self.last


async def ask_raw(url: str, model: str, name: str, prompts: int, concurrency: int) -> list[Row]:
    """With a connection a caller and no parsing."""
    where = urlsplit(url)
    host, port = where.hostname or "", where.port or 80
    rows: list[Row] = []
    numbers = iter(range(prompts))

    async def work(numbers: Iterator[int]) -> None:
        _, client = await asyncio.get_running_loop().create_connection(RawClient, host, port)
        for number in numbers:
            text = question(name, number)
            rows.append((text, *await client.ask(_request(where.netloc, where.path, model, text))))
        client.transport.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work(numbers))
    return rows


def _request(host: str, path: str, model: str, text: str) -> bytes:
    body = chat_body(model, (Message("user", text),), Sampling(temperature=_TEMPERATURE), Abilities())
    head = (
        f"POST {path}/chat/completions HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {PROVIDER_KEY}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def main() -> None:
    job: dict[str, Any] = json.loads(sys.stdin.read())
    ask = {"engine": ask_by_engine, "raw": ask_raw}[job["client"]]
    # As the server does once it has started.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    rows = uvloop.run(ask(job["url"], job["model"], job["name"], job["prompts"], job["concurrency"]))
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
