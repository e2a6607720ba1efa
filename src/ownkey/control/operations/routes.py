"""`GET /healthz`, `/readyz`, `/metrics`."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ownkey.control.identity import ControlDep

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def health() -> dict[str, str]:
    """The process runs and its event loop turns."""
    return {"status": "ok"}


@router.get("/readyz")
async def ready(control: ControlDep) -> JSONResponse:
    """Whether this process can serve: the database answers and the master key fits. 503 says what is missing."""
    problems = await control.readiness.problems()
    status = "ready" if not problems else "not ready"
    return JSONResponse({"status": status, "problems": problems}, 503 if problems else 200)


@router.get("/metrics")
async def metrics(control: ControlDep) -> Response:
    """Prometheus's text format."""
    return Response(generate_latest(control.registry), media_type=CONTENT_TYPE_LATEST)
