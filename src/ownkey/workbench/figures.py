"""All figures of a run: what each target did, and how the targets compare."""

from collections.abc import Mapping

from msgspec.structs import replace

from ownkey.workbench.comparison import Pairs, compare
from ownkey.workbench.endpoint import advice
from ownkey.workbench.metrics import Tally
from ownkey.workbench.records import Result, RunPlan
from ownkey.workbench.summary import Preference, RunSummary


class Figures:
    """Takes results in any order and holds numbers only, so that thousands of answers need no memory."""

    def __init__(self, plan: RunPlan) -> None:
        self._plan = plan
        self._tally = Tally(plan)
        self._pairs = Pairs(plan) if len(plan.targets) > 1 else None

    def add(self, result: Result) -> None:
        """Count a result."""
        self._tally.add(result)
        if self._pairs is not None:
            self._pairs.add(result)

    def summary(self, preferences: Mapping[tuple[int, int], Preference] | None = None) -> RunSummary:
        """The figures so far. `preferences` are a judge's, by the two targets' indexes. Takes a second or two for a
        comparison of thousands of prompts: not for the event loop."""
        summary = self._tally.summary(advice)
        if self._pairs is None:
            return summary
        return replace(summary, comparisons=compare(self._plan, self._pairs, summary.targets, preferences or {}))
