"""`GET /usage`, `/usage/export`, `/requests`, `/requests/{id}`."""

import time
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from ownkey.control.identity import Caller, ControlDep, require
from ownkey.control.shapes import Cursor, Limit, Listing, StrictRoute
from ownkey.control.usage.schemas import (
    NOTHING,
    Receipt,
    RequestReply,
    UsageReply,
    show_group,
    show_receipt,
    show_request,
)
from ownkey.control.usage.service import csv_pages, json_pages
from ownkey.domain.errors import NotFound
from ownkey.domain.tenancy import Permission
from ownkey.storage import usage
from ownkey.storage.usage_summary import GroupBy, summary

router = APIRouter(route_class=StrictRoute, tags=["usage"])


class Range(StrEnum):
    """How far back to look."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"
    ALL = "all"

    def since(self, now: float) -> float | None:
        days = {"24h": 1, "7d": 7, "30d": 30, "90d": 90}.get(self.value)
        return None if days is None else now - days * 86_400


class ExportFormat(StrEnum):
    """What an export is written in."""

    CSV = "csv"
    JSON = "json"


_EXPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One row per request",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/json": {
                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/RequestReply"}},
            },
        },
    }
}
RangeQuery = Annotated[Range, Query(alias="range")]


@router.get("/usage")
async def get_usage(
    caller: Caller, control: ControlDep, range_: RangeQuery = Range.MONTH, group_by: GroupBy = GroupBy.MODEL
) -> UsageReply:
    """The caller's usage in sums. Grouped by user it is everybody's, for operators."""
    if group_by is GroupBy.USER:
        require(caller, Permission.READ_ALL_USAGE)
    await control.gateway.flush_usage()
    since = range_.since(time.time())
    whose = None if group_by is GroupBy.USER else (caller.owner,)
    async with control.database.read() as connection:
        total = await summary(connection, whose, since, GroupBy.TOTAL)
        groups = await summary(connection, whose, since, group_by)
    return UsageReply(
        range=range_.value,
        group_by=group_by.value,
        total=show_group(total[0]) if total else NOTHING,
        items=[show_group(group) for group in groups],
    )


@router.get("/usage/export", response_class=Response, responses=_EXPORT)
async def export(
    caller: Caller,
    control: ControlDep,
    range_: RangeQuery = Range.MONTH,
    format_: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.CSV,
) -> Response:
    """The caller's requests of a range, newest first, one row each."""
    await control.gateway.flush_usage()
    since = range_.since(time.time())
    if format_ is ExportFormat.CSV:
        pages, media = csv_pages(control, caller.owner, since), "text/csv; charset=utf-8"
    else:
        pages, media = json_pages(control, caller.owner, since), "application/json"
    name = f'attachment; filename="ownkey-usage-{range_.value}.{format_.value}"'
    return StreamingResponse(pages, media_type=media, headers={"content-disposition": name})


@router.get("/requests")
async def list_requests(
    caller: Caller,
    control: ControlDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    credential_id: Annotated[str | None, Query(max_length=100)] = None,
) -> Listing[RequestReply]:
    """The caller's requests, newest first."""
    await control.gateway.flush_usage()
    async with control.database.read() as connection:
        page = await usage.list_page(connection, (caller.owner,), limit, cursor, credential_id=credential_id)
    return Listing(items=[show_request(record) for record in page.items], next_cursor=page.next_cursor)


@router.get("/requests/{request_id}")
async def receipt(request_id: str, caller: Caller, control: ControlDep) -> Receipt:
    """The full receipt of one request."""
    async with control.database.read() as connection:
        record = await usage.get(connection, (caller.owner,), request_id)
    if record is None:
        await control.gateway.flush_usage()
        async with control.database.read() as connection:
            record = await usage.get(connection, (caller.owner,), request_id)
    if record is None:
        raise NotFound("No request has this id.")
    return show_receipt(record)
