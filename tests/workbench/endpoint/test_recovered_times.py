"""The times that an endpoint took are the times that the figures tell, over real sockets.

The sandbox keeps when it handed its bytes to the operating system. What other processes do to this one in between is no
fault of the client's: a pulse on the same event loop tells when that was, and requests that it fell upon do not count,
on either side of the comparison.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from math import exp
from time import monotonic
from typing import Any

import httpx2
import pytest
from tests.net.hostile import client_of
from tests.workbench.endpoint.endpoints import caller_of, target_at

from ownkey.sandbox import Options, SandboxServer
from ownkey.workbench.engine import Runner
from ownkey.workbench.figures import Figures
from ownkey.workbench.graders import Graders
from ownkey.workbench.metrics.statistics import percentile
from ownkey.workbench.records import Message, Prompt, Result, RunPlan, SuiteInfo, Timing
from ownkey.workbench.summary import Spread

_REQUESTS = 600
_ENOUGH = 30
"""Requests that must have been left alone."""
_CONCURRENCY = 20
_MEDIAN_MS, _SIGMA = 120, 0.5
_TARGET = target_at("", model=f"lorem-2+ttft=lognormal:{_MEDIAN_MS}:{_SIGMA}+gap=exponential:20+seed=7")
_TOLERANCE = 0.02
_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_THREE_ERRORS = {"p50": 0.08, "p95": 0.13, "p99": 0.23}
"""Three standard errors of each percentile of so many draws, as a share of it."""
_NORMAL_QUANTILES = {"p50": 0.0, "p95": 1.6449, "p99": 2.3263}
_BEAT_S, _LATE_S = 0.001, 0.003


class Pulse:
    """Beats every millisecond, and remembers when it could not."""

    def __init__(self) -> None:
        self._missed: list[tuple[float, float]] = []

    async def beat(self) -> None:
        while True:
            before = monotonic()
            await asyncio.sleep(_BEAT_S)
            if (after := monotonic()) - before > _LATE_S:
                self._missed.append((before, after))

    def steady(self, begin: float, end: float) -> bool:
        return all(after <= begin or before >= end for before, after in self._missed)


async def _run(url: str, pulse: Pulse) -> dict[str, Result]:
    """The results of a run by question, with the clock of the machine."""
    found: dict[str, Result] = {}

    async def source() -> AsyncIterator[Prompt]:
        for number in range(_REQUESTS):
            yield Prompt(f"question {number}", (Message("user", f"question {number}"),))

    async def keep(results: Sequence[Result]) -> None:
        found.update((result.prompt_id, result) for result in results)

    beating = asyncio.create_task(pulse.beat())
    async with client_of() as client:
        caller = caller_of(client, target_at(f"{url}/openai/v1", model=_TARGET.model))
        await Runner(_plan(), [caller], Graders(), source, keep).run()
    beating.cancel()
    with suppress(asyncio.CancelledError):
        await beating
    return found


def _plan() -> RunPlan:
    suite = SuiteInfo(id="s", name="s", prompts=_REQUESTS)
    return RunPlan(suite=suite, targets=(_TARGET,), concurrency=_CONCURRENCY, retries=0)


async def _log(url: str) -> dict[str, dict[str, Any]]:
    """The sandbox's own times of each request, by question."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        rows = (await client.get(f"{url}/__sandbox/requests")).json()["requests"]
    return {row["body"]["messages"][0]["content"]: row["timing"] for row in rows}


def _left_alone(timing: Timing, kept: dict[str, Any], pulse: Pulse) -> bool:
    """Whether nothing held the request up between client and sandbox, on the way there and on the way back."""
    arrived, actual = kept["arrived_monotonic_s"], kept["actual_ms"]
    assert timing.ttft_ms is not None
    assert timing.e2e_ms is not None
    ways = [(timing.sent_at, arrived)]
    for theirs, ours in (("first_byte", timing.ttft_ms), ("last_token", timing.e2e_ms)):
        ways.append((arrived + actual[theirs] / 1000, timing.sent_at + ours / 1000))
    return all(pulse.steady(begin, end) for begin, end in ways)


def _percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {name: percentile(ordered, share) for name, share in _SHARES.items()}


def _told(found: Spread) -> dict[str, float]:
    return {name: getattr(found, name) for name in _SHARES}


async def test_percentiles_of_a_drawn_latency_are_recovered_within_two_percent() -> None:
    pulse, figures = Pulse(), Figures(_plan())
    async with SandboxServer(options=Options(recent_requests=_REQUESTS)) as sandbox:
        results = await _run(sandbox.url, pulse)
        log = await _log(sandbox.url)
    assert results.keys() == log.keys()
    kept: list[dict[str, Any]] = []
    for question, result in results.items():
        if _left_alone(result.observation.timing, log[question], pulse):
            figures.add(result)
            kept.append(log[question]["actual_ms"])
    summary = figures.summary().targets[0]
    assert summary.success.count == len(kept) > _ENOUGH
    for metric, name in (("ttft_ms", "first_byte"), ("latency_ms", "last_token")):
        assert _told(summary.metrics[metric]) == pytest.approx(
            _percentiles([each[name] for each in kept]), rel=_TOLERANCE
        )
    # And what was drawn is the distribution that was asked for, as far as so many draws tell.
    drawn = _percentiles([each["planned_ms"]["first_byte"] for each in log.values()])
    for name, quantile in _NORMAL_QUANTILES.items():
        assert drawn[name] == pytest.approx(_MEDIAN_MS * exp(_SIGMA * quantile), rel=_THREE_ERRORS[name])
