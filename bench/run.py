"""The parts of a run, in order: start time, throughput, latency, streams, the workbench."""

import sys
import tempfile
from pathlib import Path

from msgspec import Struct

from bench.latency import Latencies, measure_latency
from bench.machine import Cores
from bench.questions import PASSED, STATIC, TRANSLATED, of_ownkey, of_upstream
from bench.scale import Scale
from bench.stage import Stage
from bench.starting import Starts, measure_starts
from bench.streaming import Streams, measure_streams
from bench.throughput import Contender, Throughput, measure_throughput
from bench.workbench import SHORT, Measured, measure_added


class Results(Struct, frozen=True):
    """Everything measured in one run."""

    starts: Starts
    throughput: Throughput
    latency: Latencies
    streams: list[Streams]
    """The many, directly and through Ownkey; then the few: nginx, Ownkey, Ownkey translating."""
    workbench: list[Measured]


def run_all(cores: Cores, scale: Scale) -> Results:
    """Measure everything. Raises BenchFailed."""
    with tempfile.TemporaryDirectory(prefix="ownkey-bench-") as name:
        folder = Path(name)
        _say("start time")
        starts = measure_starts(folder / "starting", cores, scale)
        with Stage(folder / "load", cores) as stage:
            throughput, latency = _load(stage, scale)
        with Stage(folder / "streams", cores) as stage:
            streams = _streams(stage, scale)
        with Stage(folder / "workbench", cores) as stage:
            workbench = _workbench(stage, scale)
    return Results(starts, throughput, latency, streams, workbench)


def _load(stage: Stage, scale: Scale) -> tuple[Throughput, Latencies]:
    sandbox = stage.sandbox("sandbox")
    static = stage.static_upstream(sandbox)
    proxy = stage.proxy({sandbox.port: True, static.port: True})
    ownkey = stage.ownkey(sandbox.url, {"groq": f"{static.url}/openai/v1"})
    key = ownkey.make_user(("openai", "groq", "anthropic"))
    direct, through_nginx = of_upstream(sandbox.url), of_upstream(proxy.url(sandbox.port))
    through_ownkey = of_ownkey(ownkey.url, key, f"openai/{PASSED}")

    def ours(name: str, model: str) -> Contender:
        question = of_ownkey(ownkey.url, key, model)
        return Contender(name, question, lambda: ownkey.pids, stage.cores.tested, ownkey.settle)

    tested, other = stage.cores.tested, stage.cores.other
    contenders = [
        Contender("sandbox", direct, lambda: (sandbox.pid,), other),
        Contender("nginx → sandbox", through_nginx, lambda: proxy.pids, tested),
        ours("ownkey → sandbox", f"openai/{PASSED}"),
        Contender("static", of_upstream(static.url), lambda: static.pids, other),
        Contender("nginx → static", of_upstream(proxy.url(static.port)), lambda: proxy.pids, tested),
        ours("ownkey → static", f"groq/{STATIC}"),
        ours("ownkey → sandbox, translated", f"anthropic/{TRANSLATED}"),
    ]
    _say("throughput")
    throughput = measure_throughput(stage, contenders, scale)
    _say("latency at a constant rate")
    questions = {"sandbox": direct, "nginx → sandbox": through_nginx, "ownkey → sandbox": through_ownkey}
    return throughput, measure_latency(stage, questions, scale)


def _streams(stage: Stage, scale: Scale) -> list[Streams]:
    slow = stage.sandbox("slow", scale.stream_rate)
    brisk = stage.sandbox("brisk", scale.brisk_rate)
    proxy = stage.proxy({brisk.port: False})
    ownkey = stage.ownkey(slow.url, {"openai": f"{brisk.url}/openai/v1", "anthropic": f"{brisk.url}/anthropic"})
    key = ownkey.make_user(("groq", "openai", "anthropic"))
    many, few = f"lorem-{scale.stream_tokens}", f"lorem-{scale.brisk_tokens}"
    direct = of_upstream(slow.url, many, stream=True)
    through_nginx = of_upstream(proxy.url(brisk.port), few, stream=True)
    passed, translated, held = (
        of_ownkey(ownkey.url, key, model, stream=True)
        for model in (f"openai/{few}", f"anthropic/{few}", f"groq/{many}")
    )
    _say(f"{scale.streams} streams")
    return [
        measure_streams(stage, "sandbox", direct, scale.streams, lambda: (slow.pid,)),
        measure_streams(stage, "ownkey → sandbox", held, scale.streams, lambda: ownkey.pids),
        measure_streams(stage, "nginx → sandbox", through_nginx, scale.brisk_streams, lambda: proxy.pids),
        measure_streams(stage, "ownkey → sandbox", passed, scale.brisk_streams, lambda: ownkey.pids),
        measure_streams(stage, "ownkey → sandbox, translated", translated, scale.brisk_streams, lambda: ownkey.pids),
    ]


def _workbench(stage: Stage, scale: Scale) -> list[Measured]:
    _say("the workbench's client")
    sandbox = stage.sandbox("paced", recent_requests=2 * scale.workbench_prompts)
    return measure_added(stage, sandbox, SHORT, 1, scale.workbench_prompts, scale.workbench_concurrency)


def _say(part: str) -> None:
    print(f"bench: {part} …", file=sys.stderr, flush=True)
