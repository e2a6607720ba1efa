"""The report's charts as plain shapes; the template `macros.html` writes them as SVG and escapes their texts.

Coordinates are in units of a drawing `WIDTH` wide. Each chart has one axis for all its rows, so that models can be
compared by eye. A chart without values is None.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ownkey.workbench.export.report.numbers import dollars, duration, percent, shortened
from ownkey.workbench.summary import Rate

WIDTH = 360.0
_LEFT, _RIGHT = 2.0, WIDTH - 2.0
_TITLE = 18.0
_AXIS = 18.0
_DOTS_UP_TO = 60
"""Answers of one model that are drawn as dots; more are drawn as bars."""
_BIN = 8.0
_RADIUS = 3.4
_PLOT = 46.0
_LOG_FROM = 30.0
"""The axis is logarithmic when the largest value is more than this many times the smallest."""
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MARKS = 5


@dataclass(frozen=True, slots=True)
class Shape:
    """An SVG element: `text` with `content`, a line, a circle, a rectangle, or a group `g` of `parts`."""

    tag: str
    attributes: dict[str, str]
    content: str = ""
    parts: "tuple[Shape, ...]" = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """`description` is read aloud instead of the picture."""

    height: float
    description: str
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Distribution:
    """Milliseconds of one target; `p50` and `p95` as the summary has them, `unsure` where p95 has too few values."""

    target: int
    label: str
    values: Sequence[float]
    p50: float
    p95: float
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """One target's rates by what they are of."""

    target: int
    label: str
    rates: Sequence[tuple[str, Rate]]


@dataclass(frozen=True, slots=True)
class Bar:
    """An amount of money of one target, with a `note` behind it."""

    target: int
    label: str
    usd: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """Milliseconds of two models for one prompt, averaged over its repetitions."""

    prompt_id: str
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class _Scale:
    """Maps `low`…`high` to `left`…`right`."""

    low: float
    high: float
    left: float
    right: float
    logarithmic: bool = field(default=False)

    @classmethod
    def spanning(cls, values: Iterable[float], left: float, right: float) -> "_Scale":
        """From 0, or for values far apart from the smallest, to the largest."""
        found = list(values)
        largest, smallest = max(found, default=0.0), min(found, default=0.0)
        if smallest > 0 and largest / smallest > _LOG_FROM:
            return cls(smallest, largest, left, right, logarithmic=True)
        return cls(0.0, largest if largest > 0 else 1.0, left, right)

    def place(self, value: float) -> float:
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.left + share * (self.right - self.left)

    def marks(self) -> list[float]:
        if not self.logarithmic:
            return _even_marks(self.low, self.high)
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        found: list[float] = []
        for factors in ((1, 2, 5), (1, 3), (1,)):
            found = [factor * 10.0**power for power in decades for factor in factors]
            found = [value for value in found if self.low <= value <= self.high]
            if len(found) <= _MARKS:
                return found
        return found[:: math.ceil(len(found) / _MARKS)]


def series(target: int) -> str:
    """The class that gives a target its colour; there are eight, which repeat."""
    return f"t{target % 8}"


def distributions(rows: Sequence[Distribution], what: str) -> Drawing | None:
    """One row of dots or bars for each target, with p50 and p95 as lines."""
    rows = [row for row in rows if row.values]
    if not rows:
        return None
    scale = _Scale.spanning((value for row in rows for value in row.values), _LEFT + _RADIUS, _RIGHT - _RADIUS)
    step = _TITLE + _PLOT + 10.0
    bottom = step * len(rows) - 10.0
    shapes = [*_axis(scale, _TITLE, bottom, duration)]
    for index, row in enumerate(rows):
        shapes += _distribution(row, scale, index * step)
    spoken = "; ".join(f"{row.label}: {_in_words(row)}" for row in rows)
    return Drawing(bottom + _AXIS, f"{what}. {spoken}", tuple(shapes))


def shares(rows: Sequence[Share]) -> Drawing | None:
    """Shares of one, each with its interval: a dot on a line."""
    scale = _Scale(0.0, 1.0, _LEFT + 84.0, _RIGHT - 66.0)
    shapes: list[Shape] = []
    spoken: list[str] = []
    y = 0.0
    for row in rows:
        shapes.append(_text("row", _LEFT, y + 12, shortened(row.label, 48)))
        y += _TITLE
        for name, rate in row.rates:
            shapes += _rate(row.target, name, rate, scale, y + 10.0)
            spoken.append(f"{row.label}, {name}: {rate.count} of {rate.total}")
            y += 20.0
        y += 6
    marks = _axis(scale, _TITLE, y, percent, (0.0, 0.5, 1.0))
    return Drawing(y + _AXIS, f"Success with 95 % intervals. {'; '.join(spoken)}", (*marks, *shapes))


def bars(rows: Sequence[Bar], what: str) -> Drawing | None:
    """Amounts of money, one bar for each target."""
    if not rows:
        return None
    scale = _Scale(0.0, max(row.usd for row in rows) or 1.0, _LEFT, _RIGHT)
    shapes: list[Shape] = []
    for index, row in enumerate(rows):
        top = index * 40.0
        shapes.append(_text("row", _LEFT, top + 12, shortened(row.label, 28)))
        shapes.append(_text("mark", _RIGHT, top + 12, f"{dollars(row.usd)} {row.note}".strip(), "end"))
        shapes.append(_group(row.target, _rectangle(_LEFT, top + 18, max(scale.place(row.usd) - _LEFT, 1.0), 12.0)))
    spoken = "; ".join(f"{row.label}: {dollars(row.usd)} {row.note}" for row in rows)
    return Drawing(40.0 * len(rows), f"{what}. {spoken}", tuple(shapes))


