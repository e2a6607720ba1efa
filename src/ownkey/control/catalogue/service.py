"""Filters and prices of the model list."""

from ownkey.control.catalogue.schemas import ModelReply, show_model
from ownkey.control.context import Control
from ownkey.domain.catalogue import Model
from ownkey.domain.errors import InvalidRequest
from ownkey.domain.money import format_usd


def serves(control: Control, provider: str, model: Model) -> bool:
    """Whether the provider offers the model."""
    target = control.gateway.catalogue.resolve(model.id)
    return target is not None and control.gateway.catalogue.offer(provider, target) is not None


def list_models(control: Control, usable: frozenset[str], filters: list[str], tier: str | None) -> list[ModelReply]:
    """The models that pass every filter: `eu`, `recommended`, `usable`, `provider:NAME`."""
    rows = control.gateway.catalogue.models()
    for condition in filters:
        rows = [model for model in rows if _passes(control, model, condition, usable)]
    if tier is not None:
        rows = [model for model in rows if model.tier == tier]
    return [show_model(model, model.id in usable, _prices(control, model)) for model in rows]


def _passes(control: Control, model: Model, condition: str, usable: frozenset[str]) -> bool:
    kind, _, value = condition.partition(":")
    match kind:
        case "eu":
            return model.eu
        case "recommended":
            return model.recommended
        case "usable":
            return model.id in usable
        case "provider" if value:
            return serves(control, value, model)
        case _:
            text = "filter takes eu, recommended, usable and provider:NAME, separated by commas."
            raise InvalidRequest(text, param="filter")


def _prices(control: Control, model: Model) -> tuple[str, str] | None:
    """List prices of the model's vendor, else of the first provider that names a price."""
    priced = [offer for offer in control.gateway.catalogue.offers(model.id) if offer.priced]
    if not priced:
        return None
    offer = next((offer for offer in priced if offer.provider.name == model.vendor), priced[0])
    return format_usd(offer.rates.input), format_usd(offer.rates.output)
