"""Event streams: thousands that are open at once, and what one event costs."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from bench import machine
from bench.processes import Generator, environment
from bench.questions import Question
from bench.rounds import Row, by_turns, ratio
from bench.scale import Scale
from bench.stage import Stage

_SAMPLE = 0.1
_PATIENCE = 75.0
_AFTER = 1.0


NGINX, PASSED, TRANSLATED = "nginx → sandbox", "ownkey → sandbox", "ownkey → sandbox, translated"


class Way(Struct, frozen=True):
    """One way to ask for streams, through the server of `pids`."""

    name: str
    question: Question
    pids: Callable[[], tuple[int, ...]]


class Round(Struct, frozen=True):
    """A run of paced streams. Memory is that of the server named, in MiB; `cpu_us` is its CPU per event while all
    streams were open, `share` that CPU as a share of a core."""

    asked: int
    most_open: float
    broken: float
    connected_s: float
    median_first_s: float
    all_first_s: float
    events_per_second: float
    cpu_us: float
    share: float
    memory_before_mb: float
    memory_peak_mb: float
    memory_after_mb: float


class Streams(Struct, frozen=True):
    """Thousands at once (`many`), and few whose events are what costs (`few`). `passed` and `translated` are Ownkey's
    CPU per event by nginx's in the same round, `first` the time until half of the streams have their first event."""

    many: dict[str, Row[Round]]
    few: dict[str, Row[Round]]
    passed: float
    translated: float
    first: float

    @property
    def whole(self) -> bool:
        """Whether in every round all streams were open at once and none broke."""
        return all(each.most_open == each.asked and not each.broken for each in self.many[PASSED].rounds)


def measure_streams(stage: Stage, many: Sequence[Way], few: Sequence[Way], scale: Scale) -> Streams:
    """By turns, the many first."""
    opened = by_turns(many, lambda way: _measure(stage, way, scale.streams), scale.stream_rounds, scale.stream_limit)
    cost = by_turns(few, lambda way: _measure(stage, way, scale.brisk_streams), scale.brisk_rounds, scale.brisk_limit)
    return Streams(
        many=opened,
        few=cost,
        passed=ratio(cost[PASSED], cost[NGINX], "cpu_us"),
        translated=ratio(cost[TRANSLATED], cost[NGINX], "cpu_us"),
        first=ratio(opened[PASSED], opened[NGINX], "median_first_s"),
    )


class _Sample(Struct, frozen=True):
    at: float
    cpu_s: float
    memory_mb: float


def _measure(stage: Stage, way: Way, count: int) -> Round:
    """Open `count` streams at once and read them to their ends."""
    watched = way.pids()
    samples = [_sample(watched)]
    job = {"host": "127.0.0.1", "port": way.question.port, "wire": way.question.wire(), "count": count}
    generator = Generator("bench.manystreams", stage.cores.other, environment(), job)
    deadline = time.monotonic() + _PATIENCE
    try:
        while generator.running and time.monotonic() < deadline:
            time.sleep(_SAMPLE)
            samples.append(_sample(watched))
    finally:
        result = generator.result(1.0)
    time.sleep(_AFTER)
    return _summary(count, result, samples, machine.memory_mb(watched))


def _sample(pids: tuple[int, ...]) -> _Sample:
    return _Sample(time.monotonic(), machine.cpu_seconds(pids), machine.memory_mb(pids))


def _summary(count: int, result: dict[str, Any], samples: list[_Sample], after: float) -> Round:
    flowing = [each for each in samples if result["opened_at"] <= each.at <= result["ended_at"]] or samples
    seconds = flowing[-1].at - flowing[0].at or _SAMPLE
    cpu = flowing[-1].cpu_s - flowing[0].cpu_s
    lasted = result["ended_at"] - result["opened_at"] + result["all_first_s"]
    per_second = result["events"] / lasted
    return Round(
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
