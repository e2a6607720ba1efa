"""`GET /v1/models` and `/v1/models/{id}`: what the caller's keys can serve, in the shape of the asker."""

from datetime import UTC, datetime

import msgspec

from ownkey.domain.catalogue import Model
from ownkey.domain.credential import Holdings
from ownkey.domain.errors import ModelNotFound
from ownkey.domain.formats import WireFormat
from ownkey.domain.plan import PlanRequest, make_plan
from ownkey.domain.tenancy import Principal
from ownkey.providers import ProviderCatalogue

_encode = msgspec.json.Encoder().encode
_RELEASE = 1_735_689_600
"""`created` has no meaning for a gateway and must be a number: one fixed instant, 2025-01-01 UTC."""


class ModelListing:
    """Lists the catalogue's models that a plan can reach, and the models of own endpoints."""

    def __init__(self, catalogue: ProviderCatalogue) -> None:
        self._catalogue = catalogue

    def ids(self, principal: Principal, holdings: Holdings, now: float, peer: str) -> dict[str, str]:
        """Model id → title, for every model the caller can use now."""
        allowed = principal.api_key.models if principal.api_key else None

        def served(model: str) -> bool:
            request = PlanRequest(
                model=model, client_format=WireFormat.OPENAI_CHAT, now=now, allowed_models=allowed, peer=peer
            )
            return bool(make_plan(request, holdings, self._catalogue, {}).attempts)

        found = {model.id: model.title for model in self._catalogue.models() if served(model.id)}
        for credential in holdings.credentials:
            if credential.model and served(credential.model):
                found[credential.model] = credential.label
        return found

    def answer(self, ids: dict[str, str], format_: WireFormat, wanted: str | None) -> bytes:
        """The JSON body: the whole list, or one model. Raises ModelNotFound."""
        known = {model.id: model for model in self._catalogue.models()} if format_ is WireFormat.GEMINI else {}
        rows = {id_: _row(id_, title, format_, known.get(id_)) for id_, title in ids.items()}
        if wanted is not None:
            if wanted not in rows:
                raise ModelNotFound(f"The model {wanted!r} is not served by any of your keys.", param="model")
            return _encode(rows[wanted])
        data = list(rows.values())
        if format_ is WireFormat.GEMINI:
            return _encode({"models": data})
        if format_ is WireFormat.ANTHROPIC_MESSAGES:
            first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
            return _encode({"data": data, "has_more": False, "first_id": first, "last_id": last})
        return _encode({"object": "list", "data": data})


def _row(id_: str, title: str, format_: WireFormat, model: Model | None) -> dict[str, object]:
    if format_ is WireFormat.GEMINI:
        return _googles(id_, title, model)
    if format_ is WireFormat.ANTHROPIC_MESSAGES:
        created = datetime.fromtimestamp(_RELEASE, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"type": "model", "id": id_, "display_name": title, "created_at": created}
    owner = id_.partition("/")[0] if "/" in id_ else "custom"
    return {"id": id_, "object": "model", "created": _RELEASE, "owned_by": owner}


def _googles(id_: str, title: str, model: Model | None) -> dict[str, object]:
    """google.genai.types.Model in Google's spelling; limits are in tokens, and left out where they are not known."""
    row: dict[str, object] = {"name": f"models/{id_}", "version": "", "displayName": title}
    if model is not None and model.context_window is not None:
        row["inputTokenLimit"] = model.context_window
    if model is not None and model.max_output is not None:
        row["outputTokenLimit"] = model.max_output
    return row | {"supportedGenerationMethods": ["generateContent", "countTokens"]}


def describe(model: Model) -> dict[str, object]:
    """A catalogue model as the control plane shows it."""
    return {
        "id": model.id,
        "title": model.title,
        "vendor": model.vendor,
        "context_window": model.context_window,
        "max_output": model.max_output,
        "capabilities": list(model.capabilities),
        "recommended": model.recommended,
        "tier": model.tier,
        "eu": model.eu,
    }
