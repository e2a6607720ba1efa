"""A run's figures, from its results as they come."""

from collections.abc import Callable

from ownkey.workbench.metrics.cautions import cautions, load_in_words
from ownkey.workbench.metrics.definitions import DEFINITIONS
from ownkey.workbench.metrics.target import TargetTally
from ownkey.workbench.records import FailureKind, Result, RunPlan
from ownkey.workbench.summary import PairComparison, RunSummary


class Tally:
    """Numbers only: about 150 bytes a result, whatever its text. The order of the results does not matter.

    Each result counts once: the same slot and round again is ignored, and so is a second answer of a slot.
    """

    def __init__(self, plan: RunPlan) -> None:
        self._plan = plan
        self._targets = tuple(TargetTally(plan, index) for index in range(len(plan.targets)))

    def add(self, result: Result) -> None:
        """Count a result. Raises IndexError for a target that the plan does not have."""
        self._targets[result.slot.target].add(result)

    def merge(self, other: "Tally") -> None:
        """Take in what was counted elsewhere of the same plan.

        Raises ValueError when both hold a result of the same slot; this tally is of no use then.
        """
        for mine, theirs in zip(self._targets, other._targets, strict=True):
            mine.merge(theirs)

    def summary(self, advice: Callable[[FailureKind], str], comparisons: tuple[PairComparison, ...] = ()) -> RunSummary:
        """All figures so far. `advice` tells what to do about a kind of failure; `comparisons` are put in as given.

        It sorts every metric: about 10 µs a result, so for a large run call it now and then, not at each result.
        """
        targets = tuple(target.summary(advice) for target in self._targets)
        return RunSummary(
            targets=targets,
            comparisons=comparisons,
            definitions=DEFINITIONS,
            load=load_in_words(self._plan),
            cautions=cautions(self._plan, targets, [target.notes for target in self._targets]),
        )
