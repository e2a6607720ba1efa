"""CSV and TSV (RFC 4180), with the line in which each record begins.

Not the standard library's reader: its limit on a cell's size is one number for the whole process, and it does not say
where an unclosed quote was opened.
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from ownkey.workbench.suites.imports.decoding import breaks
from ownkey.workbench.suites.imports.model import ImportLimits, quoted, refused
from ownkey.workbench.suites.imports.nodes import Node, storable

# Possessive: nothing is kept to go back to, so a cell of a million quotes costs no memory.
_QUOTED = re.compile(r'"((?:[^"]++|"")*+)"')
_END = re.compile(r"\r\n|\r|\n")


class Record(Struct, frozen=True):
    """One row; `line` is where it begins, though its cells may hold line breaks."""

    line: int
    cells: tuple[str, ...]

    @property
    def is_blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)


def records(text: str, delimiter: str, limits: ImportLimits) -> Iterator[Record]:
    """The rows that are not blank, one at a time.

    Raises:
        SuiteRejected: a quote that is never closed, text after a closing quote, more cells than columns are allowed.
            What follows cannot be read then.
    """
    bare = re.compile(rf"[^{re.escape(delimiter)}\r\n]*")
    at, line = 0, 1
    while at < len(text):
        start, cells = line, list[str]()
        while True:
            if len(cells) == limits.max_columns:
                raise refused(
                    start,
                    None,
                    f"The row has more than {limits.max_columns:,} cells; keep the columns that the suite needs.",
                )
            if text.startswith('"', at):
                found = _QUOTED.match(text, at)
                if found is None:
                    raise refused(
                        line, None, "The quote that opens a cell here is never closed; add the closing quote."
                    )
                cells.append(storable(found.group(1).replace('""', '"'), line, None))
                line += breaks(found.group())
                at = found.end()
            else:
                plain = bare.match(text, at)
                at = plain.end() if plain else at
                cells.append(storable(plain.group() if plain else "", line, None))
            if not text.startswith(delimiter, at):
                break
            at += 1
        if at < len(text):
            end = _END.match(text, at)
            if end is None:
                raise refused(
                    line,
                    None,
                    f"After the closing quote of a cell comes {quoted(text[at : at + 10])}; "
                    "double the quotes inside a cell.",
                )
            at = end.end()
            line += 1
        record = Record(start, tuple(cells))
        if not record.is_blank:
            yield record


class Table(Struct, frozen=True):
    """A header and the rows under it. `names` are as written, without blanks around them."""

    line: int
    names: tuple[str, ...]
    rows: Iterator[Record]


def table(text: str, delimiter: str, limits: ImportLimits) -> Table:
    """The first row as the header.

    Raises:
        SuiteRejected: the header names a column twice or has none, or cannot be read.
    """
    rows = records(text, delimiter, limits)
    header = next(rows, None)
    if header is None:
        raise refused(0, None, "The file has no rows; the first one must name the columns.")
    names = tuple(cell.strip() for cell in header.cells)
    for position, name in enumerate(names):
        if name and name in names[:position]:
            raise refused(header.line, None, f"Two columns are named {quoted(name)}; rename one.")
    return Table(header.line, names, rows)


def cells(table: Table, record: Record) -> dict[str, Node]:
    """The row's cells by column. A column without a name is left out, if its cells are blank.

    Raises:
        SuiteRejected: the row has more or fewer cells than the header, or a cell without a column's name.
    """
    if len(record.cells) != len(table.names):
        raise refused(
            record.line,
            None,
            f"The row has {len(record.cells)} cells, and the header names {len(table.names)} columns; "
            "put a cell that holds the delimiter or a line break in double quotes.",
        )
    row: dict[str, Node] = {}
    for position, (name, cell) in enumerate(zip(table.names, record.cells, strict=True), 1):
        if name:
            row[name] = Node(cell, record.line)
        elif cell.strip():
            raise refused(
                record.line, None, f"The row has a cell in column {position}, which has no name in the header."
            )
    return row
