"""`/workbench/runs/{id}`: read, follow, cancel, retry, discuss, export and delete a run."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from msgspec.structs import replace

from ownkey.control.identity import Caller, ControlDep, peer_of
from ownkey.control.shapes import Listing, StrictRoute
from ownkey.control.workbench.access import RunDep, VisitorDep, count
from ownkey.control.workbench.runs import service
from ownkey.control.workbench.runs.schemas import (
    PromotedReply,
    Promotion,
    Question,
    ResultReply,
    RunDetail,
    RunReply,
    show_result,
    show_run,
)
from ownkey.domain.errors import Conflict, NotFound
from ownkey.storage.paging import decode_cursor, encode_cursor
from ownkey.workbench.export import FORMATS, ExportedRun
from ownkey.workbench.hosting import who
from ownkey.workbench.records import Message, RunStatus

router = APIRouter(route_class=StrictRoute, prefix="/workbench/runs", tags=["workbench"])
_RESULTS = 200
_LAST = 2**63 - 1
"""Databases have no larger numbers, and in mid-stream there is no way to say so."""
_EVENT_STREAM = "text/event-stream"
_NO_BUFFERING = {"x-accel-buffering": "no"}
"""For reverse proxies that would collect the events."""

Results = Annotated[int, Query(ge=0, le=1000, description="How many results to include")]


@router.get("/{run_id}")
async def get_run(seen: RunDep, control: ControlDep, results: Results = _RESULTS) -> RunDetail:
    """A run with its figures so far and its first results; `/results` has all of them."""
    runs = control.workbench.runs
    found, _ = await runs.page(seen.run, 0, results)
    return RunDetail(
        **dict(show_run(seen.run.row)),
        plan=replace(seen.run.plan, peer=""),
        metrics=await runs.figures(seen.run),
        results=[show_result(prompt, result) for prompt, result in found],
    )


@router.get("/{run_id}/results")
async def list_results(
    seen: RunDep,
    control: ControlDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = _RESULTS,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> Listing[ResultReply]:
    """The results in the order in which they came."""
    (after,) = decode_cursor(cursor, tuple[int]) if cursor is not None else (0,)
    found, more = await control.workbench.runs.page(seen.run, after, limit)
    items = [show_result(prompt, result) for prompt, result in found]
    return Listing(items=items, next_cursor=encode_cursor((found[-1][1].seq,)) if more and found else None)


@router.get("/{run_id}/results/{number}")
async def get_result(seen: RunDep, control: ControlDep, number: Annotated[int, Path(ge=1)]) -> ResultReply:
    """One result by its number (`seq`)."""
    found, _ = await control.workbench.runs.page(seen.run, number - 1, 1)
    if not found or found[0][1].seq != number:
        raise NotFound("The run has no result with this number: it may have been retried since.", param="number")
    return show_result(*found[0])


@router.get("/{run_id}/events", response_class=StreamingResponse)
async def follow_run(
    seen: RunDep, control: ControlDep, last_event_id: Annotated[int, Header(ge=0, le=_LAST)] = 0
) -> StreamingResponse:
    """Server-sent events: `result` for each result as soon as it is stored, `progress`, and `done` with the figures.
    `Last-Event-ID` continues after a broken connection."""
    return StreamingResponse(
        service.run_events(control, seen.run, last_event_id), media_type=_EVENT_STREAM, headers=_NO_BUFFERING
    )


@router.post("/{run_id}/cancel", status_code=202)
async def cancel_run(seen: RunDep, control: ControlDep) -> RunReply:
    """End the run. Calls under way are broken off; answers that are there stay."""
    await control.workbench.runs.cancel(seen.run)
    return show_run((await control.workbench.runs.find(seen.run.row.id)).row)


@router.post("/{run_id}/retry-failed", status_code=202)
async def retry_failed(seen: RunDep, control: ControlDep) -> RunReply:
    """Retry the calls that failed or were not made; existing answers remain."""
    await control.workbench.runs.retry_failed(seen.session, seen.run, seen.limits)
    return show_run((await control.workbench.runs.find(seen.run.row.id)).row)


@router.post("/{run_id}/chat", response_class=StreamingResponse)
async def ask_about_run(body: Question, seen: RunDep, visitor: VisitorDep, control: ControlDep) -> StreamingResponse:
    """Ask the tested model about its own results. The answer comes as server-sent events: `delta` with text, then
    `done`, or `error` with what to do. The figures are ours; the model cites prompts by their ids."""
    targets = len(seen.run.plan.targets)
    if body.target >= targets:
        raise NotFound(f"The run has {targets} model(s), counted from 0.", param="target")
    await count(control, "chat", who(seen.session), seen.limits.chats_a_minute)
    turns = [Message(turn.role, turn.content) for turn in body.messages]
    most = min(body.max_tokens, seen.limits.max_tokens)
    said = control.workbench.talk.ask(
        seen.session, seen.run, body.target, turns, body.context_tokens, most, visitor.peer
    )
    return StreamingResponse(service.answer_events(said), media_type=_EVENT_STREAM, headers=_NO_BUFFERING)


@router.post("/{run_id}/promote", status_code=201)
async def promote_winner(
    body: Promotion, seen: RunDep, caller: Caller, control: ControlDep, request: Request
) -> PromotedReply:
    """Make the winner of a comparison, or the model named, a route of your own in this gateway."""
    return await service.promote(control, caller, seen, body, peer_of(request))


@router.get("/{run_id}/export")
async def export_run(
    seen: RunDep,
    control: ControlDep,
    name: Annotated[Literal["csv", "json", "jsonl", "junit", "html"], Query(alias="format")] = "json",
) -> Response:
    """The run as a file, from stored results: as often as you like, without calling a model again."""
    runs, row = control.workbench.runs, seen.run.row
    kind = FORMATS[name]
    run = ExportedRun(
        id=row.id,
        plan=seen.run.plan,
        status=RunStatus(row.status),
        detail=row.detail,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        summary=await runs.figures(seen.run),
        results=runs.results(seen.run),
    )
    headers = {"content-disposition": f'attachment; filename="{row.id}{kind.ending}"'}
    return StreamingResponse(kind.export(run), media_type=kind.media_type, headers=headers)


@router.delete("/{run_id}", status_code=204)
async def delete_run(seen: RunDep, control: ControlDep) -> None:
    """Delete the run and its results. Cancel it first if it is running."""
    row = seen.run.row
    if row.status in (RunStatus.PENDING, RunStatus.RUNNING):
        raise Conflict("The run goes on: cancel it first.")
    await control.workbench.eraser.erase_run(row.id, row.round)
