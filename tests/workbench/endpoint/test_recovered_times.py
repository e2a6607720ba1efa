"""The times that an endpoint took are the times that the figures tell, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from math import exp

import httpx2
import pytest
from tests.net.hostile import client_of
from tests.workbench.endpoint.endpoints import caller_of, target_at

from ownkey.sandbox import Options, SandboxServer
from ownkey.workbench.engine import Runner
from ownkey.workbench.figures import Figures
from ownkey.workbench.graders import Graders
from ownkey.workbench.metrics.percentile import percentile
from ownkey.workbench.records import Message, Prompt, Result, RunPlan, SuiteInfo
from ownkey.workbench.summary import Spread, TargetSummary

_REQUESTS = 1000
_CONCURRENCY = 40
_MEDIAN_MS, _SIGMA = 60, 0.5
_MODEL = f"lorem-2+ttft=lognormal:{_MEDIAN_MS}:{_SIGMA}+gap=exponential:20+seed=7"
_TOLERANCE = 0.02
_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_THREE_ERRORS = {"p50": 0.06, "p95": 0.10, "p99": 0.18}
"""Three standard errors of each percentile of so many draws, as a share of it."""
_NORMAL_QUANTILES = {"p50": 0.0, "p95": 1.6449, "p99": 2.3263}


async def _run(url: str) -> TargetSummary:
    async def source() -> AsyncIterator[Prompt]:
        for number in range(_REQUESTS):
            yield Prompt(f"{number}", (Message("user", f"question {number}"),))

    async def keep(results: Sequence[Result]) -> None:
        for result in results:
            figures.add(result)

    target = target_at(f"{url}/openai/v1", model=_MODEL)
    suite = SuiteInfo(id="s", name="s", prompts=_REQUESTS)
    plan = RunPlan(suite=suite, targets=(target,), concurrency=_CONCURRENCY, retries=0)
    figures = Figures(plan)
    async with client_of() as client:
        await Runner(plan, [caller_of(client, target)], Graders(), source, keep).run()
    return figures.summary().targets[0]


async def _log(url: str) -> list[dict[str, dict[str, float]]]:
    """The sandbox's own times of each request: what was drawn (`planned_ms`) and what was kept (`actual_ms`)."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        rows = (await client.get(f"{url}/__sandbox/requests")).json()["requests"]
    return [row["timing"] for row in rows]


def _percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {name: percentile(ordered, share) for name, share in _SHARES.items()}


def _told(found: Spread) -> dict[str, float]:
    return {name: getattr(found, name) for name in _SHARES}


async def test_percentiles_of_a_drawn_latency_are_recovered_within_two_percent() -> None:
    # Sandbox and client share one event loop: when the machine is slow, the sandbox's own times are, too.
    async with SandboxServer(options=Options(recent_requests=_REQUESTS)) as sandbox:
        async with asyncio.timeout(60):
            summary = await _run(sandbox.url)
        kept = await _log(sandbox.url)
    assert summary.success.count == len(kept) == _REQUESTS
    first = _percentiles([each["actual_ms"]["first_byte"] for each in kept])
    last = _percentiles([each["actual_ms"]["last_token"] for each in kept])
    assert _told(summary.metrics["ttft_ms"]) == pytest.approx(first, rel=_TOLERANCE)
    assert _told(summary.metrics["latency_ms"]) == pytest.approx(last, rel=_TOLERANCE)
    # And what was drawn is the distribution that was asked for, as far as so many draws tell.
    drawn = _percentiles([each["planned_ms"]["first_byte"] for each in kept])
    asked = {name: _MEDIAN_MS * exp(_SIGMA * quantile) for name, quantile in _NORMAL_QUANTILES.items()}
    for name, value in asked.items():
        assert drawn[name] == pytest.approx(value, rel=_THREE_ERRORS[name])
