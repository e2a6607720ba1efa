"""Usage: one row per request, written in batches from the journal, and the queries on it."""

from collections.abc import Iterable, Sequence
from operator import itemgetter

import sqlalchemy as sa
from msgspec.structs import astuple
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.tenancy import Owner
from ownkey.domain.usage import RequestRecord
from ownkey.storage.paging import check_limit, decode_cursor, encode_cursor
from ownkey.storage.records import Page
from ownkey.storage.statements import is_postgres
from ownkey.storage.tables import erased_users, requests, users
from ownkey.storage.tenancy import asked_by


async def insert_batch(conn: AsyncConnection, records: Sequence[RequestRecord]) -> int:
    """Add what is new among `records`; how many rows that made.

    A record whose id is stored already changes nothing, and one of an erased user is dropped, so a
    batch may be repeated after any failure. Raises InvalidRequest for a value the engine cannot
    hold (on Postgres a NUL character), and then nothing is stored.
    """
    erased = await _erased_among(conn, {record.user_id for record in records})
    if erased:
        records = [record for record in records if record.user_id not in erased]
    # In the order of their ids, the first field: two processes that store the same records lock rows in one order,
    # and neighbors go to the same pages.
    rows = sorted(map(astuple, records), key=itemgetter(0))
    if not rows:
        return 0
    if is_postgres(conn):
        # One array a column: one round trip and one plan for any number of rows.
        result = await conn.exec_driver_sql(_POSTGRES_INSERT, tuple(list(column) for column in zip(*rows, strict=True)))
    else:
        result = await conn.exec_driver_sql(_SQLITE_INSERT, rows)
    return result.rowcount


async def get(conn: AsyncConnection, owners: Iterable[Owner] | None, request_id: str) -> RequestRecord | None:
    """One request of `owners`; anybody's for None, which is for operators."""
    statement = sa.select(requests).where(asked_by(owners), requests.c.id == request_id)
    row = (await conn.execute(statement)).mappings().first()
    return None if row is None else _record(row)


async def list_page(
    conn: AsyncConnection,
    owners: Iterable[Owner] | None,
    limit: int = 100,
    cursor: str | None = None,
    *,
    credential_id: str | None = None,
    since: float | None = None,
    until: float | None = None,
) -> Page[RequestRecord]:
    """Requests of `owners` (everybody's for None), newest first, with `since` ≤ at < `until`.

    Raises InvalidRequest for a bad limit or cursor.
    """
    columns = requests.c
    statement = sa.select(requests).where(asked_by(owners))
    if credential_id is not None:
        statement = statement.where(columns.credential_id == credential_id)
    if since is not None:
        statement = statement.where(columns.at >= since)
    if until is not None:
        statement = statement.where(columns.at < until)
    if cursor is not None:
        at, request_id = decode_cursor(cursor, tuple[float, str])
        statement = statement.where(sa.tuple_(columns.at, columns.id) < sa.tuple_(sa.literal(at), request_id))
    ordered = statement.order_by(columns.at.desc(), columns.id.desc()).limit(check_limit(limit) + 1)
    found = [_record(row) for row in (await conn.execute(ordered)).mappings()]
    items = found[:limit]
    return Page(items, encode_cursor((items[-1].at, items[-1].id)) if len(found) > limit else None)


async def prune(conn: AsyncConnection, before: float, limit: int = 10_000) -> int:
    """Delete up to `limit` rows older than `before`, so that the writer is never held long; how many there were."""
    old = sa.select(requests.c.id).where(requests.c.at < before).order_by(requests.c.at).limit(limit)
    return (await conn.execute(sa.delete(requests).where(requests.c.id.in_(old)))).rowcount


async def _erased_among(conn: AsyncConnection, user_ids: set[str]) -> set[str]:
    """Which of the users are erased, staying true until the transaction ends."""
    if is_postgres(conn):
        # An erasure that begins now waits for this batch and then deletes its rows, too.
        await conn.execute(
            sa.select(users.c.id).where(users.c.id.in_(user_ids)).order_by(users.c.id).with_for_update(key_share=True)
        )
    found = await conn.execute(sa.select(erased_users.c.user_id).where(erased_users.c.user_id.in_(user_ids)))
    return set(found.scalars())


def _record(row: sa.RowMapping) -> RequestRecord:
    return RequestRecord(**row)


def _arrays() -> str:
    dialect = postgresql.dialect()
    types = (column.type.compile(dialect) for column in requests.c)
    return ", ".join(f"${number}::{name}[]" for number, name in enumerate(types, start=1))


_NAMES = ", ".join(column.name for column in requests.c)
_MARKS = ", ".join("?" for _ in requests.c)
_POSTGRES_INSERT = f"INSERT INTO requests ({_NAMES}) SELECT * FROM unnest({_arrays()}) ON CONFLICT (id) DO NOTHING"  # noqa: S608
_SQLITE_INSERT = f"INSERT INTO requests ({_NAMES}) VALUES ({_MARKS}) ON CONFLICT (id) DO NOTHING"  # noqa: S608
