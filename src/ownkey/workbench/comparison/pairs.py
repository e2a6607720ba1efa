"""What is compared, and the values of two targets on the same prompts."""

from array import array
from enum import StrEnum
from math import isnan, nan

from msgspec import Struct

from ownkey.workbench.metrics.outcomes import figures
from ownkey.workbench.records import FailureKind, Result, RunPlan

LEVEL = 0.05
"""The nominal level: how often a verdict may be false for a whole comparison of equal models."""


class Side(StrEnum):
    QUALITY = "quality"
    SPEED = "speed"
    COST = "cost"


class Measure(Struct, frozen=True):
    """A metric that is compared. `better` completes "X …" when X has the better of it."""

    name: str
    unit: str
    higher_is_better: bool
    side: Side
    better: str


PASSED = Measure("passed", "share", True, Side.QUALITY, "passes more often")
SCORE = Measure("score", "", True, Side.QUALITY, "scores higher")
PREFERENCE = Measure("preference", "share", True, Side.QUALITY, "is preferred by the judge")
LATENCY = Measure("latency_ms", "ms", False, Side.SPEED, "answers sooner")
TTFT = Measure("ttft_ms", "ms", False, Side.SPEED, "starts sooner")
RATE = Measure("decode_tokens_per_second", "tokens/s", True, Side.SPEED, "writes faster")
COST = Measure("cost_usd", "USD", False, Side.COST, "costs less")

MEASURES = (PASSED, SCORE, PREFERENCE, LATENCY, TTFT, RATE, COST)
"""In the order in which they are shown."""


class Sample(Struct, frozen=True):
    """One measure of two targets: a value a prompt for each, in the same order of prompts."""

    measure: Measure
    a: list[float]
    b: list[float]

    @property
    def differences(self) -> list[float]:
        """b − a of each prompt."""
        return [b - a for a, b in zip(self.a, self.b, strict=True)]


_KEPT = (PASSED, SCORE, LATENCY, TTFT, RATE, COST)
_NOTHING, _FAILED, _ANSWERED = 0, 1, 2


class _Column:
    """One target: a state and a number a measure for each row (prompt × repeat)."""

    def __init__(self) -> None:
        self.states: array[int] = array("B")
        self.values: dict[str, array[float]] = {measure.name: array("d") for measure in _KEPT}

    def reach(self, rows: int) -> None:
        missing = rows - len(self.states)
        if missing > 0:
            self.states.frombytes(bytes(missing))
            for values in self.values.values():
                values.extend([nan] * missing)


class Pairs:
    """Fed with results in any order: 49 bytes each. Prompts are known by id, so that results of another run of the
    same suite can be fed in as a further target (with that target's index in their slot)."""

    def __init__(self, plan: RunPlan) -> None:
        self._repeats = plan.repeats
        self._prompts: dict[str, int] = {}
        self._columns = tuple(_Column() for _ in plan.targets)

    def add(self, result: Result) -> None:
        """Store a result's numbers. Warm-ups and cancelled calls say nothing about a model; an answer is final.

        Raises IndexError for a target that the plan does not have, ValueError for a repeat that it does not have.
        """
        observation, slot = result.observation, result.slot
        if slot.repeat >= self._repeats:
            raise ValueError(f"repeat {slot.repeat} of a plan with {self._repeats}")
        if result.warm_up or (observation.failure and observation.failure.kind is FailureKind.CANCELLED):
            return
        row = self._prompts.setdefault(result.prompt_id, len(self._prompts)) * self._repeats + slot.repeat
        column = self._columns[slot.target]
        column.reach(row + 1)
        if column.states[row] == _ANSWERED:
            return
        column.states[row] = _ANSWERED if observation.ok else _FAILED
        if observation.ok:
            found = figures(observation)
            found |= {} if result.passed is None else {PASSED.name: float(result.passed)}
            found |= {} if result.score is None else {SCORE.name: result.score}
            for name, values in column.values.items():
                values[row] = found.get(name, nan)

    def calls(self, target: int) -> tuple[int, int]:
        """How many prompts × repeats of a target have a result, and how many of those failed."""
        states = self._columns[target].states
        failed = states.count(_FAILED)
        return failed + states.count(_ANSWERED), failed

    def samples(self, a: int, b: int) -> list[Sample]:
        """A sample for each measure that both targets have on a prompt at least.

        A failed call is an answer that did not pass and scored 0, where the other one's was graded: to leave it out
        would flatter the model that fails. Of speed and cost a failed call says nothing.
        """
        rows = len(self._prompts) * self._repeats
        for target in (a, b):
            self._columns[target].reach(rows)
        samples = [self._sample(measure, a, b) for measure in _KEPT]
        passed, score, *others = (sample for sample in samples)
        # Where every score is the verdict itself, it would be the same test twice.
        graded = [passed] if (score.a, score.b) == (passed.a, passed.b) else [passed, score]
        return [sample for sample in (*graded, *others) if sample.a]

    def _sample(self, measure: Measure, a: int, b: int) -> Sample:
        both = [self._value(measure, each, other) for each, other in ((a, b), (b, a))]
        sample = Sample(measure, [], [])
        for start in range(0, len(both[0]), self._repeats):
            rows = range(start, start + self._repeats)
            shared = [row for row in rows if not isnan(both[0][row]) and not isnan(both[1][row])]
            if shared:
                sample.a.append(sum(both[0][row] for row in shared) / len(shared))
                sample.b.append(sum(both[1][row] for row in shared) / len(shared))
        return sample

    def _value(self, measure: Measure, target: int, other: int) -> list[float]:
        column, values = self._columns[target], self._columns[target].values[measure.name]
        if measure not in (PASSED, SCORE):
            return list(values)
        graded = self._columns[other].values[measure.name]
        return [
            0.0 if state == _FAILED and not isnan(graded[row]) else values[row]
            for row, state in enumerate(column.states)
        ]