def pairs(rows: Sequence[Pair], a: int, b: int) -> Drawing | None:
    """Two models on the same prompts: a line for each prompt, with a dot for each model; `a`, `b` are their indexes."""
    if not rows:
        return None
    scale = _Scale.spanning((value for row in rows for value in (row.a, row.b)), _LEFT + 123.0, _RIGHT - 5)
    bottom = 18.0 * len(rows)
    shapes = [*_axis(scale, 0.0, bottom, duration)]
    for index, row in enumerate(rows):
        y = index * 18.0 + 9.0
        first, second = scale.place(row.a), scale.place(row.b)
        shapes.append(_text("mark", _LEFT, y + 4, shortened(row.prompt_id, 20)))
        shapes.append(_line("between", first, y, second, y))
        shapes += (_group(a, _circle(first, y, 4.5)), _group(b, _circle(second, y, 4.5)))
    spoken = "; ".join(f"{row.prompt_id}: {duration(row.a)} and {duration(row.b)}" for row in rows)
    return Drawing(bottom + _AXIS, f"Latency by prompt. {spoken}", tuple(shapes))


def _in_words(row: Distribution) -> str:
    mark = " †" if row.unsure else ""
    return f"p50 {duration(row.p50)}, p95 {duration(row.p95)}{mark}, {len(row.values)} answers"


def _distribution(row: Distribution, scale: _Scale, top: float) -> Iterator[Shape]:
    base = top + _TITLE + _PLOT
    draw = _dots if len(row.values) <= _DOTS_UP_TO else _histogram
    lines = (
        _line(name, scale.place(value), top + _TITLE, scale.place(value), base)
        for name, value in (("p50", row.p50), ("p95", row.p95))
    )
    yield _text("row", _LEFT, top + 12, shortened(row.label, 22))
    yield _text("mark", _RIGHT, top + 12, _in_words(row), "end")
    yield _group(row.target, *draw(row.values, scale, base), *lines)
    yield _line("base", _LEFT, base, _RIGHT, base)


def _dots(values: Sequence[float], scale: _Scale, base: float) -> Iterator[Shape]:
    """Dots that fall on one place are stacked; a high stack is compressed."""
    bins = _binned(values, scale)
    rise = min(2 * _RADIUS + 0.4, (_PLOT - 2 * _RADIUS) / max(max(bins.values()) - 1, 1))
    heights: Counter[int] = Counter()
    for value in sorted(values):
        x = scale.place(value)
        place = int((x - scale.left) / _BIN)
        yield _circle(x, base - _RADIUS - 1 - heights[place] * rise, _RADIUS)
        heights[place] += 1


def _histogram(values: Sequence[float], scale: _Scale, base: float) -> Iterator[Shape]:
    bins = _binned(values, scale)
    most = max(bins.values())
    for place, count in sorted(bins.items()):
        height = max(count / most * _PLOT, 1.0)
        yield _rectangle(scale.left + place * _BIN + 0.5, base - height, _BIN - 1, height)


def _binned(values: Sequence[float], scale: _Scale) -> Counter[int]:
    return Counter(int((scale.place(value) - scale.left) / _BIN) for value in values)


def _rate(target: int, name: str, rate: Rate, scale: _Scale, y: float) -> Iterator[Shape]:
    yield _text("mark", _LEFT, y + 4, name)
    reach = _line("reach", scale.place(rate.low), y, scale.place(rate.high), y)
    yield _group(target, reach, _circle(scale.place(rate.rate), y, 4.5))
    yield _text("mark", _RIGHT, y + 4, f"{rate.count} of {rate.total}", "end")


def _axis(
    scale: _Scale, top: float, bottom: float, label: Callable[[float], str], marks: Sequence[float] | None = None
) -> Iterator[Shape]:
    """Faint lines at the marks, with their values below. `marks` are the scale's own unless given."""
    for value in scale.marks() if marks is None else marks:
        x = scale.place(value)
        anchor = "start" if x < scale.left + 12 else "end" if x > scale.right - 12 else "middle"
        yield _line("grid", x, top, x, bottom)
        yield _text("mark", x, bottom + 13, label(value), anchor)


def _even_marks(low: float, high: float) -> list[float]:
    rough = (high - low) / (_MARKS - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in _STEPS if factor * power >= rough * 0.999)
    first = math.ceil(low / step)
    return [index * step for index in range(first, math.floor(high / step * 1.0001) + 1)]


def _numbers(**values: float) -> dict[str, str]:
    return {name: f"{value:.1f}" for name, value in values.items()}


def _text(css: str, x: float, y: float, content: str, anchor: str = "start") -> Shape:
    return Shape("text", {"class": css, **_numbers(x=x, y=y), "text-anchor": anchor}, content)


def _line(css: str, x1: float, y1: float, x2: float, y2: float) -> Shape:
    return Shape("line", {"class": css, **_numbers(x1=x1, x2=x2, y1=y1, y2=y2)})


def _circle(x: float, y: float, radius: float) -> Shape:
    return Shape("circle", _numbers(cx=x, cy=y, r=radius))


def _rectangle(x: float, y: float, width: float, height: float) -> Shape:
    return Shape("rect", {**_numbers(x=x, y=y, width=width, height=height), "rx": "1"})


def _group(target: int, *parts: Shape) -> Shape:
    return Shape("g", {"class": series(target)}, parts=parts)
