"""`GET /v1/models` and `/v1/models/{id}`: what the caller's keys can serve, in the shape of the asker."""

import asyncio
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from ownkey.domain.catalogue import Model
from ownkey.domain.credential import Holdings
from ownkey.domain.errors import ModelNotFound
from ownkey.domain.formats import WireFormat
from ownkey.domain.plan import PlanRequest, make_plan
from ownkey.domain.tenancy import Principal
from ownkey.gateway.pages import page_of
from ownkey.gateway.plans import is_timeless
from ownkey.providers import ProviderCatalogue

_encode = msgspec.json.Encoder().encode
_RELEASE = 1_735_689_600
"""`created` has no meaning for a gateway and must be a number: one fixed instant, 2025-01-01 UTC."""
_LIFETIME = 60.0
"""Seconds a list is kept at most; changed holdings make it anew at once."""
_AT_A_TIME = 32
"""Models looked at before other requests get a turn: each costs some tens of microseconds."""


class Listed(Struct, frozen=True):
    """A model as lists show it; what is not known of an own endpoint's is None."""

    id: str
    title: str
    context_window: int | None = None
    max_output: int | None = None


class _Kept(Struct, frozen=True):
    holdings: Holdings
    listed: dict[str, Listed]
    until: float


class ModelListing:
    """Lists the catalogue's models that a plan can reach, the models of own endpoints, and routes.

    A user's list is kept as their plans are: for the same holdings, unless an address or a date matters.
    """

    def __init__(self, catalogue: ProviderCatalogue, capacity: int = 1_000) -> None:
        self._catalogue = catalogue
        self._capacity = capacity
        self._kept: dict[tuple[str, tuple[str, ...] | None], _Kept] = {}

    async def served(self, principal: Principal, holdings: Holdings, now: float, peer: str) -> dict[str, Listed]:
        """Every model the caller can use now, by id."""
        allowed = principal.api_key.models if principal.api_key else None
        asker = (principal.user_id, allowed)
        kept = self._kept.get(asker)
        if kept is not None and kept.holdings is holdings and kept.until > now:
            return kept.listed
        listed = await self._look_up(holdings, allowed, now, peer)
        if is_timeless(holdings, now, _LIFETIME):
            if len(self._kept) >= self._capacity:
                self._kept.clear()
            self._kept[asker] = _Kept(holdings, listed, now + _LIFETIME)
        return listed

    def find(
        self, wanted: str, listed: dict[str, Listed], principal: Principal, holdings: Holdings, now: float, peer: str
    ) -> Listed:
        """The model `wanted` by any name that a chat may use. Raises ModelNotFound when no key serves it."""
        found = listed.get(wanted)
        if found is not None:
            return found
        allowed = principal.api_key.models if principal.api_key else None
        request = _request(wanted, allowed, now, peer)
        attempts = make_plan(request, holdings, self._catalogue, {}).attempts
        if not attempts:
            raise ModelNotFound(f"The model {wanted!r} is not served by any of your keys.", param="model")
        names = {attempt.upstream_model for attempt in attempts} | {wanted}
        curated = [model for model in self._catalogue.models() if not names.isdisjoint(_names_of(model))]
        known = listed.get(curated[0].id) if len(curated) == 1 else None
        limits = (known.context_window, known.max_output) if known else (attempts[0].context_window, None)
        return Listed(wanted, known.title if known else wanted, *limits)

    async def _look_up(
        self, holdings: Holdings, allowed: tuple[str, ...] | None, now: float, peer: str
    ) -> dict[str, Listed]:
        def is_served(model: str) -> bool:
            return bool(make_plan(_request(model, allowed, now, peer), holdings, self._catalogue, {}).attempts)

        found: dict[str, Listed] = {}
        for number, model in enumerate(self._catalogue.models(), 1):
            if is_served(model.id):
                found[model.id] = Listed(model.id, model.title, model.context_window, model.max_output)
            if number % _AT_A_TIME == 0:
                await asyncio.sleep(0)
        for credential in holdings.credentials:
            if credential.model and is_served(credential.model):
                found[credential.model] = Listed(credential.model, credential.label)
        for route in holdings.routes.values():
            found.pop(route.name, None)
            if is_served(route.name):
                known = found.get(route.model)
                limits = (known.context_window, known.max_output) if known else ()
                found[route.name] = Listed(route.name, route.model, *limits)
        return found

    def answer_one(self, model: Listed, format_: WireFormat) -> bytes:
        """The JSON body for one model."""
        return _encode(_ROWS.get(format_, _openai_row)(model))

    def answer(self, listed: dict[str, Listed], format_: WireFormat, query: bytes = b"") -> bytes:
        """The JSON body: the whole list or a page of it. Raises InvalidRequest.

        Only Anthropic's list has pages; `query` is the request's.
        """
        row = _ROWS.get(format_, _openai_row)
        if format_ is not WireFormat.ANTHROPIC_MESSAGES:
            rows = [row(model) for model in listed.values()]
            return _encode({"models": rows} if format_ is WireFormat.GEMINI else {"object": "list", "data": rows})
        ids, has_more = page_of(list(listed), query)
        first, last = (ids[0], ids[-1]) if ids else (None, None)
        data = [row(listed[id_]) for id_ in ids]
        return _encode({"data": data, "has_more": has_more, "first_id": first, "last_id": last})


def _names_of(model: Model) -> set[str]:
    return {model.id, model.id.partition("/")[2], *model.upstream_ids.values()}


def _request(model: str, allowed: tuple[str, ...] | None, now: float, peer: str) -> PlanRequest:
    return PlanRequest(model=model, client_format=WireFormat.OPENAI_CHAT, now=now, allowed_models=allowed, peer=peer)


def _openai_row(model: Listed) -> dict[str, object]:
    owner = model.id.partition("/")[0] if "/" in model.id else "custom"
    return {"id": model.id, "object": "model", "created": _RELEASE, "owned_by": owner}


def _anthropic_row(model: Listed) -> dict[str, object]:
    """anthropic.types.ModelInfo."""
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.title,
        "created_at": datetime.fromtimestamp(_RELEASE, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
        "line": None,
        "deprecated_at": None,
        "retires_at": None,
        "max_input_tokens": model.context_window,
        "max_tokens": model.max_output,
        "capabilities": None,
    }


def _gemini_row(model: Listed) -> dict[str, object]:
    """google.genai.types.Model in Google's spelling; limits are in tokens, and left out where they are not known."""
    row: dict[str, object] = {"name": f"models/{model.id}", "version": "", "displayName": model.title}
    if model.context_window is not None:
        row["inputTokenLimit"] = model.context_window
    if model.max_output is not None:
        row["outputTokenLimit"] = model.max_output
    return row | {"supportedGenerationMethods": ["generateContent", "countTokens"]}


_ROWS = {WireFormat.ANTHROPIC_MESSAGES: _anthropic_row, WireFormat.GEMINI: _gemini_row}
