"""Printing: tables for people, JSON for programs."""

import json
from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]
_PIPE_WIDTH = 10_000


def show(value: Any, as_json: bool, text: str) -> None:
    """Print `value` as JSON, or `text`."""
    print(json.dumps(value, indent=2, ensure_ascii=False) if as_json else text)


def show_table(rows: Sequence[Json], columns: Sequence[str], as_json: bool, nothing: str) -> None:
    """Print rows; `columns` are the fields a person sees. `nothing` is said when there are none."""
    if as_json:
        print(json.dumps(list(rows), indent=2, ensure_ascii=False))
        return
    if not rows:
        print(nothing)
        return
    from rich.console import Console  # not above: it takes longer to import than most commands to run
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*[_cell(row.get(column)) for column in columns])
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        # In a pipe lines are not folded: they may be searched.
        console.width = _PIPE_WIDTH
    console.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(part) for part in value) or "-"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return str(value)
