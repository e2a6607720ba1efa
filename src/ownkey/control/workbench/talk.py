"""`/workbench/runs/{id}/chat`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from ownkey.control.identity import ControlDep
from ownkey.control.strict_body import StrictRoute
from ownkey.control.workbench.access import RunDep, VisitorDep
from ownkey.control.workbench.schemas import Question
from ownkey.control.workbench.service import count
from ownkey.control.workbench.streams import EVENT_STREAM, NO_BUFFERING, event
from ownkey.domain.errors import NotFound, OwnkeyError, Unauthenticated
from ownkey.workbench.endpoint import advice
from ownkey.workbench.hosting import Said, who
from ownkey.workbench.records import FailureKind, Message

router = APIRouter(route_class=StrictRoute, prefix="/workbench/runs", tags=["workbench"])


@router.post("/{run_id}/chat", response_class=StreamingResponse)
async def ask_about_run(body: Question, seen: RunDep, visitor: VisitorDep, control: ControlDep) -> StreamingResponse:
    """Ask the tested model about its own results. The answer comes as server-sent events: `delta` with text, then
    `done`, or `error` with what to do. The figures are ours; the model cites prompts by their ids."""
    places = len(seen.run.plan.targets)
    if body.target >= places:
        raise NotFound(f"The run has {places} model(s), counted from 0.", param="target")
    await count(control, "chat", who(seen.session), seen.limits.chats_a_minute)
    turns = [Message(turn.role, turn.content) for turn in body.messages]
    most = min(body.max_tokens, seen.limits.max_tokens)
    said = control.workbench.talk.ask(
        seen.session, seen.run, body.target, turns, body.context_tokens, most, visitor.peer
    )
    return StreamingResponse(_events(said), media_type=EVENT_STREAM, headers=NO_BUFFERING)


async def _events(said: AsyncGenerator[str | Said]) -> AsyncGenerator[bytes]:
    try:
        async with aclosing(said):
            async for piece in said:
                if isinstance(piece, str):
                    yield event("delta", {"text": piece})
                elif piece.failure is not None:
                    yield _error(piece.failure.kind, piece.failure.message)
                else:
                    yield event("done", {"left_out": piece.left_out, "context_tokens": piece.context_tokens})
    except OwnkeyError as error:
        # The head has been sent: what comes to light now can be told in an event only.
        yield _error(FailureKind.AUTH if isinstance(error, Unauthenticated) else FailureKind.UNKNOWN, error.public)


def _error(kind: FailureKind, message: str) -> bytes:
    return event("error", {"kind": kind.value, "message": message, "advice": advice(kind)})
