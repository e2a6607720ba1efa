"""Database URLs and the engines created from them, with the settings that make each engine safe."""

import os
import sqlite3
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakSet

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from ownkey.storage.errors import InvalidDatabaseUrl

_HELP = "Give sqlite:///path/to/ownkey.db or postgresql://user:password@host/name as OWNKEY_DATABASE_URL."


_MIGRATION_TIMEOUT_S = 600
"""How long one process waits for another's migration."""


class _TidyConnection(sqlite3.Connection):
    """Closes its cursors before it rolls back or closes.

    A cancelled statement's cursor lives on in the traceback, and SQLite keeps a closed connection's
    locks and snapshot for as long as one of its statements lives.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._cursors: WeakSet[sqlite3.Cursor] = WeakSet()
        self._closed = False

    def cursor(self, factory: Any = sqlite3.Cursor) -> Any:
        cursor = super().cursor(factory)
        self._cursors.add(cursor)
        return cursor

    def rollback(self) -> None:
        for cursor in tuple(self._cursors):
            cursor.close()
        super().rollback()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.rollback()
        super().close()


class _DriverConnection(Protocol):
    isolation_level: str | None

    def cursor(self) -> Any: ...


def parse_url(text: str) -> URL:
    """The URL with its asynchronous driver. Raises InvalidDatabaseUrl, which never quotes the text (it holds a
    password)."""
    try:
        url = make_url(text)
    except ArgumentError:
        raise InvalidDatabaseUrl(_HELP, operator="the database URL cannot be parsed") from None
    if url.drivername == "sqlite":
        if not url.database or url.database == ":memory:" or url.query:
            raise InvalidDatabaseUrl(_HELP, operator="SQLite needs a file, without options")
        return url.set(drivername="sqlite+aiosqlite")
    if url.drivername in ("postgresql", "postgres"):
        return _asyncpg_url(url)
    raise InvalidDatabaseUrl(_HELP, operator=f"{url.drivername} is not supported")


def _asyncpg_url(url: URL) -> URL:
    if not url.database:
        raise InvalidDatabaseUrl(_HELP, operator="the Postgres URL names no database")
    query = dict(url.query)
    # libpq's names, which people copy from their provider's page, to asyncpg's.
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return url.set(drivername="postgresql+asyncpg", query=query)


def sqlite_path(url: URL) -> Path:
    return Path(url.database or "")


def create_private_file(path: Path) -> None:
    """Make the database file before SQLite does, readable by its owner only; WAL and index inherit the mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def sqlite_engine(url: URL, *, writes: bool, pool_size: int, busy_timeout_s: float) -> AsyncEngine:
    """An engine whose transactions all write (BEGIN IMMEDIATE) or all read (query_only).

    A deferred transaction that writes only later can fail with SQLITE_BUSY without waiting.
    """
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=busy_timeout_s,
        hide_parameters=True,
        connect_args={"factory": _TidyConnection},
    )
    pragmas = {
        "busy_timeout": int(busy_timeout_s * 1000),
        "journal_mode": "WAL",
        "synchronous": "FULL",
        "foreign_keys": "ON",
        "secure_delete": "ON",
        "temp_store": "MEMORY",
        "query_only": "OFF" if writes else "ON",
    }
    _own_transactions(engine, pragmas, "BEGIN IMMEDIATE" if writes else "BEGIN")
    return engine


def sqlite_migration_engine(url: URL) -> AsyncEngine:
    """An engine for migrations: foreign keys off, since rebuilding a table drops the old one."""
    engine = create_async_engine(
        url, poolclass=NullPool, hide_parameters=True, connect_args={"factory": _TidyConnection}
    )
    pragmas = {
        "busy_timeout": _MIGRATION_TIMEOUT_S * 1000,
        "journal_mode": "WAL",
        "synchronous": "FULL",
        "foreign_keys": "OFF",
        "secure_delete": "ON",
    }
    _own_transactions(engine, pragmas, "BEGIN IMMEDIATE")
    return engine


def postgres_engine(url: URL, *, pool_size: int, timeout_s: float) -> AsyncEngine:
    """A pooled engine that notices connections a restarted server has closed."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=timeout_s,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={
            "timeout": timeout_s,
            "command_timeout": timeout_s * 3,
            "server_settings": {"application_name": "ownkey", "idle_in_transaction_session_timeout": "60000"},
        },
    )


def postgres_migration_engine(url: URL, timeout_s: float) -> AsyncEngine:
    """An engine for migrations, whose statements may take their time."""
    settings = {"application_name": "ownkey migration"}
    return create_async_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"timeout": timeout_s, "command_timeout": _MIGRATION_TIMEOUT_S, "server_settings": settings},
    )


def _own_transactions(engine: AsyncEngine, pragmas: dict[str, str | int], begin: str) -> None:
    """Take BEGIN out of the driver's hands (it would begin late and deferred) and set `pragmas` on each connection."""

    def connected(connection: _DriverConnection, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for name, value in pragmas.items():
            cursor.execute(f"PRAGMA {name} = {value}")
        cursor.close()

    def begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begun)
