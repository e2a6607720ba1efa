"""`python -m bench.workbench`: what the workbench's client adds to the times of an endpoint, and its memory.

The sandbox answers at a pace of its own and keeps when its bytes left; what a client says of the same request, minus
that, is what was added on the way: by the client, by the kernel, and in front of the sandbox. The least client that
asyncio allows takes turns with the workbench's engine, and shows what of it is not the engine's. The run of a server,
over REST and with every result stored, is measured likewise. `--memory` adds the memory of long runs.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

from msgspec import Struct

from bench.machine import choose_cores, describe, find_tool, memory_mb, ownkey_command
from bench.processes import BenchFailed, Generator, environment
from bench.stage import Sandbox, Stage
from bench.workbench_added import Added, Shares, added, kept_by, seen_by
from bench.workbench_hosted import HostedBench

PACES = {
    "one token after 150 to 250 ms": "lorem-1+ttft=uniform:150:250",
    "50 tokens, 5 to 15 ms apart": "lorem-50+ttft=uniform:150:250+gap=uniform:5:15",
}
SHORT = {"50 tokens, 5 to 15 ms apart": PACES["50 tokens, 5 to 15 ms apart"]}
_RAW, _ENGINE, _HOSTED = "asyncio alone", "engine", "server's run"
_RUN_SECONDS = 300.0
_MEMORY_PROMPTS = (1_000, 5_000, 20_000, 20_000)
_FIRST_PROMPTS = 500
_FAST = "lorem-50"


class Measured(Struct, frozen=True):
    """One pace: what each client added, a value a round."""

    pace: str
    rounds: dict[str, list[Added]]

    @property
    def beyond_raw_p99_ms(self) -> float:
        """At p99 and after the first wave: what the engine or the server's run added, whichever was more, less what
        asyncio alone did. What else the machine does falls upon all of them."""
        p99 = {client: median(each.steady.p99 for each in rounds) for client, rounds in self.rounds.items()}
        return max(p99[_ENGINE], p99[_HOSTED]) - p99[_RAW]


class Memory(Struct, frozen=True):
    """Resident MiB before and after runs of so many prompts each."""

    where: str
    prompts: tuple[int, ...]
    mb: list[float]

    @property
    def bytes_per_prompt(self) -> float:
        """Of the last run: by then the process has been as large as one run of its size makes it."""
        return (self.mb[-1] - self.mb[-2]) * 1024 * 1024 / self.prompts[-1]


def measure_added(
    stage: Stage, sandbox: Sandbox, paces: Mapping[str, str], rounds: int, prompts: int, concurrency: int
) -> list[Measured]:
    """Each pace (a simulated model by what it does) and client in turn, `rounds` times."""
    ownkey = stage.ownkey(sandbox.url, {})
    hosted = HostedBench(ownkey.url, ownkey.make_user((), ("gateway", "manage")))
    found: list[Measured] = []
    for pace, model in paces.items():
        clients: Mapping[str, Callable[[str], Added]] = {
            _RAW: lambda name, model=model: _generated(stage, sandbox, "raw", model, name, prompts, concurrency),
            _ENGINE: lambda name, model=model: _generated(stage, sandbox, "engine", model, name, prompts, concurrency),
            _HOSTED: lambda name, model=model: _hosted(hosted, sandbox, model, name, prompts, concurrency),
        }
        measured = Measured(pace, {client: [] for client in clients})
        for number in range(rounds):
            for client, ask in clients.items():
                kept_by(sandbox.url)
                measured.rounds[client].append(ask(f"{pace}, {client}, round {number}"))
        found.append(measured)
    hosted.close()
    return found


def _generated(
    stage: Stage, sandbox: Sandbox, client: str, model: str, name: str, prompts: int, concurrency: int
) -> Added:
    job = {
        "client": client,
        "url": f"{sandbox.url}/openai/v1",
        "model": model,
        "name": name,
        "prompts": prompts,
        "concurrency": concurrency,
    }
    generator = Generator("bench.workbench_client", stage.cores.tested, environment(), job)
    return added(seen_by(generator.rows(_RUN_SECONDS)), kept_by(sandbox.url), concurrency)


def _hosted(hosted: HostedBench, sandbox: Sandbox, model: str, name: str, prompts: int, concurrency: int) -> Added:
    run = hosted.run(model, name, prompts, concurrency, _RUN_SECONDS)
    return added(hosted.seen(run), kept_by(sandbox.url), concurrency)


def measure_memory(stage: Stage, sandbox: Sandbox, concurrency: int) -> list[Memory]:
    """Of the bare engine, and of a server that stores what it hears."""
    job = {
        "url": f"{sandbox.url}/openai/v1",
        "model": _FAST,
        "concurrency": concurrency,
        "counts": (_FIRST_PROMPTS, *_MEMORY_PROMPTS),
    }
    generator = Generator("bench.workbench_memory", stage.cores.tested, environment(), job)
    engine = Memory(_ENGINE, _MEMORY_PROMPTS, generator.rows(_RUN_SECONDS))
    ownkey = stage.ownkey(sandbox.url, {})
    hosted = HostedBench(ownkey.url, ownkey.make_user((), ("gateway", "manage")))
    resident: list[float] = []
    for number, prompts in enumerate((_FIRST_PROMPTS, *_MEMORY_PROMPTS)):
        hosted.run(_FAST, f"memory {number}", prompts, concurrency, _RUN_SECONDS)
        resident.append(memory_mb(ownkey.pids))
    hosted.close()
    return [engine, Memory(_HOSTED, _MEMORY_PROMPTS, resident)]


def render_added(found: list[Measured]) -> str:
    """A Markdown table: medians over the rounds."""
    head = "first token p50 | p95 | p99 | last token p50 | p95 | p99 | after the first wave p99 | max | way back p99"
    lines = [f"| added, ms | | {head} |", "|---|---|" + "---:|" * 9]
    for measured in found:
        for client, rounds in measured.rounds.items():
            cells = [*_cells([each.ttft for each in rounds]), *_cells([each.e2e for each in rounds])]
            cells += [f"{median(getattr(each.steady, name) for each in rounds):.2f}" for name in ("p99", "max")]
            back = [each.back.p99 for each in rounds if each.back is not None]
            cells.append(f"{median(back):.2f}" if back else "")
            lines.append(f"| {measured.pace} | {client} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cells(shares: list[Shares]) -> list[str]:
    return [f"{median(getattr(each, name) for each in shares):.2f}" for name in ("p50", "p95", "p99")]


def render_memory(found: list[Memory]) -> str:
    """A line a place."""
    lines: list[str] = []
    for memory in found:
        after = ", ".join(f"{mb:.1f} after {count:,}" for count, mb in zip(memory.prompts, memory.mb[1:], strict=True))
        lines.append(
            f"- {memory.where}: {memory.mb[0]:.1f} MiB after {_FIRST_PROMPTS} prompts, {after} more: "
            f"{memory.bytes_per_prompt:.0f} bytes a prompt in the last run."
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.workbench", description=__doc__)
    parser.add_argument("--prompts", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="also the memory of runs of up to 20,000 prompts")
    given = parser.parse_args()
    if find_tool("taskset") is None or not ownkey_command().exists():
        print("bench: taskset (util-linux) and the ownkey command are needed", file=sys.stderr)
        return 1
    cores = choose_cores()
    busy = os.getloadavg()[0]
    try:
        with tempfile.TemporaryDirectory(prefix="ownkey-bench-") as folder, Stage(Path(folder) / "run", cores) as stage:
            sandbox = stage.sandbox("sandbox", recent_requests=2 * given.prompts)
            print(
                f"{describe()}; load average {busy:.1f} before; {given.prompts:,} prompts, {given.concurrency} at once."
            )
            print(
                render_added(measure_added(stage, sandbox, PACES, given.rounds, given.prompts, given.concurrency)),
                flush=True,
            )
            if given.memory:
                print(render_memory(measure_memory(stage, sandbox, given.concurrency)))
    except BenchFailed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
