"""`/workbench/runs/{id}`: looked at, followed, cancelled, retried, exported, deleted."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from msgspec.structs import replace

from ownkey.control.identity import Caller, ControlDep, peer_of
from ownkey.control.shapes import Listing
from ownkey.control.strict_body import StrictRoute
from ownkey.control.workbench import promotion
from ownkey.control.workbench.access import RunDep
from ownkey.control.workbench.results import json_of, show_result
from ownkey.control.workbench.schemas import PromotedReply, Promotion, RunDetail, RunReply, show_row
from ownkey.control.workbench.streams import EVENT_STREAM, NO_BUFFERING, run_events
from ownkey.domain.errors import Conflict, NotFound
from ownkey.storage.paging import decode_cursor, encode_cursor
from ownkey.workbench.export import FORMATS, ExportedRun
from ownkey.workbench.records import RunStatus

router = APIRouter(route_class=StrictRoute, prefix="/workbench/runs", tags=["workbench"])
_RESULTS = 200
_LAST = 2**63 - 1
"""No database has larger numbers, and in mid-stream it could not be told."""

Results = Annotated[int, Query(ge=0, le=1000, description="How many results to include")]


@router.get("/{run_id}")
async def get_run(seen: RunDep, control: ControlDep, results: Results = _RESULTS) -> RunDetail:
    """A run with its figures so far and its first results; `/results` has all of them."""
    desk = control.workbench.runs
    found, _ = await desk.page(seen.run, 0, results)
    return RunDetail(
        **show_row(seen.run.row),
        plan=json_of(replace(seen.run.plan, peer="")),
        metrics=json_of(await desk.figures(seen.run)),
        results=[show_result(prompt, result) for prompt, result in found],
    )


@router.get("/{run_id}/results")
async def list_results(
    seen: RunDep,
    control: ControlDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = _RESULTS,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> Listing[dict[str, Any]]:
    """The results in the order in which they came."""
    (after,) = decode_cursor(cursor, tuple[int]) if cursor is not None else (0,)
    found, more = await control.workbench.runs.page(seen.run, after, limit)
    items = [show_result(prompt, result) for prompt, result in found]
    return Listing(items=items, next_cursor=encode_cursor((found[-1][1].seq,)) if more and found else None)


@router.get("/{run_id}/results/{number}")
async def get_result(seen: RunDep, control: ControlDep, number: Annotated[int, Path(ge=1)]) -> dict[str, Any]:
    """One result by its number (`seq`)."""
    found, _ = await control.workbench.runs.page(seen.run, number - 1, 1)
    if not found or found[0][1].seq != number:
        raise NotFound("The run has no result with this number: it may have been made again since.", param="number")
    return show_result(*found[0])


@router.get("/{run_id}/events", response_class=StreamingResponse)
async def follow_run(
    seen: RunDep, control: ControlDep, last_event_id: Annotated[int, Header(ge=0, le=_LAST)] = 0
) -> StreamingResponse:
    """Server-sent events: `result` for each result the moment it is there, `progress`, and `done` with the figures.
    `Last-Event-ID` goes on after a broken connection."""
    return StreamingResponse(
        run_events(control, seen.run, last_event_id), media_type=EVENT_STREAM, headers=NO_BUFFERING
    )


@router.post("/{run_id}/cancel", status_code=202)
async def cancel_run(seen: RunDep, control: ControlDep) -> RunReply:
    """End the run. Calls under way are broken off; answers that are there stay."""
    await control.workbench.runs.cancel(seen.run)
    return RunReply(**show_row((await control.workbench.runs.find(seen.run.row.id)).row))


@router.post("/{run_id}/retry-failed", status_code=202)
async def retry_failed(seen: RunDep, control: ControlDep) -> RunReply:
    """Make again the calls that failed or were not made; answers that are there stay."""
    await control.workbench.runs.retry_failed(seen.session, seen.run, seen.limits)
    return RunReply(**show_row((await control.workbench.runs.find(seen.run.row.id)).row))


@router.post("/{run_id}/promote", status_code=201)
async def promote_winner(
    body: Promotion, seen: RunDep, caller: Caller, control: ControlDep, request: Request
) -> PromotedReply:
    """Make the winner of a comparison, or the model named, a route of your own in this gateway."""
    return await promotion.promote(control, caller, seen, body, peer_of(request))


@router.get("/{run_id}/export")
async def export_run(
    seen: RunDep,
    control: ControlDep,
    name: Annotated[Literal["csv", "json", "jsonl", "junit", "html"], Query(alias="format")] = "json",
) -> Response:
    """The run as a file, made from what is stored: as often as you like, without asking a model again."""
    desk, row = control.workbench.runs, seen.run.row
    kind = FORMATS[name]
    run = ExportedRun(
        id=row.id,
        plan=seen.run.plan,
        status=RunStatus(row.status),
        detail=row.detail,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        summary=await desk.figures(seen.run),
        results=desk.results(seen.run),
    )
    headers = {"content-disposition": f'attachment; filename="{row.id}{kind.ending}"'}
    return StreamingResponse(kind.export(run), media_type=kind.media_type, headers=headers)


@router.delete("/{run_id}", status_code=204)
async def delete_run(seen: RunDep, control: ControlDep) -> None:
    """Delete the run and its results. Cancel it first if it goes on."""
    row = seen.run.row
    if row.status in (RunStatus.PENDING, RunStatus.RUNNING):
        raise Conflict("The run goes on: cancel it first.")
    await control.workbench.eraser.erase_run(row.id, row.round)
