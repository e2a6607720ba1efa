"""All figures of a run in one: what each target did, and how the targets compare."""

from collections.abc import Mapping

from ownkey.workbench.comparison import Comparison
from ownkey.workbench.endpoint import advice
from ownkey.workbench.metrics import Tally
from ownkey.workbench.records import Result, RunPlan
from ownkey.workbench.summary import Preference, RunSummary


class Figures:
    """Takes results in any order and holds numbers only, so that thousands of answers need no memory."""

    def __init__(self, plan: RunPlan) -> None:
        self._tally = Tally(plan)
        self._comparison = Comparison(plan) if len(plan.targets) > 1 else None

    def add(self, result: Result) -> None:
        """Count a result."""
        self._tally.add(result)
        if self._comparison is not None:
            self._comparison.add(result)

    def summary(self, preferences: Mapping[tuple[int, int], Preference] | None = None) -> RunSummary:
        """The figures so far. `preferences` are a judge's, by the two targets' indexes. Takes a second or two for a
        comparison of thousands of prompts: not for the event loop."""
        if self._comparison is None:
            return self._tally.summary(advice)
        alone = self._tally.summary(advice)
        return self._tally.summary(advice, self._comparison.compare(alone.targets, preferences or {}))
