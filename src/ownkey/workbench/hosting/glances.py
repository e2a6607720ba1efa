"""Figures of runs under way: computed once a second at most, however many look and however often.

Each computation reads all results there are and draws thousands of samples: an impatient program would slow down the
calls that are being measured.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from msgspec import Struct

from ownkey.workbench.records import RunPlan
from ownkey.workbench.summary import RunSummary

_KEPT_S = 1.0


class _Computation(Struct, frozen=True):
    begun: float
    computing: "asyncio.Future[RunSummary]"

    def is_fresh(self) -> bool:
        return not self.computing.done() or monotonic() - self.begun < _KEPT_S


class LiveFigures:
    """`compute` gives the figures of what is there of a run."""

    def __init__(self, compute: Callable[[str, RunPlan], Awaitable[RunSummary]]) -> None:
        self._compute = compute
        self._known: dict[str, _Computation] = {}

    async def of(self, run_id: str, plan: RunPlan) -> RunSummary:
        """Figures that are at most a second old, or being computed already. Raises as `compute` does."""
        self._known = {id_: glance for id_, glance in self._known.items() if glance.is_fresh()}
        glance = self._known.get(run_id)
        if glance is None:
            computing = asyncio.ensure_future(self._compute(run_id, plan))
            glance = self._known[run_id] = _Computation(monotonic(), computing)
        # Whoever leaves does not take it from the others.
        return await asyncio.shield(glance.computing)
