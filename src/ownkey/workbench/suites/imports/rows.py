"""Rows of tables as named values, for every format that is a table."""

from ownkey.workbench.suites.imports.delimited import Record, Table
from ownkey.workbench.suites.imports.nodes import Node
from ownkey.workbench.suites.imports.problems import refused


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
