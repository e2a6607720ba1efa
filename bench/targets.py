"""What was promised, beside what was measured."""

from msgspec import Struct

from bench.run import Results

THROUGHPUT = 0.3
ADDED_P50_MS = 0.3
ADDED_P99_MS = 1.0
STREAMS_MB = 250.0
READY_S = 2.0
TRANSLATED_CALL_US = 150.0
TRANSLATED_EVENT_US = 25.0
WORKBENCH_P99_MS = 2.0


class Verdict(Struct, frozen=True):
    """One promise. `met` also needs the measurement to be whole."""

    what: str
    target: str
    measured: str
    met: bool


def judge(results: Results) -> list[Verdict]:
    """The verdicts, in the order of the report."""
    name, ratio = results.throughput.ratios.headline
    added = results.latency.added["ownkey → sandbox"]
    streams = results.streams[1]
    whole = streams.most_open == streams.asked and not streams.broken
    open_text = "" if whole else f" (only {streams.most_open} open at once, {streams.broken} broken)"
    rate = f"{results.latency.rate:,} requests/s"
    [call] = [row.median for row in results.throughput.rows if row.name.endswith("translated")]
    event = results.streams[-1]
    workbench = max(each.beyond_raw_p99_ms for each in results.workbench)
    return [
        Verdict(
            f"beside nginx, the hardest of four ({name})",
            f"≥ {THROUGHPUT:.2f}",
            f"{ratio:.2f}",
            ratio >= THROUGHPUT,
        ),
        Verdict(f"added p50 at {rate}", f"< {ADDED_P50_MS} ms", f"{added.p50_ms:.2f} ms", added.p50_ms < ADDED_P50_MS),
        Verdict(f"added p99 at {rate}", f"< {ADDED_P99_MS} ms", f"{added.p99_ms:.2f} ms", added.p99_ms < ADDED_P99_MS),
        Verdict(
            f"memory with {streams.asked:,} streams open",
            f"< {STREAMS_MB:.0f} MB",
            f"{streams.memory_peak_mb:.0f} MB{open_text}",
            whole and streams.memory_peak_mb < STREAMS_MB,
        ),
        Verdict(
            "CPU of a translated call, everything included",
            f"< {TRANSLATED_CALL_US:.0f} µs",
            f"{call.settled_us:.0f} µs",
            call.settled_us < TRANSLATED_CALL_US,
        ),
        Verdict(
            "CPU of a translated event, everything included",
            f"< {TRANSLATED_EVENT_US:.0f} µs",
            f"{event.cpu_us:.0f} µs",
            event.cpu_us < TRANSLATED_EVENT_US,
        ),
        Verdict(
            "the workbench's client adds at p99, beyond bare asyncio",
            f"< {WORKBENCH_P99_MS} ms",
            f"{workbench:.2f} ms",
            workbench < WORKBENCH_P99_MS,
        ),
        Verdict(
            "start to ready, warm", f"< {READY_S} s", f"{results.starts.warm_s:.2f} s", results.starts.warm_s < READY_S
        ),
    ]
