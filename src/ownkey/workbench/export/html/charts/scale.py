"""Values to places on an axis. Logarithmic when the largest value is more than thirty times the smallest."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

_LOG_FROM = 30.0
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MARKS = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """From `low`…`high` to `left`…`right` in units of the drawing."""

    low: float
    high: float
    left: float
    right: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.left + share * (self.right - self.left)

    def marks(self) -> list[float]:
        if not self.logarithmic:
            return _even(self.low, self.high)
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for factors in ((1, 2, 5), (1, 3), (1,)):
            found = [factor * 10.0**power for power in decades for factor in factors]
            found = [value for value in found if self.low <= value <= self.high]
            if len(found) <= _MARKS:
                return found
        return found[:: math.ceil(len(found) / _MARKS)]


def spanning(values: Iterable[float], left: float, right: float) -> Scale:
    """From 0, or for values far apart from the smallest, to the largest."""
    found = list(values)
    largest, smallest = max(found, default=0.0), min(found, default=0.0)
    if smallest > 0 and largest / smallest > _LOG_FROM:
        return Scale(smallest, largest, left, right, logarithmic=True)
    return Scale(0.0, largest if largest > 0 else 1.0, left, right)


def axis(
    scale: Scale, top: float, bottom: float, label: Callable[[float], str], marks: Sequence[float] | None = None
) -> str:
    """Faint lines at the marks, with their values below. `marks` are the scale's own unless they are given."""
    drawn: list[str] = []
    for value in scale.marks() if marks is None else marks:
        x = scale.place(value)
        anchor = "start" if x < scale.left + 12 else "end" if x > scale.right - 12 else "middle"
        drawn.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>')
        drawn.append(
            f'<text class="mark" x="{x:.1f}" y="{bottom + 13:.1f}" text-anchor="{anchor}">{label(value)}</text>'
        )
    return "".join(drawn)


def _even(low: float, high: float) -> list[float]:
    rough = (high - low) / (_MARKS - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in _STEPS if factor * power >= rough * 0.999)
    first = math.ceil(low / step)
    return [index * step for index in range(first, math.floor(high / step * 1.0001) + 1)]
