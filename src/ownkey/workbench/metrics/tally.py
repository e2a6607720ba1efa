"""The figures of each target, counted as results come."""

from array import array
from collections import Counter
from collections.abc import Callable
from math import fsum

from ownkey.domain.money import format_usd
from ownkey.workbench.metrics.definitions import DEFINITIONS, REQUEST_UNITS, cautions, load_in_words
from ownkey.workbench.metrics.outcomes import Outcomes, figures, hides_reasoning, meets
from ownkey.workbench.metrics.statistics import Gaps, spread, wilson
from ownkey.workbench.records import (
    Arrival,
    FailureKind,
    Observation,
    Result,
    RunPlan,
    Slot,
    TokenSource,
)
from ownkey.workbench.summary import FailureCount, PairComparison, RunSummary, Spread, TargetSummary, TokenTotals

_COLD = ("latency_ms", "ttft_ms", "ttfo_ms", "connect_ms", "tokens_per_second")
_MS = 1000.0


class TargetTally:
    """What one target did. `target` is its index in the plan."""

    def __init__(self, plan: RunPlan, target: int) -> None:
        self._target = target
        self._plan = plan
        self._open_loop = plan.arrival is not Arrival.CLOSED
        self._outcomes = Outcomes()
        self._values: dict[str, array[float]] = {name: array("d") for name in REQUEST_UNITS}
        self._gaps = Gaps()
        self._spans: dict[int, tuple[float, float]] = {}
        """First send and last response of each round."""
        self._sums: Counter[str] = Counter()
        self._examples: dict[FailureKind, tuple[Slot, int, str]] = {}
        self._cold: dict[bool, tuple[tuple[float, Slot], dict[str, float]]] = {}
        """The earliest answer among the warm-ups (True) and the others (False)."""

    @property
    def notes(self) -> Counter[str]:
        """How many answers came in one piece (`whole`), without text (`empty`), without token counts (`uncounted`),
        with hidden reasoning (`hidden`), with a caution of their own (`doubted`)."""
        return Counter({name: self._sums[name] for name in ("whole", "empty", "uncounted", "hidden", "doubted")})

    def add(self, result: Result) -> None:
        """Count a result. A warm-up only counts for the cold start."""
        observation = result.observation
        if result.warm_up:
            self._sums["warm_ups"] += 1
        elif not self._outcomes.record(result.slot.position * self._plan.repeats + result.slot.repeat, result):
            return
        else:
            self._count_request(result)
        if observation.ok:
            found = figures(observation)
            self._note_cold(result.warm_up, (observation.timing.sent_at, result.slot), found)
            if not result.warm_up:
                self._count_answer(result, found)

    def merge(self, other: "TargetTally") -> None:
        """Take in what another process counted of the same plan. Raises ValueError when a slot is in both."""
        self._outcomes.merge(other._outcomes)
        for name, values in other._values.items():
            self._values[name].extend(values)
        self._gaps.merge(other._gaps)
        self._sums.update(other._sums)
        for number, (sent, ended) in other._spans.items():
            self._widen(number, sent, ended)
        for kind, example in other._examples.items():
            self._examples[kind] = min(self._examples.get(kind, example), example)
        for warm, (when, found) in other._cold.items():
            self._note_cold(warm, when, found)

    def summary(self, advice: Callable[[FailureKind], str]) -> TargetSummary:
        """The figures so far; `advice` tells what to do about a kind of failure."""
        target, sums = self._plan.targets[self._target], self._sums
        requests, answers = self._outcomes.requests, self._outcomes.answers
        seconds = fsum(ended - sent for sent, ended in self._spans.values())
        priced, stated = len(self._values["cost_usd"]), self._has_objectives
        return TargetSummary(
            target=self._target,
            label=target.label,
            model=target.model,
            requests=requests,
            success=wilson(answers, requests),
            first_attempt=wilson(self._outcomes.first_attempts, requests),
            passed=wilson(sums["passed"], sums["graded"]) if sums["graded"] else None,
            metrics=self._spreads(),
            tokens=TokenTotals(
                input=sums["input"],
                output=sums["output"],
                reasoning=sums["reasoning"],
                cached=sums["cached"],
                estimated=sums["estimated"],
            ),
            cost_usd=format_usd(sums["cost"]) if sums["priced"] else None,
            unpriced=answers - priced,
            cost_per_passed_usd=self._cost_per_passed(complete=answers == priced),
            duration_ms=seconds * _MS,
            system_tokens_per_second=_rate(sums["output"], seconds) if sums["counted"] else None,
            requests_per_second=_rate(answers, seconds),
            goodput_per_second=_rate(sums["good"], seconds) if stated else None,
            good=wilson(sums["good"], requests) if stated else None,
            quality_adjusted_goodput=_rate(sums["good_passed"], seconds) if sums["graded"] else None,
            failures=self._failures(advice),
            cold_start=self._cold_start(),
            warm_ups=sums["warm_ups"],
        )

    @property
    def _has_objectives(self) -> bool:
        objectives = self._plan.objectives
        return any(limit is not None for limit in (objectives.ttft_ms, objectives.tpot_ms, objectives.e2e_ms))

    def _count_request(self, result: Result) -> None:
        """What every result counts for, answered or not: time, waiting, tokens and money that were spent."""
        observation = result.observation
        self._widen(result.round, observation.timing.sent_at, observation.timing.ended_at)
        self._values["backoff_ms"].append(observation.backoff_ms)
        if self._open_loop:
            self._values["late_ms"].append(observation.timing.late_ms)
        if observation.cost is not None:
            self._sums["cost"] += observation.cost
            self._sums["priced"] += 1
        if tokens := observation.tokens:
            self._sums["counted"] += 1
            self._sums["estimated"] += tokens.source is TokenSource.ESTIMATED
            for name in ("input", "output", "reasoning", "cached"):
                self._sums[name] += getattr(tokens, name)
        if failure := observation.failure:
            example = (result.slot, result.round, failure.message)
            self._examples[failure.kind] = min(self._examples.get(failure.kind, example), example)

    def _count_answer(self, result: Result, found: dict[str, float]) -> None:
        observation = result.observation
        for name, value in found.items():
            self._values[name].append(value)
        self._gaps.extend(observation.timing.gaps_ms)
        if result.score is not None:
            self._values["score"].append(result.score)
        good = meets(self._plan.objectives, observation)
        self._sums["good"] += good
        if result.passed is not None:
            self._sums["graded"] += 1
            self._sums["passed"] += result.passed
            self._sums["good_passed"] += good and result.passed
        self._note(observation)

    def _note(self, observation: Observation) -> None:
        self._sums["whole"] += not observation.streamed
        self._sums["empty"] += observation.timing.e2e_ms is None
        self._sums["uncounted"] += observation.tokens is None
        self._sums["hidden"] += hides_reasoning(observation)
        self._sums["doubted"] += bool(observation.cautions)

    def _note_cold(self, warm_up: bool, when: tuple[float, Slot], found: dict[str, float]) -> None:
        if warm_up not in self._cold or when < self._cold[warm_up][0]:
            self._cold[warm_up] = (when, {name: found[name] for name in _COLD if name in found})

    def _widen(self, number: int, sent: float, ended: float) -> None:
        first, last = self._spans.get(number, (sent, ended))
        self._spans[number] = (min(first, sent), max(last, ended))

    def _spreads(self) -> dict[str, Spread]:
        spreads = {name: spread(REQUEST_UNITS[name], values) for name, values in self._values.items() if values}
        if gaps := self._gaps.spread():
            spreads["chunk_gap_ms"] = gaps
        return {name: spreads[name] for name in REQUEST_UNITS if name in spreads}

    def _cost_per_passed(self, *, complete: bool) -> str | None:
        """None unless every answer has a price: a part of the cost would flatter."""
        if not complete or not self._sums["passed"] or not self._sums["priced"]:
            return None
        return format_usd(round(self._sums["cost"] / self._sums["passed"]))

    def _failures(self, advice: Callable[[FailureKind], str]) -> tuple[FailureCount, ...]:
        ordered = sorted(self._outcomes.failures().items(), key=lambda each: (-each[1], each[0]))
        return tuple(
            FailureCount(kind=kind, count=count, advice=advice(kind), example=self._examples[kind][2])
            for kind, count in ordered
        )

    def _cold_start(self) -> dict[str, float]:
        warm_up = self._sums["warm_ups"] > 0
        return dict(self._cold[warm_up][1]) if warm_up in self._cold else {}


def _rate(count: int, seconds: float) -> float | None:
    return count / seconds if seconds > 0 else None


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
