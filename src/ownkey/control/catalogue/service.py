"""Filters and prices of the model list, and pictures of providers."""

from collections.abc import Callable
from difflib import get_close_matches
from hashlib import sha256
from html import escape

from ownkey.control.catalogue.schemas import ModelReply, show_model
from ownkey.control.context import Control
from ownkey.domain.catalogue import TIERS, Model, Offer
from ownkey.domain.errors import InvalidRequest


def serves(control: Control, provider: str, model: Model) -> bool:
    """Whether the provider offers the model."""
    target = control.gateway.catalogue.resolve(model.id)
    return target is not None and control.gateway.catalogue.offer(provider, target) is not None


def unknown_provider(control: Control, name: str, param: str) -> InvalidRequest:
    """The error for a provider that is not in the catalogue. It never quotes `name`, which may be a misplaced key."""
    rows = control.gateway.catalogue.providers()
    names = [row.name for row in rows]
    close = get_close_matches(name[:100], [*names, *(alias for row in rows for alias in row.aliases)], n=1)
    hint = f"Did you mean `{close[0]}`?" if close else f"Choose one of {', '.join(names)}."
    return InvalidRequest(f"Unknown provider. {hint}", param=param)


def list_models(control: Control, usable: frozenset[str], filters: list[str], tier: str | None) -> list[ModelReply]:
    """The models that pass every filter: `eu`, `recommended`, `usable`, `provider:NAME`, `tier:NAME`.

    Raises InvalidRequest for any other filter, and for a provider or a tier that there is not.
    """
    tests = [_test(control, condition, usable) for condition in filters]
    if tier is not None:
        tests.append(_of_tier(tier, "tier"))
    models = [model for model in control.gateway.catalogue.models() if all(test(model) for test in tests)]
    return [show_model(model, model.id in usable, _priced_offer(control, model)) for model in models]


def _test(control: Control, condition: str, usable: frozenset[str]) -> Callable[[Model], bool]:
    kind, colon, value = condition.partition(":")
    match kind:
        case "eu" if not colon:
            return lambda model: model.eu
        case "recommended" if not colon:
            return lambda model: model.recommended
        case "usable" if not colon:
            return lambda model: model.id in usable
        case "provider" if value:
            return _of_provider(control, value)
        case "tier" if value:
            return _of_tier(value, "filter")
        case _:
            text = "filter takes eu, recommended, usable, provider:NAME and tier:NAME, separated by commas."
            raise InvalidRequest(text, param="filter")


def _of_provider(control: Control, name: str) -> Callable[[Model], bool]:
    if control.gateway.catalogue.provider(name) is None:
        raise unknown_provider(control, name, "filter")
    return lambda model: serves(control, name, model)


def _of_tier(name: str, param: str) -> Callable[[Model], bool]:
    if name not in TIERS:
        raise InvalidRequest(f"Unknown tier. Choose one of {', '.join(TIERS)}.", param=param)
    return lambda model: model.tier == name


def _priced_offer(control: Control, model: Model) -> Offer | None:
    """The offer of the model's vendor, else of the first provider that names a price; None when nobody does."""
    priced = [offer for offer in control.gateway.catalogue.offers(model.id) if offer.priced]
    return next((offer for offer in priced if offer.provider.name == model.vendor), priced[0] if priced else None)


def monogram(title: str) -> str:
    """A provider's picture as SVG: one or two letters on a colour. The same title always gives the same picture.

    No vendor's own mark is copied.
    """
    letters = escape(_letters(title))
    hue = int.from_bytes(sha256(title.encode()).digest()[:2]) % 360
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" role="img" aria-label="{escape(title)}">'
        f'<rect width="64" height="64" rx="14" fill="hsl({hue} 48% 38%)"/>'
        '<text x="32" y="33" fill="#fff" font-family="system-ui,sans-serif" font-size="28" font-weight="600" '
        f'text-anchor="middle" dominant-baseline="central">{letters}</text></svg>\n'
    )


def _letters(title: str) -> str:
    """At most two: the capitals of the first word (`OR` for OpenRouter), else initials (`MA` for Mistral AI)."""
    words = title.split()
    name = words[0] if words else "?"
    initials = [word[0] for word in words[:2] if word[0].isalnum()]
    capitals = [letter for letter in name if letter.isupper()]
    found = capitals if len(capitals) > 1 else initials if len(initials) > 1 else [name[0]]
    return "".join(found[:2]).upper()
