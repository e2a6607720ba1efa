"""What was promised, beside what was measured."""

from msgspec import Struct

from bench.run import Results
from bench.streaming import PASSED

CALL = 0.25
"""nginx's CPU per request by Ownkey's, everything on and all rows stored."""
PASSED_EVENT = 1.5
TRANSLATED_EVENT = 3.0
"""Ownkey's CPU per event by nginx's."""
MEDIAN_FIRST_S = 0.3
ALL_FIRST_S = 1.0
STREAMS_MB = 250.0
ROW_US = 13.0
ADDED_P50_MS = 0.3
ADDED_P99_MS = 1.0
READY_S = 1.2
COLD_READY_S = 2.5
IDLE_MB = 110.0
WORKBENCH_P99_MS = 2.0


class Verdict(Struct, frozen=True):
    """One promise. `met` also needs the measurement to be whole."""

    what: str
    target: str
    measured: str
    met: bool


def judge(results: Results) -> list[Verdict]:
    """The verdicts, in the order of the report."""
    return [*_calls(results), *_streams(results), *_added(results), *_starts(results)]


def _calls(results: Results) -> list[Verdict]:
    name, share = results.throughput.hardest
    row = results.throughput.row_us
    return [
        Verdict(f"nginx's CPU per answer / Ownkey's, the hardest ({name})", f"≥ {CALL}", f"{share:.2f}", share >= CALL),
        _below("CPU per row stored", row, ROW_US, "µs", measured=row > 0),
    ]


def _streams(results: Results) -> list[Verdict]:
    streams = results.streams
    many = streams.many[PASSED].median
    count = f"{many.asked:,} streams"
    whole = streams.whole
    return [
        _below("CPU per passed event / nginx's", streams.passed, PASSED_EVENT, ""),
        _below("CPU per translated event / nginx's", streams.translated, TRANSLATED_EVENT, ""),
        _below(f"first event of {count}, median", many.median_first_s, MEDIAN_FIRST_S, "s", measured=whole),
        _below(f"first event of {count}, all", many.all_first_s, ALL_FIRST_S, "s", measured=whole),
        _below(f"memory with {count} open", many.memory_peak_mb, STREAMS_MB, "MB", measured=whole),
    ]


def _added(results: Results) -> list[Verdict]:
    added = results.latency.added["ownkey → sandbox"]
    rate = f"{results.latency.rate:,} requests/s"
    workbench = max(each.beyond_raw_p99_ms for each in results.workbench)
    return [
        _below(f"added p50 at {rate}", added.p50_ms, ADDED_P50_MS, "ms"),
        _below(f"added p99 at {rate}", added.p99_ms, ADDED_P99_MS, "ms"),
        _below("the workbench's client adds at p99, beyond bare asyncio", workbench, WORKBENCH_P99_MS, "ms"),
    ]


def _starts(results: Results) -> list[Verdict]:
    starts = results.starts
    return [
        _below("start to ready", starts.warm_s, READY_S, "s"),
        _below("start to ready, no compiled modules", starts.cold_s, COLD_READY_S, "s"),
        _below("memory when idle", starts.idle_mb, IDLE_MB, "MB"),
    ]


def _below(what: str, value: float, most: float, unit: str, *, measured: bool = True) -> Verdict:
    digits = 0 if most >= 100 else 2
    text = f"{value:.{digits}f} {unit}".strip() if measured else f"{value:.{digits}f} {unit} (not whole)"
    return Verdict(what, f"≤ {most:g} {unit}".strip(), text, measured and value <= most)
