"""How times are distributed: every answer a dot while there are few, else bars; p50 and p95 as lines.

All rows share one axis, so that models can be compared by eye.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ownkey.workbench.export.html.charts.frame import LEFT, RIGHT, drawing, series
from ownkey.workbench.export.html.charts.scale import Scale, axis, spanning
from ownkey.workbench.export.html.markup import duration, shortened, text

_DOTS_UP_TO = 60
_BIN = 8.0
_RADIUS = 3.4
_TITLE = 18.0
_PLOT = 46.0
_GAP = 10.0
_AXIS = 18.0


@dataclass(frozen=True, slots=True)
class Distribution:
    """Milliseconds of one target; `p50` and `p95` as the summary has them, `unsure` where p95 has too few values."""

    target: int
    label: str
    values: Sequence[float]
    p50: float
    p95: float
    unsure: bool = False


def distributions(rows: Sequence[Distribution], what: str) -> str:
    """Nothing for no values at all."""
    rows = [row for row in rows if row.values]
    if not rows:
        return ""
    scale = spanning((value for row in rows for value in row.values), LEFT + _RADIUS, RIGHT - _RADIUS)
    step = _TITLE + _PLOT + _GAP
    bottom = step * len(rows) - _GAP
    drawn = [axis(scale, _TITLE, bottom, duration)]
    drawn += [_row(row, scale, index * step) for index, row in enumerate(rows)]
    spoken = "; ".join(f"{row.label}: {_in_words(row)}" for row in rows)
    return drawing(bottom + _AXIS, f"{what}. {spoken}", "".join(drawn))


def _in_words(row: Distribution) -> str:
    mark = " †" if row.unsure else ""
    return f"p50 {duration(row.p50)}, p95 {duration(row.p95)}{mark}, {len(row.values)} answers"


def _row(row: Distribution, scale: Scale, top: float) -> str:
    base = top + _TITLE + _PLOT
    shape = _dots if len(row.values) <= _DOTS_UP_TO else _bars
    lines = "".join(
        f'<line class="{name}" x1="{scale.place(value):.1f}" x2="{scale.place(value):.1f}" '
        f'y1="{top + _TITLE:.1f}" y2="{base:.1f}"/>'
        for name, value in (("p50", row.p50), ("p95", row.p95))
    )
    return (
        f'<text class="row" x="{LEFT}" y="{top + 12:.1f}">{text(shortened(row.label, 22))}</text>'
        f'<text class="mark" x="{RIGHT}" y="{top + 12:.1f}" text-anchor="end">{_in_words(row)}</text>'
        f'<g class="{series(row.target)}">{shape(row.values, scale, base)}{lines}</g>'
        f'<line class="base" x1="{LEFT}" x2="{RIGHT}" y1="{base:.1f}" y2="{base:.1f}"/>'
    )


def _binned(values: Sequence[float], scale: Scale) -> Counter[int]:
    return Counter(int((scale.place(value) - scale.left) / _BIN) for value in values)


def _dots(values: Sequence[float], scale: Scale, base: float) -> str:
    """Dots that fall on one place are stacked; a high stack is pressed together."""
    bins = _binned(values, scale)
    rise = min(2 * _RADIUS + 0.4, (_PLOT - 2 * _RADIUS) / max(max(bins.values()) - 1, 1))
    heights: Counter[int] = Counter()
    drawn: list[str] = []
    for value in sorted(values):
        x = scale.place(value)
        place = int((x - scale.left) / _BIN)
        y = base - _RADIUS - 1 - heights[place] * rise
        heights[place] += 1
        drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_RADIUS}"/>')
    return "".join(drawn)


def _bars(values: Sequence[float], scale: Scale, base: float) -> str:
    bins = _binned(values, scale)
    most = max(bins.values())
    return "".join(
        f'<rect x="{scale.left + place * _BIN + 0.5:.1f}" y="{base - height:.1f}" width="{_BIN - 1:.1f}" '
        f'height="{height:.1f}" rx="1"/>'
        for place, count in sorted(bins.items())
        if (height := max(count / most * _PLOT, 1.0))
    )
