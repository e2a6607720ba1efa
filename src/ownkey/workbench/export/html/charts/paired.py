"""Two models on the same prompts: a line a prompt, with a dot for each model."""

from collections.abc import Sequence
from dataclasses import dataclass

from ownkey.workbench.export.html.charts.frame import LEFT, RIGHT, drawing, series
from ownkey.workbench.export.html.charts.scale import Scale, axis, spanning
from ownkey.workbench.export.html.markup import duration, shortened, text

_ROW = 18.0
_NAMES = 118.0
_AXIS = 18.0


@dataclass(frozen=True, slots=True)
class Pair:
    """Milliseconds of both models for one prompt, averaged over its repetitions."""

    prompt_id: str
    a: float
    b: float


def pairs(rows: Sequence[Pair], a: int, b: int) -> str:
    """`a` and `b` are the targets' indexes."""
    if not rows:
        return ""
    scale = spanning((value for row in rows for value in (row.a, row.b)), LEFT + _NAMES + 5, RIGHT - 5)
    bottom = _ROW * len(rows)
    drawn = "".join(_row(row, scale, index * _ROW + _ROW / 2, a, b) for index, row in enumerate(rows))
    spoken = "; ".join(f"{row.prompt_id}: {duration(row.a)} and {duration(row.b)}" for row in rows)
    return drawing(bottom + _AXIS, f"Latency by prompt. {spoken}", axis(scale, 0.0, bottom, duration) + drawn)


def _row(row: Pair, scale: Scale, y: float, a: int, b: int) -> str:
    first, second = scale.place(row.a), scale.place(row.b)
    return (
        f'<text class="mark" x="{LEFT}" y="{y + 4:.1f}">{text(shortened(row.prompt_id, 20))}</text>'
        f'<line class="between" x1="{first:.1f}" x2="{second:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<g class="{series(a)}"><circle cx="{first:.1f}" cy="{y:.1f}" r="4.5"/></g>'
        f'<g class="{series(b)}"><circle cx="{second:.1f}" cy="{y:.1f}" r="4.5"/></g>'
    )
