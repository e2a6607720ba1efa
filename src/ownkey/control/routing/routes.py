"""`POST /route/explain`."""

from fastapi import APIRouter, Request

from ownkey.control.identity import Caller, ControlDep, peer_of
from ownkey.control.routing.schemas import Explain, Explanation, show
from ownkey.control.shapes import StrictRoute

router = APIRouter(route_class=StrictRoute, tags=["routing"])


@router.post("/route/explain")
async def explain(body: Explain, caller: Caller, control: ControlDep, request: Request) -> Explanation:
    """The plan a request would get now: the attempts in order, and what was dropped and why."""
    plan = await control.gateway.explain(caller, body.model, body.format, body.credential, peer_of(request))
    return show(plan, body.format)
