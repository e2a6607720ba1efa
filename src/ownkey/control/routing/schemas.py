"""Body and answer of `/route/explain`."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from ownkey.control.shapes import Body, Line, Reply
from ownkey.domain.errors import UnsupportedField
from ownkey.domain.formats import WireFormat
from ownkey.domain.money import format_usd
from ownkey.domain.plan import Attempt, Dropped, Plan


class Explain(Body):
    """The request to plan: a model, and how it would be called."""

    model: Line = Field(max_length=256)
    format: WireFormat = WireFormat.OPENAI_CHAT
    credential: Line | None = Field(None, max_length=200)
    request: dict[str, Any] | None = None
    """A body in the format, for its adaptations."""


class AttemptReply(Reply):
    """One attempt; prices are list prices in USD per million tokens, null when unknown."""

    credential_id: str
    label: str
    provider: str
    upstream_model: str
    format: str
    translated: bool
    payer: str
    input_usd: str | None
    output_usd: str | None
    adaptations: list[str]
    """The fields of the request that would be left out or changed, in the client's words; empty without a request."""
    unsupported: str | None
    """The field of the request for which this attempt would not be made."""


class DroppedReply(Reply):
    """A candidate left out, and why."""

    credential_id: str
    label: str
    provider: str
    reason: str
    detail: str


class Refusal(Reply):
    """The error the request would get."""

    status: int
    code: str
    message: str


class Explanation(Reply):
    """The plan; nothing was sent. `route` is the route by which the caller requested `model`, if any."""

    model: str
    route: str | None
    attempts: list[AttemptReply]
    dropped: list[DroppedReply]
    refusal: Refusal | None


Adapted = tuple[str, ...] | UnsupportedField


def show(plan: Plan, asked: WireFormat, adapted: Sequence[Adapted] | None = None) -> Explanation:
    """`adapted` is what each attempt would do to the request, where there is one."""
    refusal = plan.refusal
    adapted = [()] * len(plan.attempts) if adapted is None else adapted
    return Explanation(
        model=plan.model,
        route=plan.route,
        attempts=[_attempt(attempt, asked, told) for attempt, told in zip(plan.attempts, adapted, strict=True)],
        dropped=[_dropped(drop) for drop in plan.dropped],
        refusal=Refusal(status=refusal.status, code=refusal.code, message=refusal.public) if refusal else None,
    )


def _attempt(attempt: Attempt, asked: WireFormat, adapted: Adapted) -> AttemptReply:
    refused = isinstance(adapted, UnsupportedField)
    return AttemptReply(
        credential_id=attempt.credential.id,
        label=attempt.credential.label,
        provider=attempt.provider.name,
        upstream_model=attempt.upstream_model,
        format=attempt.format.value,
        translated=attempt.format is not asked,
        payer=attempt.payer.value,
        input_usd=format_usd(attempt.rates.input) if attempt.priced else None,
        output_usd=format_usd(attempt.rates.output) if attempt.priced else None,
        adaptations=[] if refused else list(adapted),
        unsupported=adapted.param if refused else None,
    )


def _dropped(drop: Dropped) -> DroppedReply:
    return DroppedReply(
        credential_id=drop.credential.id,
        label=drop.credential.label,
        provider=drop.credential.provider,
        reason=drop.reason.value,
        detail=drop.detail,
    )
