"""Migrations: the schema they make is the one the tables describe, and no data is lost on the way up."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Boolean, Column, Connection, Double, Integer, LargeBinary, MetaData, Table, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from ownkey.storage import Database
from ownkey.storage.engines import parse_url, postgres_migration_engine, sqlite_migration_engine
from ownkey.storage.errors import DatabaseTooNew
from ownkey.storage.migrations import migrate, revisions
from ownkey.storage.tables import SCHEMA_REVISION
from ownkey.storage.workbench.tables import metadata

SEEDED_BY_MIGRATIONS = {"change_counter": 1, "alembic_version": 1}


@pytest.fixture
async def engine(empty_database_url: str) -> AsyncGenerator[AsyncEngine]:
    """What `Database.migrate` works with, on an empty database."""
    url = parse_url(empty_database_url)
    engine = sqlite_migration_engine(url) if url.get_backend_name() == "sqlite" else postgres_migration_engine(url, 10)
    yield engine
    await engine.dispose()


def filler(column: Column[Any], row: int) -> object:
    """A value the column takes, of its own for each row."""
    kinds: dict[type, object] = {
        Boolean: row == 1,
        LargeBinary: f"{column.name}{row}".encode(),
        Double: 1.5 + row,
        Integer: row,
    }
    for kind, value in kinds.items():
        if isinstance(column.type, kind):
            return value
    # JSON columns, too, take this text: it is what a driver is given for them.
    return f'"{column.name}{row}"'


def fill(conn: Connection) -> dict[str, int]:
    """Put two rows into every table there is, parents first; the number of rows by table."""
    found = MetaData()
    found.reflect(conn)
    for table in found.sorted_tables:
        if table.name not in SEEDED_BY_MIGRATIONS:
            for row in (1, 2):
                conn.execute(table.insert(), {column.name: reference(column, row) for column in table.columns})
    return count(conn, found)


def reference(column: Column[Any], row: int) -> object:
    """The value of the row that the column refers to, else one of its own."""
    for key in column.foreign_keys:
        return reference(key.column, row)
    return filler(column, row)


def count(conn: Connection, tables: MetaData) -> dict[str, int]:
    return {
        table.name: conn.execute(text(f"SELECT count(*) FROM {table.name}")).scalar_one()
        for table in tables.sorted_tables
    }


async def test_the_migrated_schema_is_the_one_the_tables_describe(engine: AsyncEngine) -> None:
    def differences(conn: Connection) -> list[Any]:
        context = MigrationContext.configure(conn, opts={"compare_type": True, "compare_server_default": True})
        return compare_metadata(context, metadata)

    await migrate(engine)
    async with engine.connect() as conn:
        assert await conn.run_sync(differences) == []


async def test_constraints_and_foreign_keys_are_those_of_the_tables(engine: AsyncEngine) -> None:
    """What the comparison above does not look at on every engine."""

    def shape(table: Table) -> dict[str, object]:
        return {
            "primary key": [column.name for column in table.primary_key],
            "references": sorted(
                (key.parent.name, key.target_fullname, key.ondelete or "") for key in table.foreign_keys
            ),
            "not null": sorted(column.name for column in table.columns if not column.nullable),
            "unique": sorted(
                [str(index.name) for index in table.indexes if index.unique]
                + [str(one.name) for one in table.constraints if one.__visit_name__ == "unique_constraint"]
            ),
        }

    def shapes(conn: Connection) -> dict[str, object]:
        found = MetaData(naming_convention=metadata.naming_convention)
        found.reflect(conn, only=list(metadata.tables))
        return {name: shape(table) for name, table in found.tables.items()}

    await migrate(engine)
    async with engine.connect() as conn:
        assert await conn.run_sync(shapes) == {name: shape(table) for name, table in metadata.tables.items()}


@pytest.mark.parametrize("start", revisions())
async def test_data_survives_the_way_up_from_every_earlier_version(engine: AsyncEngine, start: str) -> None:
    await migrate(engine, start)
    async with engine.begin() as conn:
        before = await conn.run_sync(fill)
    await migrate(engine)
    async with engine.connect() as conn:
        after = await conn.run_sync(lambda sync: count(sync, metadata))
        heads = await conn.run_sync(lambda sync: MigrationContext.configure(sync).get_current_heads())
    assert heads == (revisions()[-1],)
    assert {name: after.get(name) for name in before if name in after} == {
        name: number for name, number in before.items() if name in after
    }


def test_the_tables_name_the_last_revision() -> None:
    assert revisions()[-1] == SCHEMA_REVISION
    assert revisions() == sorted(revisions())


async def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    databases = [await Database.open(empty_database_url) for _ in range(4)]
    await asyncio.gather(*(database.migrate() for database in databases))
    async with databases[0].read() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM change_counter"))).scalar_one() == 1
    await databases[0].migrate()
    for database in databases:
        await database.close()


async def test_a_database_of_a_newer_version_is_refused_untouched(database: Database) -> None:
    async with database.write() as conn:
        await conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew) as caught:
        await database.migrate()
    assert "newer" in caught.value.public
    assert "9999" in caught.value.operator
    async with database.read() as conn:
        assert (await conn.execute(text("SELECT version_num FROM alembic_version"))).scalar_one() == "9999"


async def test_a_migration_that_fails_leaves_nothing_behind(engine: AsyncEngine) -> None:
    async with engine.begin() as conn:
        await conn.execute(text("CREATE TABLE requests (id INTEGER)"))
    with pytest.raises(Exception, match="requests"):
        await migrate(engine)
    async with engine.connect() as conn:
        assert await conn.run_sync(lambda sync: inspect(sync).get_table_names()) == ["requests"]
