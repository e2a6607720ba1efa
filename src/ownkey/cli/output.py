"""The terminal: tables for people, JSON for programs, and secrets read without echo."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import typer

from ownkey.cli.failures import CommandFailed

Json = dict[str, Any]
_MOST_PASTED = 64 * 1024
"""Bytes; more than any text that the server reads a key out of."""
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


def read_secret(prompt: str) -> str:
    """From the terminal without echo, or the first line of standard input when that is a pipe."""
    text = _ask(prompt) if sys.stdin.isatty() else _decoded(sys.stdin.buffer.readline())
    text = text.strip()
    if not text:
        raise _nothing_given(prompt)
    return text


def read_key(prompt: str) -> str:
    """A provider's key as it was pasted, from the terminal without echo or the whole of standard input when that is a
    pipe: two keys are not cut down to the first. The server takes off what surrounds it."""
    text = _ask(prompt) if sys.stdin.isatty() else _decoded(sys.stdin.buffer.read(_MOST_PASTED))
    if not text.strip():
        raise _nothing_given(prompt)
    return text


def _nothing_given(prompt: str) -> CommandFailed:
    return CommandFailed(f"no {prompt[0].lower()}{prompt[1:]} was given on standard input")


def _ask(prompt: str) -> str:
    # On standard error, because standard output may be captured for the key that is created.
    return str(typer.prompt(prompt, hide_input=True, err=True))


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise CommandFailed("standard input is not UTF-8 text") from None
