"""The figures as a Markdown page."""

from collections.abc import Iterable, Sequence

from bench.machine import Cores, describe
from bench.rounds import Row
from bench.run import Results
from bench.scale import Scale
from bench.streaming import NGINX
from bench.targets import judge
from bench.throughput import Round
from bench.workbench import render_added

_DISTURBED = 0.1
"""As a share of a core: the kernel's own work for others stays below."""
_BUSY = 0.9
"""A server that had less of its core than this was not what limited the figure."""


def render(results: Results, cores: Cores, scale: Scale, seconds: float) -> str:
    """The whole page."""
    parts = [
        "# Ownkey beside nginx and the bare upstream",
        _setting(cores, scale, seconds) + _disturbed(results),
        _targets(results),
        _throughput(results, scale),
        _latency(results),
        _streams(results),
        _workbench(results, scale),
        _starts(results),
    ]
    return "\n\n".join(parts) + "\n"


def _setting(cores: Cores, scale: Scale, seconds: float) -> str:
    where = f"Server under test on core {cores.tested}; upstream and load generator on core {cores.other}."
    if not cores.separate:
        where += " **There is one core only: everything shares it, and no figure is one core's worth.**"
    return (
        f"{describe()}. {where} Contenders by turns; medians over the "
        f"rounds, and of ratios within a round; {scale.connections} connections; {seconds:.0f} s."
    )


def _disturbed(results: Results) -> str:
    """A warning when the machine had other work: times then tell more of that than of what is measured."""
    tested = [row.median for row in results.throughput.rows.values() if "→" in row.name]
    taken = max(each.core_share - each.share for each in tested)
    if taken < _DISTURBED:
        return ""
    return (
        f"\n\n**Other processes took up to {taken:.0%} of the core under test. Requests/s and latencies are then "
        "theirs as much as the servers'; CPU per request is what still compares.**"
    )


def _targets(results: Results) -> str:
    rows = [(each.what, each.target, each.measured, "met" if each.met else "**missed**") for each in judge(results)]
    return "## Targets\n\n" + _table(("", "target", "measured", ""), rows)


def _throughput(results: Results, scale: Scale) -> str:
    throughput = results.throughput
    head = (
        "",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "CPU µs/request",
        "with rows stored",
        "µs/row",
        "share of core",
        "memory MB",
    )
    table = _table(head, [_throughput_row(row) for row in throughput.rows.values()])
    lines = [
        f"- Ownkey / nginx by requests/s: {_each(throughput.per_second)}.",
        f"- nginx / Ownkey by CPU per request with rows stored, one core alone: {_each(throughput.cpu)}.",
        f"- Translated (OpenAI client, Anthropic upstream) / passed, requests/s: {throughput.translated:.2f}.",
        *_limits(throughput.rows.values()),
    ]
    title = f"## Small chat answers, not streamed, {scale.connections} connections"
    text = (
        "`static` is nginx answering the recorded bytes of the sandbox. “With rows stored” adds what Ownkey does after "
        "the last answer: its journal into the database, at so much a row. “Limited key” has `requests_per_minute`."
    )
    return f"{title}\n\n{table}\n\n{text}\n\n" + "\n".join(lines)


def _throughput_row(row: Row[Round]) -> tuple[str, ...]:
    each = row.median
    return (
        row.name,
        f"{each.per_second:,.0f}",
        f"{each.p50_ms:.2f}",
        f"{each.p99_ms:.2f}",
        f"{each.cpu_us:.1f}",
        f"{each.settled_us:.1f}",
        f"{each.row_us:.1f}" if each.row_us else "",
        f"{each.share:.0%}",
        f"{each.memory_mb:.0f}",
    )


def _limits(rows: Iterable[Row[Round]]) -> Iterable[str]:
    """What kept a server from using its core."""
    for row in rows:
        each = row.median
        if "→" not in row.name or each.share >= _BUSY:
            continue
        others = each.core_share - each.share
        reason = "other processes took the rest" if each.core_share >= _BUSY else "its upstream or wrk was the limit"
        yield f"- {row.name} had {each.share:.0%} of its core ({reason}; others: {max(others, 0.0):.0%})."


