"""`/workbench/runs/{id}/chat`."""

from collections.abc import AsyncGenerator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from ownkey.control.identity import ControlDep
from ownkey.control.strict_body import StrictRoute
from ownkey.control.workbench.access import RunDep
from ownkey.control.workbench.schemas import Question
from ownkey.control.workbench.service import count
from ownkey.control.workbench.streams import EVENT_STREAM, NO_BUFFERING, event
from ownkey.domain.errors import NotFound
from ownkey.workbench.endpoint import advice
from ownkey.workbench.hosting import Said
from ownkey.workbench.records import Message

router = APIRouter(route_class=StrictRoute, prefix="/workbench/runs", tags=["workbench"])


@router.post("/{run_id}/chat", response_class=StreamingResponse)
async def ask_about_run(body: Question, seen: RunDep, control: ControlDep) -> StreamingResponse:
    """Ask the tested model about its own results. The answer comes as server-sent events: `delta` with text, then
    `done`, or `error` with what to do. The figures are ours; the model cites prompts by their ids."""
    places = len(seen.run.plan.targets)
    if body.target >= places:
        raise NotFound(f"The run has {places} model(s), counted from 0.", param="target")
    await count(control, "chat", seen.session, seen.limits.chats_a_minute)
    turns = [Message(turn.role, turn.content) for turn in body.messages]
    said = control.workbench.talk.ask(
        seen.session, seen.run, body.target, turns, body.context_tokens, min(body.max_tokens, seen.limits.max_tokens)
    )
    return StreamingResponse(_events(said), media_type=EVENT_STREAM, headers=NO_BUFFERING)


async def _events(said: AsyncGenerator[str | Said]) -> AsyncGenerator[bytes]:
    async for piece in said:
        if isinstance(piece, str):
            yield event("delta", {"text": piece})
        elif piece.failure is not None:
            failure = piece.failure
            told = {"kind": failure.kind.value, "message": failure.message, "advice": advice(failure.kind)}
            yield event("error", told)
        else:
            yield event("done", {"left_out": piece.left_out, "context_tokens": piece.context_tokens})
