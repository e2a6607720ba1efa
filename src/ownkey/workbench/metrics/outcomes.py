"""The figures of one request, and the outcomes of many."""

from array import array
from collections import Counter

from ownkey.workbench.records import FailureKind, Objectives, Observation, Result

_MS = 1000.0
_NANO = 1e9


def figures(observation: Observation) -> dict[str, float]:
    """Metrics of an answer by name; what cannot be known of it is absent.

    Only a streamed answer has a first token: one that came in one piece has none of `ttft_ms`, `ttfo_ms`, `tpot_ms`.
    """
    timing = observation.timing
    found: dict[str, float | None] = {
        "latency_ms": timing.e2e_ms,
        "ttft_ms": timing.ttft_ms if observation.streamed else None,
        "ttfo_ms": timing.ttfo_ms if observation.streamed else None,
        "tpot_ms": _tpot(observation) if observation.streamed else None,
        "connect_ms": timing.connect_ms,
        "answer_characters": len(observation.text),
        "answer_words": len(observation.text.split()),
        "cost_usd": None if observation.cost is None else observation.cost / _NANO,
    }
    if tpot := found["tpot_ms"]:
        found["decode_tokens_per_second"] = _MS / tpot
    if tokens := observation.tokens:
        found["input_tokens"] = tokens.input
        found["output_tokens"] = tokens.output
        found["reasoning_tokens"] = tokens.reasoning
        if timing.e2e_ms:
            found["tokens_per_second"] = tokens.output / timing.e2e_ms * _MS
    return {name: float(value) for name, value in found.items() if value is not None}


def meets(objectives: Objectives, observation: Observation) -> bool:
    """Whether an answer met every stated objective.

    An answer in one piece shows its first token with its last, so its time to first token is its latency and no time
    lies between its tokens. An answer of fewer than two tokens has no time per token to miss. What else is not known
    is not met.
    """
    timing = observation.timing
    whole = not observation.streamed
    ttft = timing.e2e_ms if whole else timing.ttft_ms
    tokens = observation.tokens
    tpot = 0.0 if whole or (tokens is not None and tokens.output < 2) else _tpot(observation)
    stated = ((objectives.e2e_ms, timing.e2e_ms), (objectives.ttft_ms, ttft), (objectives.tpot_ms, tpot))
    return all(limit is None or (value is not None and value <= limit) for limit, value in stated)


def hides_reasoning(observation: Observation) -> bool:
    """Whether the model thought before the first delta without showing it: its tokens then came in no time at all."""
    tokens = observation.tokens
    return observation.streamed and tokens is not None and tokens.reasoning > 0 and not observation.reasoning


def _tpot(observation: Observation) -> float | None:
    timing, tokens = observation.timing, observation.tokens
    if timing.e2e_ms is None or timing.ttft_ms is None or tokens is None or tokens.output < 2:
        return None
    return (timing.e2e_ms - timing.ttft_ms) / (tokens.output - 1)


_KINDS = tuple(FailureKind)
_LAST_ROUND = 63


class Outcomes:
    """Slots of one target by index. Rounds above 63 count as round 63."""

    def __init__(self) -> None:
        self._rounds: array[int] = array("Q")
        """A bit for each round that brought a result."""
        self._answered: array[int] = array("B")
        """0 no answer, else the round that brought it."""
        self._clean: array[int] = array("B")
        """1 when the answer came at the first call of its round."""
        self._kind: array[int] = array("B")
        """The failure of the last round that failed, as an index."""
        self._failed: array[int] = array("B")
        """That round."""

    def record(self, index: int, result: Result) -> bool:
        """Take a result in; False when it was known already, or the slot has an answer and this is another."""
        self._reach(index)
        observation, number = result.observation, min(result.round, _LAST_ROUND)
        known = self._rounds[index] >> number & 1 and number < _LAST_ROUND
        if known or (observation.ok and self._answered[index]):
            return False
        self._rounds[index] |= 1 << number
        if observation.failure is None:
            self._answered[index] = number
            self._clean[index] = observation.first_failure is None
        elif number >= self._failed[index]:
            self._failed[index] = number
            self._kind[index] = _KINDS.index(observation.failure.kind)
        return True

    def merge(self, other: "Outcomes") -> None:
        """Take the other's slots in. Raises ValueError when both hold a result of one slot and round."""
        if len(other._rounds):
            self._reach(len(other._rounds) - 1)
        for index, rounds in enumerate(other._rounds):
            if self._rounds[index] & rounds or (self._answered[index] and other._answered[index]):
                raise ValueError("both tallies hold a result of the same slot")
            self._rounds[index] |= rounds
            if other._answered[index]:
                self._answered[index], self._clean[index] = other._answered[index], other._clean[index]
            if other._failed[index] > self._failed[index]:
                self._failed[index], self._kind[index] = other._failed[index], other._kind[index]

    @property
    def requests(self) -> int:
        """Slots with a result."""
        return sum(1 for rounds in self._rounds if rounds)

    @property
    def answers(self) -> int:
        return sum(1 for answered in self._answered if answered)

    @property
    def first_attempts(self) -> int:
        """Slots whose first call brought the answer: nothing failed before it, in its round or in one before."""
        return sum(
            1
            for rounds, answered, clean in zip(self._rounds, self._answered, self._clean, strict=True)
            if clean and rounds & -rounds == 1 << answered
        )

    def failures(self) -> Counter[FailureKind]:
        """Slots without an answer, by the kind of their last failure."""
        return Counter(
            _KINDS[kind]
            for rounds, answered, kind in zip(self._rounds, self._answered, self._kind, strict=True)
            if rounds and not answered
        )

    def _reach(self, index: int) -> None:
        missing = index + 1 - len(self._rounds)
        if missing > 0:
            for column in (self._rounds, self._answered, self._clean, self._kind, self._failed):
                column.frombytes(bytes(missing * column.itemsize))