def _latency(results: Results) -> str:
    latency = results.latency
    rows = [
        (
            each.name,
            f"{each.p50_ms:.2f}",
            f"{each.p99_ms:.2f}",
            *(
                (f"{added.p50_ms:+.2f}", f"{added.p99_ms:+.2f}")
                if (added := latency.added.get(each.name)) is not None
                else ("", "")
            ),
            f"{each.late_p99_ms:.2f}",
            f"{each.per_second:,.0f}",
        )
        for each in latency.rows
    ]
    head = ("", "p50 ms", "p99 ms", "added p50", "added p99", "sent late p99", "answers/s")
    title = f"## Latency at {latency.rate:,} requests/s, open loop"
    text = "Counted from the moment a request was due, whether or not it could be sent then."
    return f"{title}\n\n{_table(head, rows)}\n\n{text}"


def _streams(results: Results) -> str:
    streams = results.streams
    head = (
        "",
        "open at once",
        "connected s",
        "median first s",
        "all first s",
        "events/s",
        "share of core",
        "memory MB",
    )
    held = [
        (
            row.name,
            f"{each.most_open:,.0f} of {each.asked:,}" + (f", {each.broken:.0f} broken" if each.broken else ""),
            f"{each.connected_s:.2f}",
            f"{each.median_first_s:.2f}",
            f"{each.all_first_s:.2f}",
            f"{each.events_per_second:,.0f}",
            f"{each.share:.0%}",
            f"{each.memory_before_mb:.0f} → {each.memory_peak_mb:.0f} → {each.memory_after_mb:.0f}",
        )
        for row in streams.many.values()
        for each in [row.median]
    ]
    cost = [
        (row.name, f"{row.median.events_per_second:,.0f}", f"{row.median.cpu_us:.1f}") for row in streams.few.values()
    ]
    asked, few = next(iter(streams.many.values())).median.asked, streams.few[NGINX].median.asked
    return (
        f"## {asked:,} streams at once, one request each\n\n{_table(head, held)}\n\n"
        "Memory before, at the peak, and a second after the last stream ended; “first” is the first event of a stream, "
        f"from the moment all began to connect. Ownkey / nginx by the median of it: {streams.first:.2f}.\n\n"
        f"## What an event of a stream costs ({few} paced streams)\n\n"
        + _table(("", "events/s", "CPU µs/event"), cost)
        + f"\n\nOwnkey / nginx in the same round: passed {streams.passed:.2f}, translated {streams.translated:.2f}."
    )


def _workbench(results: Results, scale: Scale) -> str:
    prompts, at_once = scale.workbench_prompts, scale.workbench_concurrency
    text = (
        "Request by request, minus what the sandbox says it took itself. The first wave is all at once and waits for "
        "the sandbox; “way back” begins with the sandbox's own write."
    )
    title = f"## What the workbench's client adds ({prompts} prompts, {at_once} at once)"
    return f"{title}\n\n{render_added(results.workbench)}\n\n{text}"


def _starts(results: Results) -> str:
    starts = results.starts
    rows = [
        ("compiled modules there", f"{starts.warm_s:.2f}", _seconds(starts.warm)),
        ("no compiled modules", f"{starts.cold_s:.2f}", _seconds(starts.cold)),
    ]
    table = _table(("", "median s", "all"), rows)
    return f"## From start to ready, existing data\n\n{table}\n\nA second later {starts.idle_mb:.0f} MB are resident."


def _seconds(values: Iterable[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)


def _each(ratios: dict[str, float]) -> str:
    return ", ".join(f"{value:.2f} ({name})" for name, value in ratios.items())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table that also reads well as plain text."""
    cells = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ["| " + " | ".join(_fit(row, widths)) + " |" for row in cells]
    rule = "|" + "|".join("-" * (width + 1) + (":" if column else "-") for column, width in enumerate(widths)) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _fit(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        text.ljust(width) if column == 0 else text.rjust(width)
        for column, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
