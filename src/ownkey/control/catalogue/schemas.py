"""Answers of `/providers` and `/models`."""

from ownkey.control.shapes import Reply
from ownkey.domain.catalogue import Model, Provider


class ProviderReply(Reply):
    """One provider."""

    name: str
    title: str
    logo: str | None
    base_url: str | None
    needs_base_url: bool
    key_required: bool
    signup_url: str | None
    docs_url: str | None
    key_example: str
    key_pattern: str
    formats: list[str]
    router: bool
    eu: str
    regions: list[str]
    capabilities: list[str]
    model_count: int


class ModelReply(Reply):
    """One model. `usable` says whether one of the caller's keys can serve it now; prices are per million tokens."""

    id: str
    title: str
    vendor: str
    context_window: int | None
    max_output: int | None
    capabilities: list[str]
    recommended: bool
    tier: str
    eu: bool
    usable: bool
    input_usd: str | None
    output_usd: str | None


def show_provider(row: Provider, model_count: int) -> ProviderReply:
    return ProviderReply(
        name=row.name,
        title=row.title,
        logo=row.logo,
        base_url=row.base_url,
        needs_base_url=row.base_url is None,
        key_required=row.key_required,
        signup_url=row.signup_url,
        docs_url=row.docs_url,
        key_example=row.key_example,
        key_pattern=row.key_pattern,
        formats=[format_.value for format_ in row.endpoints],
        router=row.router,
        eu=row.eu,
        regions=list(row.regions),
        capabilities=list(row.capabilities),
        model_count=model_count,
    )


def show_model(model: Model, usable: bool, prices: tuple[str, str] | None) -> ModelReply:
    return ModelReply(
        id=model.id,
        title=model.title,
        vendor=model.vendor,
        context_window=model.context_window,
        max_output=model.max_output,
        capabilities=list(model.capabilities),
        recommended=model.recommended,
        tier=model.tier,
        eu=model.eu,
        usable=usable,
        input_usd=prices[0] if prices else None,
        output_usd=prices[1] if prices else None,
    )
