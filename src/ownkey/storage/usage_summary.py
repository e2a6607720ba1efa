"""Sums and percentiles of usage, for GET /usage."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.tenancy import Owner
from ownkey.domain.usage import RequestStatus
from ownkey.storage.records import UsageGroup
from ownkey.storage.statements import is_postgres
from ownkey.storage.tables import requests
from ownkey.storage.tenancy import asked_by

MAX_GROUPS = 10_000


class GroupBy(StrEnum):
    """What one row of a summary covers; `total` is all rows together."""

    MODEL = "model"
    PROVIDER = "provider"
    CREDENTIAL = "credential"
    USER = "user"
    DAY = "day"
    HOUR = "hour"
    TOTAL = "total"


_COLUMNS = {
    GroupBy.MODEL: requests.c.model,
    GroupBy.PROVIDER: requests.c.provider,
    GroupBy.CREDENTIAL: requests.c.credential_id,
    GroupBy.USER: requests.c.user_id,
    GroupBy.TOTAL: sa.cast(sa.null(), sa.Text),
}
_SPANS = {GroupBy.DAY: (86400, "%Y-%m-%d"), GroupBy.HOUR: (3600, "%Y-%m-%dT%H:%M:%SZ")}
"""Seconds and the key's form."""

_SUMMED = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "list_cost",
    "charged",
)


async def summary(
    conn: AsyncConnection,
    owners: Iterable[Owner] | None,
    since: float | None,
    group_by: GroupBy,
    *,
    credential_id: str | None = None,
) -> list[UsageGroup]:
    """Requests of `owners` (everybody's for None, for operators) from `since` (Unix seconds; None for all time).

    Days and hours come in their order, other groups by descending list cost; the first MAX_GROUPS.
    Spans and groups without requests are absent.
    """
    postgres = is_postgres(conn)
    rows = _rows(postgres, group_by)
    rows = rows.where(asked_by(owners))
    if since is not None:
        rows = rows.where(requests.c.at >= since)
    if credential_id is not None:
        rows = rows.where(requests.c.credential_id == credential_id)
    table = rows.subquery()
    failed = table.c.status.in_((RequestStatus.FAILED.value, RequestStatus.INTERRUPTED.value))
    percentile = _percentile_postgres if postgres else _percentile_sqlite
    columns: list[sa.ColumnElement[Any]] = [
        table.c.key,
        sa.func.count().label("requests"),
        sa.func.count(sa.case((failed, 1))).label("errors"),
        *(sa.cast(sa.func.sum(table.c[name]), sa.BigInteger).label(name) for name in _SUMMED),
        percentile(table, 50).label("latency_p50_ms"),
        percentile(table, 95).label("latency_p95_ms"),
    ]
    order: list[sa.ColumnElement[Any]]
    order = [table.c.key] if group_by in _SPANS else [sa.desc("list_cost"), sa.desc("requests"), table.c.key]
    statement = sa.select(*columns).group_by(table.c.key).order_by(*order).limit(MAX_GROUPS)
    groups: list[UsageGroup] = []
    for row in (await conn.execute(statement)).mappings():
        fields: dict[str, Any] = dict(row)
        fields["key"] = _key(group_by, fields["key"])
        groups.append(UsageGroup(**fields))
    return groups


def _rows(postgres: bool, group_by: GroupBy) -> sa.Select[Any]:
    """What the sums cover: one row per request with its group's key, including its rank for SQLite's percentiles."""
    columns = requests.c
    key: sa.ColumnElement[Any]
    if group_by in _SPANS:
        seconds, _ = _SPANS[group_by]
        spans = columns.at / seconds
        key = sa.func.floor(spans) if postgres else sa.cast(spans, sa.BigInteger)
    else:
        key = _COLUMNS[group_by]
    latency = sa.case((columns.status == RequestStatus.COMPLETED.value, columns.latency_ms)).label("latency")
    chosen = [key.label("key"), columns.status, latency, *(columns[name] for name in _SUMMED)]
    if not postgres:
        rank = sa.func.row_number().over(partition_by=key, order_by=latency.element.nulls_last())
        chosen += [rank.label("rank"), sa.func.count(latency.element).over(partition_by=key).label("ranked")]
    return sa.select(*chosen)


def _percentile_postgres(table: sa.Subquery, percent: int) -> sa.ColumnElement[float | None]:
    return sa.func.percentile_disc(sa.literal(percent / 100)).within_group(table.c.latency)


def _percentile_sqlite(table: sa.Subquery, percent: int) -> sa.ColumnElement[float | None]:
    """The same nearest rank as percentile_disc: the smallest latency with `percent` of the ranked at or below it."""
    return sa.func.min(sa.case((table.c.rank * 100 >= table.c.ranked * percent, table.c.latency)))


def _key(group_by: GroupBy, key: Any) -> str | None:
    if group_by not in _SPANS:
        return key
    seconds, form = _SPANS[group_by]
    return datetime.fromtimestamp(int(key) * seconds, UTC).strftime(form)
