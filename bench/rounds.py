"""Rounds by turns: every contender is measured in each round, so that what the machine does otherwise falls upon all.

What is compared is compared within a round, and the median of these ratios is reported: a ratio of medians would set
a quiet moment of one beside a busy moment of another.
"""

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Generic, Protocol, TypeVar, cast

from msgspec import Struct, structs

from bench.scale import bounded


class Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)
R = TypeVar("R", bound=Struct)


class Row(Struct, Generic[R], frozen=True):
    """A contender's rounds, and the median of each figure over them."""

    name: str
    median: R
    rounds: Sequence[R]


def by_turns(contenders: Sequence[N], measure: Callable[[N], R], rounds: int, seconds: float) -> dict[str, Row[R]]:
    """Measure each contender once a round; no new round after so many seconds. By name, in the given order."""
    found: dict[str, list[R]] = {contender.name: [] for contender in contenders}
    for _ in bounded(rounds, seconds):
        for contender in contenders:
            found[contender.name].append(measure(contender))
    return {name: Row(name, median_of(measured), measured) for name, measured in found.items()}


def median_of(rounds: Sequence[R]) -> R:
    """The median of each number; of other fields the first round's."""
    first = rounds[0]
    values = {
        field: median(figures_of(rounds, field))
        for field in first.__struct_fields__
        if isinstance(getattr(first, field), int | float)
    }
    return structs.replace(first, **values)


def ratio(over: Row[R], under: Row[R], figure: str) -> float:
    """The median over the rounds of the first's figure by the second's. Not a number where nothing was measured."""
    return ratio_of(figures_of(over.rounds, figure), figures_of(under.rounds, figure))


def ratio_of(over: Iterable[float], under: Iterable[float]) -> float:
    """As `ratio`, of the figures themselves."""
    ratios = [a / b for a, b in zip(over, under, strict=True) if b]
    return median(ratios) if ratios else float("nan")


def figures_of(rounds: Iterable[Struct], figure: str) -> list[float]:
    """One figure of each round."""
    return [cast("float", getattr(each, figure)) for each in rounds]
