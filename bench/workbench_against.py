"""Our figures beside GuideLLM's, of the same endpoint in the same minute.

    python -m bench.workbench_against URL --model M --concurrency N --requests N --report out.json -- guidellm run …

`URL` is the base URL before `/chat/completions`, of a sandbox. Our engine asks first, then the command after `--` is
carried out; it must write GuideLLM's JSON report to `--report` (docs/measurements.md has one that works offline).
What the sandbox's log says of itself stands beside each.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct

from bench.workbench_client import carry_out, plan_of
from ownkey.workbench.figures import Figures
from ownkey.workbench.metrics.statistics import percentile
from ownkey.workbench.summary import Spread, TargetSummary

_MS = 1000.0


class Figure(Struct, frozen=True):
    """One metric of one tool; a rate over the whole run has a mean only."""

    mean: float
    p50: float | None = None
    p95: float | None = None


_Table = dict[str, Figure]
TTFT, E2E, ANSWER, TPOT = "time to first token, ms", "to the last content, ms", "to the end, ms", "time per token, ms"
RATE, TOKENS, REQUESTS = "tokens/s of a request", "tokens/s of all", "requests/s of all"
_ORDER = (TTFT, E2E, ANSWER, TPOT, RATE, TOKENS, REQUESTS)


def ours(url: str, model: str, requests: int, concurrency: int) -> TargetSummary:
    """A run of the workbench's engine, and its figures."""
    plan = plan_of(url, model, requests, concurrency)
    figures = Figures(plan)
    asyncio.run(carry_out(plan, f"ours at {concurrency}", figures.add))
    return figures.summary().targets[0]


def told_by_us(summary: TargetSummary) -> _Table:
    """Our summary under the table's names."""

    def figure(name: str) -> Figure:
        found: Spread = summary.metrics[name]
        return Figure(found.avg, found.p50, found.p95)

    return {
        TTFT: figure("ttft_ms"),
        E2E: figure("latency_ms"),
        TPOT: figure("tpot_ms"),
        RATE: figure("tokens_per_second"),
        TOKENS: Figure(summary.system_tokens_per_second or 0.0),
        REQUESTS: Figure(summary.requests_per_second or 0.0),
    }


def told_by_guidellm(report: Mapping[str, Any]) -> _Table:
    """The summary of a GuideLLM report's only benchmark. Its latency ends with the stream, so the time to the last
    content is taken from its times of each request."""
    (benchmark,) = report["benchmarks"]

    def figure(name: str, unit: float = 1.0) -> Figure:
        found = benchmark["metrics"][name]["successful"]
        return Figure(*(unit * value for value in (found["mean"], found["median"], found["percentiles"]["p95"])))

    times = [request["info"]["timings"] for request in benchmark["requests"]["successful"]]
    return {
        TTFT: figure("time_to_first_token_ms"),
        E2E: _of(_MS * (each["last_token_iteration"] - each["request_start"]) for each in times),
        ANSWER: figure("request_latency", _MS),
        TPOT: figure("inter_token_latency_ms"),
        RATE: _of(each["output_tokens_per_second"] for each in benchmark["requests"]["successful"]),
        TOKENS: Figure(figure("output_tokens_per_second").mean),
        REQUESTS: Figure(figure("requests_per_second").mean),
    }


def told_by_sandbox(rows: Iterable[Mapping[str, Any]]) -> _Table:
    """What the sandbox kept of these requests, from each one's arrival."""
    times = [(row["timing"]["actual_ms"], row["tokens_sent"]) for row in rows]
    return {
        TTFT: _of(each["first_byte"] for each, _ in times),
        E2E: _of(each["last_token"] for each, _ in times),
        ANSWER: _of(each["last_byte"] for each, _ in times),
        TPOT: _of((each["last_token"] - each["first_byte"]) / (tokens - 1) for each, tokens in times),
        RATE: _of(_MS * tokens / each["last_token"] for each, tokens in times),
    }


def _of(values: Iterable[float]) -> Figure:
    ordered = sorted(values)
    return Figure(fmean(ordered), percentile(ordered, 0.5), percentile(ordered, 0.95))


def _taken_from_sandbox(url: str) -> list[dict[str, Any]]:
    """Its log, which is empty then."""

    parts = urlsplit(url)
    address = f"{parts.scheme}://{parts.netloc}/__sandbox/requests"
    rows = httpx2.get(address, params={"provider": "openai"}, timeout=60.0, trust_env=False).json()["requests"]
    httpx2.delete(address, trust_env=False)
    return rows


def render(told: Mapping[str, _Table]) -> str:
    """A Markdown table; a cell is mean / p50 / p95."""
    lines = ["| mean / p50 / p95 | " + " | ".join(told) + " |", "|---|" + "---:|" * len(told)]
    for name in _ORDER:
        cells = (_cell(table.get(name)) for table in told.values())
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return ""
    values = (figure.mean, figure.p50, figure.p95)
    return " / ".join(f"{value:.2f}" for value in values if value is not None)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.workbench_against", description=__doc__)
    parser.add_argument("url", help="such as http://127.0.0.1:8089/openai/v1")
    parser.add_argument("--model", default="lorem-50")
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--concurrency", type=int, default=1)
    parser.add_argument("--report", type=Path, required=True, help="where the command writes its JSON")
    parser.add_argument("command", nargs="+", help="the other tool's command, after --")
    given = parser.parse_args()
    _taken_from_sandbox(given.url)
    summary = ours(given.url, given.model, given.requests, given.concurrency)
    kept_ours = _taken_from_sandbox(given.url)
    given.report.unlink(missing_ok=True)
    done = subprocess.run(given.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode or not given.report.exists():
        print(done.stderr.decode(errors="replace")[-2000:], f"{given.command[0]} wrote no report", file=sys.stderr)
        return 1
    report = json.loads(given.report.read_bytes())
    print(
        render(
            {
                "Ownkey": told_by_us(summary),
                "the sandbox of these": told_by_sandbox(kept_ours),
                "GuideLLM": told_by_guidellm(report),
                "the sandbox of those": told_by_sandbox(_taken_from_sandbox(given.url)),
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
