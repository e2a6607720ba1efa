"""Exports, streamed page by page so that a year of requests does not fill the memory."""

import csv
import io
from collections.abc import AsyncIterator

from ownkey.control.context import Control
from ownkey.control.usage.schemas import RequestReply, show_request
from ownkey.domain.cells import text_cell
from ownkey.domain.tenancy import Owner
from ownkey.domain.usage import RequestRecord
from ownkey.storage import usage

_PAGE = 1000


async def csv_pages(control: Control, owner: Owner, since: float | None) -> AsyncIterator[str]:
    """CSV with a heading line; texts that a spreadsheet would take for formulas get an apostrophe in front."""
    columns = list(RequestReply.model_fields)
    yield _csv_text([columns])
    async for records in _pages(control, owner, since):
        rows = [show_request(record) for record in records]
        yield _csv_text([[_cell(getattr(row, column)) for column in columns] for row in rows])


async def json_pages(control: Control, owner: Owner, since: float | None) -> AsyncIterator[bytes]:
    """One JSON array."""
    separator = b"["
    async for records in _pages(control, owner, since):
        for record in records:
            yield separator + show_request(record).model_dump_json().encode()
            separator = b",\n"
    yield b"]" if separator != b"[" else b"[]"


async def _pages(control: Control, owner: Owner, since: float | None) -> AsyncIterator[list[RequestRecord]]:
    cursor = None
    while True:
        async with control.database.read() as connection:
            page = await usage.list_page(connection, (owner,), _PAGE, cursor, since=since)
        yield page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _csv_text(rows: list[list[object]] | list[list[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str):
        return text_cell(value)
    return "" if value is None else value
