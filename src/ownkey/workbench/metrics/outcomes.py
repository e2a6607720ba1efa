"""What became of each slot over the rounds of a run: a few bytes a slot, and the order of arrival does not matter.

"Retry only the failed" asks a failed slot again in a later round. An answer stands; before it, the last round's
failure counts. A slot's first attempt is the first call of its first round.
"""

from array import array
from collections import Counter

from ownkey.workbench.records import FailureKind, Result

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
