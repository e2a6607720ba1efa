"""How long and how often each thing is measured: a full run takes about eight minutes, a quick one about one."""

import time
from collections.abc import Iterator

from msgspec import Struct


class Scale(Struct, frozen=True, kw_only=True):
    """Sizes of a run. Times are in seconds; `…_limit` ends a section early rather than let the run grow."""

    rounds: int = 5
    round_s: int = 2
    rounds_limit: float = 120.0
    connections: int = 64

    open_rounds: int = 5
    open_s: float = 3.0
    open_rate: int = 1000
    open_limit: float = 60.0

    streams: int = 2000
    stream_rounds: int = 3
    stream_limit: float = 100.0
    stream_tokens: int = 40
    stream_rate: float = 5.0
    """Tokens a second in each of the many streams."""

    brisk_rounds: int = 5
    brisk_limit: float = 70.0
    brisk_streams: int = 64
    brisk_tokens: int = 125
    brisk_rate: float = 50.0
    """Tokens a second in each of the few streams that tell what one event costs."""

    workbench_prompts: int = 400
    workbench_concurrency: int = 50

    starts: int = 5
    cold_starts: int = 3
    starts_limit: float = 60.0


FULL = Scale()
QUICK = Scale(
    rounds=1,
    round_s=1,
    open_rounds=1,
    open_s=1.5,
    stream_rounds=1,
    stream_tokens=30,
    brisk_rounds=1,
    brisk_tokens=60,
    workbench_prompts=150,
    starts=2,
    cold_starts=1,
    starts_limit=12.0,
)


def bounded(times: int, seconds: float) -> Iterator[int]:
    """Count to `times`, at least to one, but begin nothing new after `seconds`."""
    began = time.monotonic()
    for index in range(times):
        if index and time.monotonic() - began > seconds:
            return
        yield index
