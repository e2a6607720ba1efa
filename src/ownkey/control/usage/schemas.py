"""Replies of `/usage` and `/requests`."""

from typing import Any

import msgspec

from ownkey.control.shapes import Reply, instant, usd
from ownkey.domain.usage import RequestRecord
from ownkey.storage.records import UsageGroup

_FORMER_ADAPTATIONS = "hints_dropped"
_FORMER_ROUTE = "alias"
"""What the route was called in rows that an earlier version wrote."""


class RequestReply(Reply):
    """One request as the books have it."""

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


class Receipt(RequestReply):
    """A request with its attempts in order and the candidates that were dropped, each with the reason.

    `adaptations` names the client's fields that were left out or changed for the provider and the model. `route` is the
    caller's own name by which the model was asked for, if it was.
    """

    attempts_made: list[dict[str, Any]]
    dropped: list[dict[str, Any]]
    adaptations: list[str]
    route: str | None


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


def request_fields(record: RequestRecord) -> dict[str, Any]:
    fields = {name: getattr(record, name) for name in RequestReply.model_fields if hasattr(record, name)}
    return fields | {
        "at": instant(record.at),
        "list_cost_usd": usd(record.list_cost),
        "charged_usd": usd(record.charged),
        "latency_ms": round(record.latency_ms, 3),
        "ttft_ms": round(record.ttft_ms, 3) if record.ttft_ms is not None else None,
    }


def show_receipt(record: RequestRecord) -> Receipt:
    detail = msgspec.json.decode(record.detail, type=dict[str, Any])
    fields = request_fields(record)
    return Receipt(
        **fields,
        attempts_made=detail.get("attempts", []),
        dropped=detail.get("dropped", []),
        adaptations=detail.get("adaptations") or detail.get(_FORMER_ADAPTATIONS, []),
        route=detail.get("route") or detail.get(_FORMER_ROUTE),
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
        list_cost_usd=usd(group.list_cost) or "0",
        charged_usd=usd(group.charged) or "0",
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
