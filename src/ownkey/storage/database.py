"""One database, SQLite or Postgres, behind two doors: `read` and `write`."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, Self

from sqlalchemy import URL, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ownkey.storage.engines import (
    create_private_file,
    parse_url,
    postgres_engine,
    postgres_migration_engine,
    sqlite_engine,
    sqlite_migration_engine,
    sqlite_path,
)
from ownkey.storage.errors import database_border
from ownkey.storage.scrubbing import scrub_postgres, scrub_sqlite
from ownkey.storage.tables import SCHEMA_REVISION


class Database:
    """Open with `Database.open`, migrate once, close at the end.

    `read` and `write` raise only the domain's errors for what the database does: Unavailable when it
    is away, locked or full, Conflict for a violated constraint, InvalidRequest for a value it
    cannot hold. Writers of one process queue for the write lock in the order they came; on SQLite
    readers see the last committed state and never wait.
    """

    def __init__(self, url: URL, readers: AsyncEngine, writers: AsyncEngine, timeout_s: float) -> None:
        self.url = url
        """With its password: never print it; `place` is for that."""
        self.engine: Literal["sqlite", "postgresql"] = "sqlite" if readers.dialect.name == "sqlite" else "postgresql"
        self.place = url.set(drivername=self.engine, query={}).render_as_string(hide_password=True)
        self._readers = readers
        self._writers = writers
        self._timeout_s = timeout_s
        self._writing = asyncio.Lock()

    @classmethod
    async def open(cls, url: str, *, pool_size: int = 8, timeout_s: float = 10.0) -> Self:
        """Open `sqlite:///path` (created when absent, mode 0600) or `postgresql://…`.

        `timeout_s` bounds connecting and, on SQLite, waiting for another process's write. Does not connect to Postgres
        yet: `ping` does. Raises InvalidDatabaseUrl, and Unavailable when the file cannot be opened.
        """
        parsed = parse_url(url)
        if parsed.get_backend_name() == "postgresql":
            engine = postgres_engine(parsed, pool_size=pool_size, timeout_s=timeout_s)
            return cls(parsed, engine, engine, timeout_s)
        readers = sqlite_engine(parsed, writes=False, pool_size=pool_size, busy_timeout_s=timeout_s)
        writers = sqlite_engine(parsed, writes=True, pool_size=1, busy_timeout_s=timeout_s)
        database = cls(parsed, readers, writers, timeout_s)
        with database_border(database.place):
            create_private_file(sqlite_path(parsed))
        try:
            await database.ping()
        except BaseException:
            await database.close()
            raise
        return database

    @property
    def path(self) -> Path | None:
        """SQLite's file."""
        return sqlite_path(self.url) if self.engine == "sqlite" else None

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """A read-only transaction, rolled back at the end."""
        with database_border(self.place):
            async with self._readers.connect() as conn:
                if self.engine == "postgresql":
                    await conn.execution_options(postgresql_readonly=True)
                yield conn

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction, committed at the end, rolled back when the body raises or is cancelled."""
        with database_border(self.place):
            if self.engine == "postgresql":
                async with self._writers.begin() as conn:
                    yield conn
            else:
                async with self._writing, self._writers.begin() as conn:
                    yield conn

    async def ping(self) -> None:
        """Ask the database for a sign of life. Raises Unavailable."""
        async with self.read() as conn:
            await conn.execute(text("SELECT 1"))

    async def migrate(self) -> None:
        """Bring the schema up to this version's. Safe while other processes start too: one migrates, others wait.

        Raises DatabaseTooNew when a newer Ownkey has migrated it already.
        """
        if await self._is_current():
            return
        from ownkey.storage.migrations import migrate  # not at each start: importing Alembic takes a while

        with database_border(self.place):
            if self.engine == "postgresql":
                engine = postgres_migration_engine(self.url, self._timeout_s)
            else:
                engine = sqlite_migration_engine(self.url)
            try:
                async with self._writing:
                    await migrate(engine)
            finally:
                await engine.dispose()

    async def _is_current(self) -> bool:
        async with self.read() as conn:
            if not await conn.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
                return False
            found = await conn.execute(text("SELECT version_num FROM alembic_version"))
            return list(found.scalars()) == [SCHEMA_REVISION]

    async def scrub(self) -> bool:
        """Remove what deleted rows with ciphertext left in the files; True when all is gone, False when other
        transactions prevented it: retry later."""
        with database_border(self.place):
            if self.engine == "postgresql":
                async with self._writers.connect() as conn:
                    return await scrub_postgres(conn)
            async with self._writing, self._writers.connect() as conn:
                return await scrub_sqlite(conn)

    async def close(self) -> None:
        """Close every connection. Waits for the write in progress."""
        async with self._writing:
            await self._writers.dispose()
            await self._readers.dispose()
