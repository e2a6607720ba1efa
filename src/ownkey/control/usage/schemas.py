"""Replies of `/usage` and `/requests`."""

from pydantic import AliasChoices, BaseModel, Field

from ownkey.control.routing.schemas import DroppedReply
from ownkey.control.shapes import Reply, instant, usd
from ownkey.domain.usage import RequestRecord
from ownkey.storage.records import UsageGroup


class RequestReply(Reply):
    """One recorded request."""

    id: str
    at: str
    model: str
    upstream_model: str
    provider: str
    credential_id: str | None
    api_key_id: str | None
    payer: str
    client_format: str
    status: str
    http_status: int
    streamed: bool
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    usage_reported: bool
    list_cost_usd: str
    charged_usd: str
    latency_ms: float
    ttft_ms: float | None
    attempts: int
    error: str | None


class MadeAttempt(Reply):
    """One attempt. `outcome` is `answered` or an error code, `status` the provider's status, if it responded."""

    credential_id: str
    provider: str
    model: str
    payer: str
    outcome: str
    status: int | None


class Receipt(RequestReply):
    """A request with its attempts in order and the candidates that were dropped, each with the reason.

    `adaptations` names the client's fields that were left out or changed for the provider and the model. `route` is the
    name by which the caller requested the model, if it is a route.
    """

    attempts_made: list[MadeAttempt]
    dropped: list[DroppedReply]
    adaptations: list[str]
    route: str | None


class _Detail(BaseModel):
    """`RequestRecord.detail`. Earlier versions named `adaptations` and `route` otherwise, or lack fields."""

    attempts: list[MadeAttempt] = []
    dropped: list[DroppedReply] = []
    adaptations: list[str] = Field([], validation_alias=AliasChoices("adaptations", "hints_dropped"))
    route: str | None = Field(None, validation_alias=AliasChoices("route", "alias"))


class UsageRow(Reply):
    """Sums over one group; `key` is its model, provider, credential, user, day or hour."""

    key: str | None
    requests: int
    errors: int
    error_rate: float
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    list_cost_usd: str
    charged_usd: str
    latency_p50_ms: float | None
    latency_p95_ms: float | None


class UsageReply(Reply):
    """The totals of a range, and its groups."""

    range: str
    group_by: str
    total: UsageRow
    items: list[UsageRow]


def show_request(record: RequestRecord) -> RequestReply:
    return RequestReply(
        id=record.id,
        at=instant(record.at),
        model=record.model,
        upstream_model=record.upstream_model,
        provider=record.provider,
        credential_id=record.credential_id,
        api_key_id=record.api_key_id,
        payer=record.payer,
        client_format=record.client_format,
        status=record.status,
        http_status=record.http_status,
        streamed=record.streamed,
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        cached_tokens=record.cached_tokens,
        cache_write_tokens=record.cache_write_tokens,
        reasoning_tokens=record.reasoning_tokens,
        usage_reported=record.usage_reported,
        list_cost_usd=usd(record.list_cost),
        charged_usd=usd(record.charged),
        latency_ms=round(record.latency_ms, 3),
        ttft_ms=round(record.ttft_ms, 3) if record.ttft_ms is not None else None,
        attempts=record.attempts,
        error=record.error,
    )


def show_receipt(record: RequestRecord) -> Receipt:
    detail = _Detail.model_validate_json(record.detail)
    return Receipt(
        **dict(show_request(record)),
        attempts_made=detail.attempts,
        dropped=detail.dropped,
        adaptations=detail.adaptations,
        route=detail.route,
    )


def show_group(group: UsageGroup) -> UsageRow:
    return UsageRow(
        key=group.key,
        requests=group.requests,
        errors=group.errors,
        error_rate=round(group.errors / group.requests, 4) if group.requests else 0.0,
        input_tokens=group.input_tokens,
        output_tokens=group.output_tokens,
        cached_tokens=group.cached_tokens,
        cache_write_tokens=group.cache_write_tokens,
        reasoning_tokens=group.reasoning_tokens,
        list_cost_usd=usd(group.list_cost),
        charged_usd=usd(group.charged),
        latency_p50_ms=group.latency_p50_ms,
        latency_p95_ms=group.latency_p95_ms,
    )


NOTHING = UsageRow(
    key=None,
    requests=0,
    errors=0,
    error_rate=0.0,
    input_tokens=0,
    output_tokens=0,
    cached_tokens=0,
    cache_write_tokens=0,
    reasoning_tokens=0,
    list_cost_usd="0",
    charged_usd="0",
    latency_p50_ms=None,
    latency_p95_ms=None,
)
