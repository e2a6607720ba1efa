"""Ownkey databases for tests: `database` runs a test once on each engine."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from ownkey.storage import Database


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file that nobody has open."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"

    async def make() -> None:
        database = await Database.open(f"sqlite:///{path}")
        await database.migrate()
        await database.scrub()
        await database.close()

    asyncio.run(make())
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a new migrated database."""
    path = tmp_path / "ownkey.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
async def sqlite_database(sqlite_url: str) -> AsyncGenerator[Database]:
    """A migrated SQLite database."""
    database = await Database.open(sqlite_url)
    yield database
    await database.close()


@pytest.fixture
async def postgres_database(postgres_url: str) -> AsyncGenerator[Database]:
    """A migrated Postgres database."""
    database = await Database.open(postgres_url)
    yield database
    await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a new migrated database, on each engine in turn."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database without any table, on each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return request.getfixturevalue("empty_postgres_url")


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """A new migrated database, on each engine in turn."""
    database = await Database.open(database_url)
    yield database
    await database.close()
