"""What a client adds to the sandbox's own times: each answer beside the sandbox's log of the same request."""

from collections.abc import Iterable, Mapping, Sequence

import httpx2
from msgspec import Struct

from bench.processes import BenchFailed
from ownkey.workbench.metrics.statistics import percentile


class Kept(Struct, frozen=True):
    """When the sandbox had a request and answered it, in seconds of the machine's monotonic clock."""

    arrived: float
    first: float
    last_token: float


class Seen(Struct, frozen=True):
    """What a client says of the same request, in milliseconds since it was sent. `sent` is in seconds, None where the
    client's clock is not the machine's."""

    ttft_ms: float
    e2e_ms: float
    sent: float | None = None


class Shares(Struct, frozen=True):
    """Percentiles in milliseconds."""

    p50: float
    p95: float
    p99: float
    max: float


class Added(Struct, frozen=True):
    """What was added to the time to first token and to the latency, request by request.

    `steady` is `e2e` without the first wave: a closed loop begins with all its requests at once, and what most of these
    wait for is the sandbox, which reads one after the other. `back` is the part between the sandbox's handing the last
    content to the operating system and the client's stamp; the rest is between the client's writing and the sandbox's
    reading.
    """

    requests: int
    ttft: Shares
    e2e: Shares
    steady: Shares
    back: Shares | None


def kept_by(sandbox_url: str) -> dict[str, Kept]:
    """The sandbox's log by the last message of each request; the log is empty then. Raises BenchFailed where a
    question was asked twice."""
    rows = httpx2.get(sandbox_url + "/__sandbox/requests", timeout=60.0, trust_env=False).json()["requests"]
    httpx2.delete(sandbox_url + "/__sandbox/requests", trust_env=False)
    found: dict[str, Kept] = {}
    for row in rows:
        text, timing = row["body"]["messages"][-1]["content"], row["timing"]
        actual, arrived = timing["actual_ms"], timing["arrived_monotonic_s"]
        if text in found:
            raise BenchFailed(f"the sandbox was asked twice: {text}")
        found[text] = Kept(arrived, arrived + actual["first_byte"] / 1000, arrived + actual["last_token"] / 1000)
    return found


def added(seen: Mapping[str, Seen], kept: Mapping[str, Kept], wave: int) -> Added:
    """`wave` requests were sent at once at the start. Raises BenchFailed where the two know other requests."""
    if seen.keys() != kept.keys():
        raise BenchFailed(f"the client has {len(seen)} answers, the sandbox's log {len(kept)} of these requests")
    pairs = sorted(((seen[text], kept[text]) for text in seen), key=lambda pair: pair[1].arrived)
    latencies = [mine.e2e_ms - 1000 * (theirs.last_token - theirs.arrived) for mine, theirs in pairs]
    with_clock = [(mine.sent, mine.e2e_ms, theirs) for mine, theirs in pairs if mine.sent is not None]
    return Added(
        requests=len(pairs),
        ttft=shares(mine.ttft_ms - 1000 * (theirs.first - theirs.arrived) for mine, theirs in pairs),
        e2e=shares(latencies),
        steady=shares(latencies[wave:]),
        back=shares(1000 * (sent - theirs.last_token) + e2e_ms for sent, e2e_ms, theirs in with_clock)
        if with_clock
        else None,
    )


def seen_by(rows: Sequence[tuple[str, float, float, float]]) -> dict[str, Seen]:
    """The rows of `workbench_client`."""
    return {text: Seen(1000 * (first - sent), 1000 * (last - sent), sent) for text, sent, first, last in rows}


def shares(values: Iterable[float]) -> Shares:
    """By the workbench's own percentile."""
    ordered = sorted(values)
    return Shares(percentile(ordered, 0.5), percentile(ordered, 0.95), percentile(ordered, 0.99), ordered[-1])
