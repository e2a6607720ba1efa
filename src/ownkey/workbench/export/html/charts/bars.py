"""Amounts of money, one bar a target."""

from collections.abc import Sequence
from dataclasses import dataclass

from ownkey.workbench.export.html.charts.frame import LEFT, RIGHT, drawing, series
from ownkey.workbench.export.html.charts.scale import Scale
from ownkey.workbench.export.html.markup import dollars, shortened, text

_ROW = 40.0
_BAR = 12.0


@dataclass(frozen=True, slots=True)
class Bar:
    """`note` stands behind the amount."""

    target: int
    label: str
    usd: float
    note: str = ""


def bars(rows: Sequence[Bar], what: str) -> str:
    if not rows:
        return ""
    scale = Scale(0.0, max(row.usd for row in rows) or 1.0, LEFT, RIGHT)
    drawn = "".join(_row(row, scale, index * _ROW) for index, row in enumerate(rows))
    spoken = "; ".join(f"{row.label}: {dollars(row.usd)} {row.note}" for row in rows)
    return drawing(_ROW * len(rows), f"{what}. {spoken}", drawn)


def _row(row: Bar, scale: Scale, top: float) -> str:
    amount = text(f"{dollars(row.usd)} {row.note}".strip())
    width = max(scale.place(row.usd) - LEFT, 1.0)
    return (
        f'<text class="row" x="{LEFT}" y="{top + 12:.1f}">{text(shortened(row.label, 28))}</text>'
        f'<text class="mark" x="{RIGHT}" y="{top + 12:.1f}" text-anchor="end">{amount}</text>'
        f'<g class="{series(row.target)}"><rect x="{LEFT}" y="{top + 18:.1f}" width="{width:.1f}" '
        f'height="{_BAR}" rx="2"/></g>'
    )
