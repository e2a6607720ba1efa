"""`python -m bench [--quick] [--out DIR]`: run everything, print the report, keep it with all figures as JSON."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

import msgspec

from bench.machine import Cores, choose_cores, describe, missing_tools, raise_file_limit
from bench.processes import ROOT, BenchFailed
from bench.report import render
from bench.run import Results, run_all
from bench.scale import FULL, QUICK, Scale
from bench.targets import judge

_FILES_PER_STREAM = 2
_FILES_BESIDE = 200


def main() -> int:
    """The exit status: 0 when everything was measured, whether targets were met or not."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run of a minute instead of eight")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "out", help="where report and figures go")
    parser.add_argument(
        "--peers", action="store_true", help="beside the other gateways that `make bench-peers` installs"
    )
    options = parser.parse_args()
    missing = missing_tools()
    if missing:
        print(missing, file=sys.stderr)
        return 1
    # An ended run must end its servers: SIGTERM becomes an exception like Ctrl-C.
    signal.signal(signal.SIGTERM, _end)
    scale, cores = _fit(QUICK if options.quick else FULL), choose_cores()
    if not cores.separate:
        print("bench: one core only: server, upstream and load share it, ratios are no guide", file=sys.stderr)
    os.sched_setaffinity(0, {cores.other})
    began = time.monotonic()
    try:
        results = run_all(cores, scale, peers=options.peers)
    except BenchFailed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 1
    page = render(results, cores, scale, time.monotonic() - began)
    print(page)
    _keep(options.out, page, results, cores, scale)
    return 0


def _end(_number: int, _frame: object) -> None:
    sys.exit(1)


def _fit(scale: Scale) -> Scale:
    """Fewer streams where the system allows too few open files."""
    room = (raise_file_limit() - _FILES_BESIDE) // _FILES_PER_STREAM
    if room >= scale.streams:
        return scale
    print(f"bench: the limit of open files allows {room} streams instead of {scale.streams}", file=sys.stderr)
    return msgspec.structs.replace(scale, streams=room)


def _keep(folder: Path, page: str, results: Results, cores: Cores, scale: Scale) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    figures = {"machine": describe(), "cores": cores, "scale": scale, "targets": judge(results), "results": results}
    (folder / "report.md").write_text(page, encoding="utf-8")
    (folder / "figures.json").write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
    print(f"Kept in {folder}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
