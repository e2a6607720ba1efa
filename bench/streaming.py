"""Event streams: thousands that are open at once, and what one event costs."""

import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from bench import proc
from bench.processes import Generator, environment
from bench.questions import Question
from bench.stage import Stage

_SAMPLE = 0.1
_PATIENCE = 75.0
_AFTER = 1.0


class Streams(Struct, frozen=True):
    """A run of paced streams. Memory is that of the server named, in MiB; `cpu_us` is its CPU per event while all
    streams were open, `share` that CPU as a share of a core."""

    name: str
    asked: int
    most_open: int
    broken: int
    connected_s: float
    median_first_s: float
    all_first_s: float
    events_per_second: float
    cpu_us: float
    share: float
    memory_before_mb: float
    memory_peak_mb: float
    memory_after_mb: float


class _Sample(Struct, frozen=True):
    at: float
    cpu_s: float
    memory_mb: float


def measure_streams(
    stage: Stage, name: str, question: Question, count: int, pids: Callable[[], tuple[int, ...]]
) -> Streams:
    """Open `count` streams at once through the server of `pids` and read them to their ends."""
    watched = pids()
    samples = [_sample(watched)]
    job = {"host": "127.0.0.1", "port": question.port, "wire": question.wire(), "count": count}
    generator = Generator("bench.manystreams", stage.cores.other, environment(), job)
    deadline = time.monotonic() + _PATIENCE
    try:
        while generator.running and time.monotonic() < deadline:
            time.sleep(_SAMPLE)
            samples.append(_sample(watched))
    finally:
        result = generator.result(1.0)
    time.sleep(_AFTER)
    after = proc.memory_mb(watched)
    return _summary(name, count, result, samples, after)


def _sample(pids: tuple[int, ...]) -> _Sample:
    return _Sample(time.monotonic(), proc.cpu_seconds(pids), proc.memory_mb(pids))


def _summary(name: str, count: int, result: dict[str, Any], samples: list[_Sample], after: float) -> Streams:
    flowing = [each for each in samples if result["opened_at"] <= each.at <= result["ended_at"]] or samples
    seconds = flowing[-1].at - flowing[0].at or _SAMPLE
    cpu = flowing[-1].cpu_s - flowing[0].cpu_s
    lasted = result["ended_at"] - result["opened_at"] + result["all_first_s"]
    per_second = result["events"] / lasted
    return Streams(
        name=name,
        asked=count,
        most_open=result["most_open"],
        broken=result["broken"],
        connected_s=result["connected_s"],
        median_first_s=result["median_first_s"],
        all_first_s=result["all_first_s"],
        events_per_second=per_second,
        cpu_us=cpu / seconds / per_second * 1e6,
        share=cpu / seconds,
        memory_before_mb=samples[0].memory_mb,
        memory_peak_mb=max(each.memory_mb for each in samples),
        memory_after_mb=after,
    )
