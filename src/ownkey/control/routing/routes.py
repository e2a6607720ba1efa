"""`POST /route/explain`."""

from fastapi import APIRouter, Request

from ownkey.control.identity import Caller, ControlDep, peer_of
from ownkey.control.routing.schemas import Explain, Explanation, show
from ownkey.control.shapes import StrictRoute

router = APIRouter(route_class=StrictRoute, tags=["routing"])


@router.post("/route/explain")
async def explain(body: Explain, caller: Caller, control: ControlDep, request: Request) -> Explanation:
    """The plan a request would get now: the attempts in order, and what was dropped and why.

    With a `request`, also which of its fields each attempt would adapt.
    """
    plan = await control.gateway.explain(caller, body.model, body.format, body.credential, peer_of(request))
    adapted = None
    if body.request is not None:
        adapted = await control.gateway.adaptations(caller, plan, body.format, {"model": body.model} | body.request)
    return show(plan, body.format, adapted)
