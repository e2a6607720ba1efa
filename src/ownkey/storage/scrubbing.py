"""Removes what deleted rows leave in the files: rewrites the tables that hold ciphertext.

Both engines leave bytes where a row was. SQLite zeroes what is freed (secure_delete), but a page whose rows were moved
retains their old copies in the gap between its pointers and its rows; a table that is emptied as a whole is zeroed as a
whole. Postgres retains dead rows until they are overwritten. The tables are small.
"""

import sqlite3
from typing import cast

import aiosqlite
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

_SECRET_TABLES = ("credentials", "data_keys", "workbench_targets")

# Foreign keys are off meanwhile: no row may take others along, and with them SQLite would delete row by row. The copy
# is in memory (temp_store).
_REWRITE = "\n".join(
    [
        "PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE;",
        *(
            f"CREATE TEMP TABLE kept AS SELECT * FROM {table} ORDER BY rowid; DELETE FROM {table}; "  # noqa: S608
            f"INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept;"
            for table in _SECRET_TABLES
        ),
        "COMMIT; PRAGMA foreign_keys = ON;",
    ]
)

_OLDER_SNAPSHOTS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND age(backend_xmin) > 0
"""
"""Transactions that may still see deleted rows: VACUUM retains such rows."""

_LOCK_TIMEOUT_MS = 200
"""Everybody else queues behind a VACUUM that waits for its lock, so it does not wait for long."""
_LOCK_NOT_AVAILABLE = "55P03"


async def scrub_sqlite(conn: AsyncConnection) -> bool:
    """On the writing connection, outside a transaction. Carries the zeroes from the WAL to the file and truncates the
    WAL. False when another process's write or a long reader held that back."""
    # On the driver's own connection: neither is possible inside SQLAlchemy's transaction.
    driver = cast("aiosqlite.Connection", (await conn.get_raw_connection()).driver_connection)
    try:
        await driver.executescript(_REWRITE)
    except sqlite3.OperationalError:
        await conn.invalidate()
        return False
    except BaseException:
        # The connection may be in the middle of it, with foreign keys off.
        await conn.invalidate()
        raise
    async with driver.execute("PRAGMA wal_checkpoint(TRUNCATE)") as cursor:
        row = await cursor.fetchone()
    return row is not None and row[0] == 0


async def scrub_postgres(conn: AsyncConnection) -> bool:
    """Rewrites the tables (VACUUM FULL; they are locked for that moment), which drops the pages with dead rows. The
    server's own WAL and its archive retain them until recycled, which the operator configures. False when another
    transaction may still see the dead rows or holds a lock on them."""
    await conn.execution_options(isolation_level="AUTOCOMMIT")
    watched = (await conn.execute(text(_OLDER_SNAPSHOTS))).scalar_one()
    await conn.execute(text(f"SET lock_timeout = {_LOCK_TIMEOUT_MS}"))
    try:
        for table in _SECRET_TABLES:
            await conn.execute(text(f"VACUUM (FULL) {table}"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        return False
    finally:
        await conn.execute(text("RESET lock_timeout"))
    return not watched
