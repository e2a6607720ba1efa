"""How a run goes, told on standard error while it goes on: one live line on a terminal, a line a result on a pipe."""

import sys
import time
from bisect import insort
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ownkey.domain.money import format_usd
from ownkey.workbench.records import Result, RunPlan

if TYPE_CHECKING:
    from rich.live import Live

_REFRESH_S = 0.2


class Progress:
    """Counts results. `done` are those of an earlier process; latencies are kept as numbers, for the running median."""

    def __init__(self, plan: RunPlan, done: int = 0) -> None:
        self._plan = plan
        self._before = done
        self._done = done
        self._passed = self._graded = self._failed = self._cost = 0
        self._latencies: list[float] = []
        self._began = self._shown = time.monotonic()
        self._live: Live | None = None

    def __enter__(self) -> "Progress":
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            # Drawn by hand and never by a thread of its own, which would disturb the measured times.
            console = Console(stderr=True, highlight=False, markup=False)
            self._live = Live(self.line(), console=console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def add(self, results: Sequence[Result]) -> None:
        """Count results and show them."""
        for result in results:
            self._count(result)
            if self._live is None:
                print(self._told(result), file=sys.stderr, flush=True)
        if self._live is not None and time.monotonic() - self._shown > _REFRESH_S:
            self._shown = time.monotonic()
            self._live.update(self.line(), refresh=True)

    def line(self) -> str:
        """All in a line: done, rate, passed, failures, running median, cost."""
        spent = time.monotonic() - self._began
        rate = (self._done - self._before) / spent if spent > 0 else 0.0
        parts = [f"{self._done}/{self._plan.total}", f"{rate:.1f}/s"]
        if self._graded:
            parts.append(f"{self._passed}/{self._graded} passed")
        parts.append(f"{self._failed} failed")
        if self._latencies:
            parts.append(f"p50 {self._latencies[len(self._latencies) // 2]:,.0f} ms")
        if self._cost:
            parts.append(f"${format_usd(self._cost)}")
        return "  ".join(parts)

    def _count(self, result: Result) -> None:
        seen = result.observation
        self._cost += seen.cost or 0
        if result.warm_up:
            return
        self._done += 1
        self._failed += not seen.ok
        self._graded += result.passed is not None
        self._passed += result.passed is True
        if seen.ok and seen.timing.e2e_ms is not None:
            insort(self._latencies, seen.timing.e2e_ms)

    def _told(self, result: Result) -> str:
        seen = result.observation
        place = "warm-up" if result.warm_up else f"{self._done}/{self._plan.total}"
        who = f"{result.prompt_id} {self._plan.targets[result.slot.target].label}"
        if seen.failure is not None:
            return f"{place} {who}: {seen.failure.kind}: {seen.failure.message}"
        word = {None: "answered", True: "passed", False: "failed a check"}[result.passed]
        took = "" if seen.timing.e2e_ms is None else f" {seen.timing.e2e_ms:,.0f} ms"
        return f"{place} {who}: {word}{took}"
