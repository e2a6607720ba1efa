"""Requests a second, latency under load and CPU per request: contenders by turns, round after round, medians."""

import time
from collections.abc import Callable
from statistics import median

from msgspec import Struct

from bench import proc
from bench.processes import BenchFailed
from bench.questions import Question
from bench.scale import Scale, bounded
from bench.stage import Stage
from bench.wrk import run_wrk

_ROUTES = ("sandbox", "static")
"""The upstreams that Ownkey and nginx both stand before."""


class Contender(Struct, frozen=True):
    """One way to send the question. `settle` is waited for after each round."""

    name: str
    question: Question
    pids: Callable[[], tuple[int, ...]]
    core: int
    settle: Callable[[], None] | None = None


class Round(Struct, frozen=True):
    """One round of one contender. CPU is in microseconds per request, shares are of one core.

    `settled_us` includes what was done after the last answer: writing usage to the database.
    """

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    settled_us: float
    share: float
    core_share: float
    memory_mb: float


class Row(Struct, frozen=True):
    """The medians of a contender's rounds."""

    name: str
    median: Round
    rounds: list[Round]


class Ratios(Struct, frozen=True):
    """Ownkey's share of nginx's requests a second, before each upstream, and the same by CPU per request.

    Where nginx did not get all of its core, because its upstream, wrk or other processes held it up,
    the first flatters Ownkey; the second then tells what one core is good for.
    """

    per_second: dict[str, float]
    cpu: dict[str, float]
    translated: float

    @property
    def headline(self) -> tuple[str, float]:
        """The hardest of the four comparisons, and its name."""
        named = {f"requests/s, before {upstream}": ratio for upstream, ratio in self.per_second.items()}
        named |= {f"CPU per request, before {upstream}": ratio for upstream, ratio in self.cpu.items()}
        name = min(named, key=lambda each: named[each])
        return name, named[name]


class Throughput(Struct, frozen=True):
    rows: list[Row]
    ratios: Ratios


def measure_throughput(stage: Stage, contenders: list[Contender], scale: Scale) -> Throughput:
    """Interleaved rounds of all contenders, after one second each that does not count."""
    for contender in contenders:
        _measure(stage, contender, scale.connections, 1)
    rounds: dict[str, list[Round]] = {contender.name: [] for contender in contenders}
    for _ in bounded(scale.rounds, scale.rounds_limit):
        for contender in contenders:
            rounds[contender.name].append(_measure(stage, contender, scale.connections, scale.round_s))
    rows = [Row(name, _median(measured), measured) for name, measured in rounds.items()]
    return Throughput(rows, _compare({row.name: row.median for row in rows}))


def _measure(stage: Stage, contender: Contender, connections: int, seconds: int) -> Round:
    pids = contender.pids()
    cpu, core, began = proc.cpu_seconds(pids), proc.core_seconds(contender.core), time.monotonic()
    try:
        load = run_wrk(contender.question, connections, seconds, stage.cores.other, stage.folder)
    except BenchFailed:
        stage.check()
        raise
    took = time.monotonic() - began
    used, core_used = proc.cpu_seconds(pids) - cpu, proc.core_seconds(contender.core) - core
    memory = proc.memory_mb(pids)
    if contender.settle is not None:
        contender.settle()
    settled = proc.cpu_seconds(pids) - cpu
    return Round(
        per_second=load.per_second,
        p50_ms=load.p50_us / 1000,
        p99_ms=load.p99_us / 1000,
        cpu_us=used / load.requests * 1e6,
        settled_us=settled / load.requests * 1e6,
        share=used / took,
        core_share=core_used / took,
        memory_mb=memory,
    )


def _median(rounds: list[Round]) -> Round:
    return Round(*(median(getattr(each, field) for each in rounds) for field in Round.__struct_fields__))


def _compare(medians: dict[str, Round]) -> Ratios:
    return Ratios(
        per_second={
            upstream: medians[f"ownkey → {upstream}"].per_second / medians[f"nginx → {upstream}"].per_second
            for upstream in _ROUTES
        },
        cpu={
            upstream: medians[f"nginx → {upstream}"].cpu_us / medians[f"ownkey → {upstream}"].cpu_us
            for upstream in _ROUTES
        },
        translated=medians["ownkey → sandbox, translated"].per_second / medians["ownkey → sandbox"].per_second,
    )
