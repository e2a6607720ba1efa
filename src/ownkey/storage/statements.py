"""The few statements that SQLite and Postgres share in meaning but not in SQLAlchemy's spelling."""

from typing import Any

from sqlalchemy import Column, ColumnElement, Table, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Insert = sqlite.Insert | postgresql.Insert


def is_postgres(conn: AsyncConnection) -> bool:
    return conn.dialect.name == "postgresql"


def upsert(conn: AsyncConnection, table: Table) -> Any:
    """The dialect's INSERT that knows ON CONFLICT (`Any`: the two share no base class that has it)."""
    return postgresql.insert(table) if is_postgres(conn) else sqlite.insert(table)


def excluded(column: Column[Any]) -> ColumnElement[Any]:
    """In ON CONFLICT DO UPDATE, the value that was to be inserted.

    SQLAlchemy's own `insert.excluded` is an alias of the table with all its columns, a hundred objects in cycles for
    each statement: in the rhythm of a run's results the collector then stops the process for tens of milliseconds.
    """
    return literal_column(f"excluded.{column.name}", column.type)


def insert_or_ignore(conn: AsyncConnection, table: Table, *unique: Column[Any]) -> Any:
    """An INSERT that does nothing, returning no row, when a row with the same `unique` columns exists (for none
    named, with the same of any that are unique)."""
    return upsert(conn, table).on_conflict_do_nothing(index_elements=list(unique) or None)


async def lock_name(conn: AsyncConnection, name: str) -> None:
    """Make this transaction the only one that holds `name`, until it ends.

    On SQLite every write transaction is already alone.
    """
    if is_postgres(conn):
        await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
