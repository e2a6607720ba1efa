"""Shares of one, each with its interval: a dot on a line."""

from collections.abc import Sequence
from dataclasses import dataclass

from ownkey.workbench.export.html.charts.frame import LEFT, RIGHT, drawing, series
from ownkey.workbench.export.html.charts.scale import Scale, axis
from ownkey.workbench.export.html.markup import percent, shortened, text
from ownkey.workbench.summary import Rate

_TITLE = 18.0
_LINE = 20.0
_NAMES = 84.0
_COUNTS = 66.0
_AXIS = 18.0


@dataclass(frozen=True, slots=True)
class Share:
    """One target's rates by what they are of."""

    target: int
    label: str
    rates: Sequence[tuple[str, Rate]]


def shares(rows: Sequence[Share]) -> str:
    scale = Scale(0.0, 1.0, LEFT + _NAMES, RIGHT - _COUNTS)
    drawn: list[str] = []
    spoken: list[str] = []
    y = 0.0
    for row in rows:
        drawn.append(f'<text class="row" x="{LEFT}" y="{y + 12:.1f}">{text(shortened(row.label, 48))}</text>')
        y += _TITLE
        for name, rate in row.rates:
            drawn.append(_line(row.target, name, rate, scale, y + _LINE / 2))
            spoken.append(f"{row.label}, {name}: {rate.count} of {rate.total}")
            y += _LINE
        y += 6
    marks = axis(scale, _TITLE, y, percent, (0.0, 0.5, 1.0))
    return drawing(y + _AXIS, f"Success with 95 % intervals. {'; '.join(spoken)}", marks + "".join(drawn))


def _line(target: int, name: str, rate: Rate, scale: Scale, y: float) -> str:
    low, high, middle = scale.place(rate.low), scale.place(rate.high), scale.place(rate.rate)
    return (
        f'<text class="mark" x="{LEFT}" y="{y + 4:.1f}">{text(name)}</text>'
        f'<g class="{series(target)}">'
        f'<line class="reach" x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<circle cx="{middle:.1f}" cy="{y:.1f}" r="4.5"/></g>'
        f'<text class="mark" x="{RIGHT}" y="{y + 4:.1f}" text-anchor="end">{rate.count} of {rate.total}</text>'
    )
