"""What Ownkey and nginx add to the time of an answer at a constant rate far from their limits."""

from collections.abc import Mapping
from statistics import median
from typing import Any

from msgspec import Struct

from bench.processes import Generator, environment
from bench.questions import Question
from bench.scale import Scale, bounded
from bench.stage import Stage

_CONNECTIONS = 64


class Latency(Struct, frozen=True):
    """Medians over the rounds, in milliseconds. `late_p99_ms` is the generator's own delay, part of each figure."""

    name: str
    p50_ms: float
    p99_ms: float
    late_p99_ms: float
    per_second: float


class Added(Struct, frozen=True):
    """The median over the rounds of (through it − direct) in the same round, in milliseconds."""

    p50_ms: float
    p99_ms: float


class Latencies(Struct, frozen=True):
    rate: int
    rows: list[Latency]
    added: dict[str, Added]
    rounds: dict[str, list[dict[str, Any]]]


def measure_latency(stage: Stage, questions: Mapping[str, Question], scale: Scale) -> Latencies:
    """Interleaved rounds; the first question is the direct one."""
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in questions}
    for _ in bounded(scale.open_rounds, scale.open_limit):
        for name, question in questions.items():
            rounds[name].append(_load(stage, question, scale))
    direct, *others = questions
    return Latencies(
        rate=scale.open_rate,
        rows=[_summary(name, measured) for name, measured in rounds.items()],
        added={
            name: Added(_added(rounds[name], rounds[direct], "p50_us"), _added(rounds[name], rounds[direct], "p99_us"))
            for name in others
        },
        rounds=rounds,
    )


def _load(stage: Stage, question: Question, scale: Scale) -> dict[str, Any]:
    job = {
        "host": "127.0.0.1",
        "port": question.port,
        "wire": question.wire(),
        "rate": scale.open_rate,
        "seconds": scale.open_s,
        "connections": _CONNECTIONS,
    }
    generator = Generator("bench.openloop", stage.cores.other, environment(), job)
    return generator.result(scale.open_s + 20)


def _summary(name: str, rounds: list[dict[str, Any]]) -> Latency:
    return Latency(
        name=name,
        p50_ms=median(each["p50_us"] for each in rounds) / 1000,
        p99_ms=median(each["p99_us"] for each in rounds) / 1000,
        late_p99_ms=median(each["late_p99_us"] for each in rounds) / 1000,
        per_second=median(each["per_second"] for each in rounds),
    )


def _added(through: list[dict[str, Any]], direct: list[dict[str, Any]], figure: str) -> float:
    return median(a[figure] - b[figure] for a, b in zip(through, direct, strict=True)) / 1000
