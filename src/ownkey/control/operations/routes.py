"""`GET /healthz`, `/readyz`, `/metrics`."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ownkey.control.identity import ControlDep
from ownkey.control.shapes import Reply

router = APIRouter(tags=["operations"])


class ReadyReply(Reply):
    """`problems` names what is missing; it is empty when the process can serve."""

    status: str
    problems: list[str]


_NOT_READY: dict[int | str, dict[str, Any]] = {503: {"model": ReadyReply, "description": "Not ready"}}


@router.get("/healthz")
async def health() -> dict[str, str]:
    """The process runs and its event loop turns."""
    return {"status": "ok"}


@router.get("/readyz", responses=_NOT_READY)
async def ready(control: ControlDep, response: Response) -> ReadyReply:
    """Whether this process can serve: the database answers and the master key fits. 503 says what is missing."""
    problems = await control.readiness.problems()
    if problems:
        response.status_code = 503
    return ReadyReply(status="not ready" if problems else "ready", problems=problems)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(control: ControlDep) -> Response:
    """Prometheus's text format."""
    return Response(generate_latest(control.registry), media_type=CONTENT_TYPE_LATEST)
