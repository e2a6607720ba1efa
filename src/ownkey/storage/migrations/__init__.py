"""Updates a database's schema from within the process, without Alembic's command line.

Everything happens in one transaction (both engines roll back DDL) under one lock, so that a crash
leaves the former schema and processes that start together migrate once.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from ownkey.storage.errors import DatabaseTooNew

_LOCK = 0x6F776E6B6579
"""The advisory lock on Postgres: "ownkey" in ASCII."""


async def migrate(engine: AsyncEngine, target: str = "head") -> None:
    """Upgrade to `target`. The engine's transactions must be exclusive on SQLite and leave foreign keys off.

    Raises DatabaseTooNew when the database has a revision this version does not know.
    """
    async with engine.begin() as conn:
        await conn.run_sync(_migrate, target)


def revisions() -> list[str]:
    """Every schema revision this version knows, oldest first."""
    scripts = ScriptDirectory.from_config(_config()).walk_revisions()
    return [script.revision for script in reversed(list(scripts))]


def check_known(heads: set[str]) -> None:
    """Raise DatabaseTooNew when `heads`, a database's revisions, holds one that this version does not know."""
    unknown = heads - set(revisions())
    if unknown:
        public = "The database was created by a newer Ownkey. Update Ownkey, or restore an older backup."
        raise DatabaseTooNew(public, operator=f"unknown schema revision {', '.join(sorted(unknown))}")


def _migrate(conn: Connection, target: str) -> None:
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    check_known(set(MigrationContext.configure(conn).get_current_heads()))
    config = _config()
    config.attributes["connection"] = conn
    command.upgrade(config, target)
    if conn.dialect.name == "sqlite":
        dangling = conn.execute(text("PRAGMA foreign_key_check")).first()
        if dangling is not None:
            raise RuntimeError(f"the migration left a dangling reference in {dangling[0]}")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
