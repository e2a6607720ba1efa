"""Requests a second, latency under load and CPU per request: contenders by turns, round after round."""

import time
from collections.abc import Callable, Sequence
from statistics import median

from msgspec import Struct

from bench import machine
from bench.processes import BenchFailed
from bench.questions import Question
from bench.rounds import Row, by_turns, figures_of, ratio, ratio_of
from bench.scale import Scale
from bench.stage import Stage
from bench.wrk import run_wrk

COMPARED = {
    "ownkey → sandbox": "nginx → sandbox",
    "ownkey → static": "nginx → static",
    "ownkey → static, limited key": "nginx → static",
}
"""Whole answers of one format: each beside nginx before the same upstream."""
TRANSLATED = "ownkey → sandbox, translated"
_ROWS = 500
"""Fewer rows than this say nothing about the price of one."""


class Contender(Struct, frozen=True):
    """One way to send the question. `pending` tells how many rows are not stored yet, `settle` waits until none is;
    both only of Ownkey, after each round."""

    name: str
    question: Question
    pids: Callable[[], tuple[int, ...]]
    core: int
    pending: Callable[[], int] | None = None
    settle: Callable[[], None] | None = None


class Round(Struct, frozen=True):
    """One round of one contender. CPU is in microseconds per request, shares are of one core.

    `settled_us` includes what was done after the last answer: storing the rows that waited, of which one took `row_us`
    (0 where too few waited).
    """

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    settled_us: float
    row_us: float
    share: float
    core_share: float
    memory_mb: float


class Throughput(Struct, frozen=True):
    """`per_second` and `cpu` are Ownkey's share of nginx's, by contender: requests a second, and CPU per request with
    all rows stored. Where nginx did not get all of its core, because its upstream, wrk or other processes held it up,
    the first flatters Ownkey; the second then tells what one core is good for. Peers stand in `rows` only."""

    rows: dict[str, Row[Round]]
    per_second: dict[str, float]
    cpu: dict[str, float]
    translated: float
    row_us: float

    @property
    def hardest(self) -> tuple[str, float]:
        """The contender with the least share by CPU, and the share."""
        name = min(self.cpu, key=lambda each: self.cpu[each])
        return name, self.cpu[name]


def measure_throughput(stage: Stage, contenders: Sequence[Contender], scale: Scale) -> Throughput:
    """Interleaved rounds of all contenders, after one second each that does not count."""
    for contender in contenders:
        _measure(stage, contender, scale.connections, 1)
    rows = by_turns(
        contenders,
        lambda contender: _measure(stage, contender, scale.connections, scale.round_s),
        scale.rounds,
        scale.rounds_limit,
    )
    stored = [each.row_us for name in COMPARED for each in rows[name].rounds if each.row_us]
    return Throughput(
        rows=rows,
        per_second={name: ratio(rows[name], rows[nginx], "per_second") for name, nginx in COMPARED.items()},
        cpu={name: _share_by_cpu(rows[name], rows[nginx]) for name, nginx in COMPARED.items()},
        translated=ratio(rows[TRANSLATED], rows["ownkey → sandbox"], "per_second"),
        row_us=median(stored) if stored else 0.0,
    )


def _share_by_cpu(ours: Row[Round], nginx: Row[Round]) -> float:
    return ratio_of(figures_of(nginx.rounds, "cpu_us"), figures_of(ours.rounds, "settled_us"))


def _measure(stage: Stage, contender: Contender, connections: int, seconds: int) -> Round:
    pids = contender.pids()
    cpu, core, began = machine.cpu_seconds(pids), machine.core_seconds(contender.core), time.monotonic()
    try:
        load = run_wrk(contender.question, connections, seconds, stage.cores.other, stage.folder)
    except BenchFailed:
        stage.check()
        raise
    took = time.monotonic() - began
    used, core_used = machine.cpu_seconds(pids) - cpu, machine.core_seconds(contender.core) - core
    memory = machine.memory_mb(pids)
    row_us = 0.0
    if contender.pending is not None and contender.settle is not None:
        before, waiting = machine.cpu_seconds(pids), contender.pending()
        contender.settle()
        if waiting >= _ROWS:
            row_us = (machine.cpu_seconds(pids) - before) / waiting * 1e6
    settled = machine.cpu_seconds(pids) - cpu
    return Round(
        per_second=load.per_second,
        p50_ms=load.p50_us / 1000,
        p99_ms=load.p99_us / 1000,
        cpu_us=used / load.requests * 1e6,
        settled_us=settled / load.requests * 1e6,
        row_us=row_us,
        share=used / took,
        core_share=core_used / took,
        memory_mb=memory,
    )
