"""The parts of a run, in order: start time, throughput, latency, streams, the workbench."""

import sys
import tempfile
from pathlib import Path

from msgspec import Struct

from bench.latency import Latencies, measure_latency
from bench.machine import Cores
from bench.peers import installed
from bench.processes import BenchFailed
from bench.questions import PASSED, STATIC, TRANSLATED, of_ownkey, of_upstream
from bench.scale import Scale
from bench.stage import Stage
from bench.starting import Starts, measure_starts
from bench.streaming import (
    NGINX,
    Streams,
    Way,
    measure_streams,
)
from bench.streaming import (
    PASSED as PASSED_STREAM,
)
from bench.streaming import (
    TRANSLATED as TRANSLATED_STREAM,
)
from bench.throughput import TRANSLATED as TRANSLATED_CALL
from bench.throughput import Contender, Throughput, measure_throughput
from bench.workbench import SHORT, Measured, measure_added
from bench.wrk import run_wrk


class Results(Struct, frozen=True):
    """Everything measured in one run."""

    starts: Starts
    throughput: Throughput
    latency: Latencies
    streams: Streams
    workbench: list[Measured]


def run_all(cores: Cores, scale: Scale, *, peers: bool = False) -> Results:
    """Measure everything, with `peers` also the other gateways that are installed. Raises BenchFailed."""
    with tempfile.TemporaryDirectory(prefix="ownkey-bench-") as name:
        folder = Path(name)
        _say("start time")
        starts = measure_starts(folder / "starting", cores, scale)
        with Stage(folder / "load", cores) as stage:
            throughput, latency = _load(stage, scale, peers)
        with Stage(folder / "streams", cores) as stage:
            streams = _streams(stage, scale)
        with Stage(folder / "workbench", cores) as stage:
            workbench = _workbench(stage, scale)
    return Results(starts, throughput, latency, streams, workbench)


def _load(stage: Stage, scale: Scale, peers: bool) -> tuple[Throughput, Latencies]:
    sandbox = stage.sandbox("sandbox")
    static = stage.static_upstream(sandbox)
    proxy = stage.proxy({sandbox.port: True, static.port: True})
    ownkey = stage.ownkey(sandbox.url, {"groq": f"{static.url}/openai/v1"})
    key = ownkey.make_user(("openai", "groq", "anthropic"))
    direct, through_nginx = of_upstream(sandbox.url), of_upstream(proxy.url(sandbox.port))
    through_ownkey = of_ownkey(ownkey.url, key, f"openai/{PASSED}")

    tested, other = stage.cores.tested, stage.cores.other

    def ours(name: str, model: str, api_key: str = key) -> Contender:
        question = of_ownkey(ownkey.url, api_key, model)
        return Contender(name, question, lambda: ownkey.pids, tested, ownkey.pending, ownkey.settle)

    contenders = [
        Contender("sandbox", direct, lambda: (sandbox.pid,), other),
        Contender("nginx → sandbox", through_nginx, lambda: proxy.pids, tested),
        ours("ownkey → sandbox", f"openai/{PASSED}"),
        Contender("static", of_upstream(static.url), lambda: static.pids, other),
        Contender("nginx → static", of_upstream(proxy.url(static.port)), lambda: proxy.pids, tested),
        ours("ownkey → static", f"groq/{STATIC}"),
        ours("ownkey → static, limited key", f"groq/{STATIC}", ownkey.make_limited_key()),
        ours(TRANSLATED_CALL, f"anthropic/{TRANSLATED}"),
    ]
    if peers:
        contenders += _peers(stage, static.url, scale)
    _say("throughput")
    throughput = measure_throughput(stage, contenders, scale)
    _say("latency at a constant rate")
    questions = {"sandbox": direct, "nginx → sandbox": through_nginx, "ownkey → sandbox": through_ownkey}
    return throughput, measure_latency(stage, questions, scale)


def _peers(stage: Stage, upstream: str, scale: Scale) -> list[Contender]:
    """Other gateways on the core for servers under test, before the static upstream. One that does not start or does
    not answer everything for a second is named and left out."""
    found: list[Contender] = []
    for peer in installed(_say):
        try:
            running = stage.peer(peer, upstream)
            run_wrk(running.question, scale.connections, 1, stage.cores.other, stage.folder)
        except BenchFailed as failure:
            _say(f"{peer.name} is left out: {failure}")
            continue
        # Bound now: the loop's variable will be the next one.
        found.append(
            Contender(
                f"{peer.name} → static", running.question, lambda running=running: running.pids, stage.cores.tested
            )
        )
    return found


def _streams(stage: Stage, scale: Scale) -> Streams:
    slow = stage.sandbox("slow", scale.stream_rate)
    brisk = stage.sandbox("brisk", scale.brisk_rate)
    proxy = stage.proxy({slow.port: False, brisk.port: False})
    ownkey = stage.ownkey(slow.url, {"openai": f"{brisk.url}/openai/v1", "anthropic": f"{brisk.url}/anthropic"})
    key = ownkey.make_user(("groq", "openai", "anthropic"))
    many, few = f"lorem-{scale.stream_tokens}", f"lorem-{scale.brisk_tokens}"

    def ours(name: str, model: str) -> Way:
        return Way(name, of_ownkey(ownkey.url, key, model, stream=True), lambda: ownkey.pids)

    def nginx(port: int, model: str) -> Way:
        return Way(NGINX, of_upstream(proxy.url(port), model, stream=True), lambda: proxy.pids)

    _say(f"{scale.streams} streams")
    direct = Way("sandbox", of_upstream(slow.url, many, stream=True), lambda: (slow.pid,))
    return measure_streams(
        stage,
        [direct, nginx(slow.port, many), ours(PASSED_STREAM, f"groq/{many}")],
        [
            nginx(brisk.port, few),
            ours(PASSED_STREAM, f"openai/{few}"),
            ours(TRANSLATED_STREAM, f"anthropic/{few}"),
        ],
        scale,
    )


def _workbench(stage: Stage, scale: Scale) -> list[Measured]:
    _say("the workbench's client")
    sandbox = stage.sandbox("paced", recent_requests=2 * scale.workbench_prompts)
    return measure_added(stage, sandbox, SHORT, 1, scale.workbench_prompts, scale.workbench_concurrency)


def _say(part: str) -> None:
    print(f"bench: {part} …", file=sys.stderr, flush=True)
