"""`GET /providers`, a provider's logo, `GET /models` and `GET /models/facts`."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from ownkey.control.catalogue.schemas import (
    FactsReply,
    ModelReply,
    ProviderReply,
    show_fact,
    show_learned,
    show_provider,
)
from ownkey.control.catalogue.service import list_models, monogram, serves
from ownkey.control.identity import Caller, ControlDep, peer_of
from ownkey.control.shapes import Cursor, Limit, Listing, StrictRoute, by_name
from ownkey.domain.errors import NotFound
from ownkey.domain.tenancy import Permission

router = APIRouter(route_class=StrictRoute, tags=["catalogue"])


@router.get("/providers")
async def providers(
    _caller: Caller, control: ControlDep, limit: Limit = 200, cursor: Cursor = None
) -> Listing[ProviderReply]:
    """Every provider a key can be stored for."""
    catalogue = control.gateway.catalogue
    models = catalogue.models()
    page, following = by_name(catalogue.providers(), lambda row: row.name, limit, cursor)
    rows = [
        show_provider(row, row.example_base_url, sum(serves(control, row.name, model) for model in models))
        for row in page
    ]
    return Listing(items=rows, next_cursor=following)


@router.get("/providers/{name}/logo.svg", response_class=Response)
async def logo(control: ControlDep, name: str) -> Response:
    """A picture of the provider: a monogram. It is no secret, so that a page can show it without signing in."""
    row = control.gateway.catalogue.provider(name)
    if row is None:
        raise NotFound("Unknown provider.")
    headers = {"cache-control": "public, max-age=86400"}
    return Response(monogram(row.title), media_type="image/svg+xml", headers=headers)


@router.get("/models")
async def models(
    caller: Caller,
    control: ControlDep,
    request: Request,
    condition: Annotated[str, Query(alias="filter", max_length=500)] = "",
    tier: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 200,
    cursor: Cursor = None,
) -> Listing[ModelReply]:
    """The curated models, with list prices and whether the caller's keys can serve them."""
    usable = await control.gateway.usable_models(caller, peer_of(request))
    filters = [part.strip() for part in condition.split(",") if part.strip()]
    page, following = by_name(list_models(control, usable, filters, tier), lambda row: row.id, limit, cursor)
    return Listing(items=list(page), next_cursor=following)


@router.get("/models/facts")
async def facts(
    caller: Caller, control: ControlDep, provider: Annotated[str | None, Query(max_length=64)] = None
) -> FactsReply:
    """What the catalogue knows of single models, and which fields of Ownkey's own providers have rejected lately."""
    gateway = control.gateway
    rows = {row.name: row.facts for row in gateway.catalogue.providers() if provider in (None, row.name)}
    learned = gateway.learned_facts() if caller.may(Permission.READ_ALL_USAGE) else []
    return FactsReply(
        items=[show_fact(name, row) for name, facts in rows.items() for row in facts],
        learned=[show_learned(fact) for fact in learned if provider in (None, fact.provider)],
    )
