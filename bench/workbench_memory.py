"""How the memory of a process that carries out runs follows the number of prompts.

One job as JSON in, one result as JSON out, see `processes.Generator`: `{"url", "model", "counts", "concurrency"}`.
The runs are made one after the other in this process, each with its figures; the result holds its resident memory in
MiB at the end of each run, with the run's figures still there.
"""

import asyncio
import gc
import json
import os
import sys
from typing import Any

import uvloop

from bench.machine import memory_mb
from bench.workbench_client import carry_out, plan_of
from ownkey.workbench.figures import Figures


async def measure(url: str, model: str, counts: list[int], concurrency: int) -> list[float]:
    """Resident MiB after each run."""
    found: list[float] = []
    for number, prompts in enumerate(counts):
        plan = plan_of(url, model, prompts, concurrency)
        figures = Figures(plan)
        await carry_out(plan, f"memory {number}", figures.add)
        found.append(memory_mb((os.getpid(),)))
        await asyncio.to_thread(figures.summary)
    return found


def main() -> None:
    job: dict[str, Any] = json.loads(sys.stdin.read())
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    print(json.dumps(uvloop.run(measure(job["url"], job["model"], job["counts"], job["concurrency"]))))


if __name__ == "__main__":
    main()
