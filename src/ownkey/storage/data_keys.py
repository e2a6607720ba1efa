"""The vault's data keys, wrapped, in the database."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.storage.database import Database
from ownkey.storage.statements import insert_or_ignore
from ownkey.storage.tables import data_keys
from ownkey.vault.data_keys import DataKey


class DatabaseDataKeys:
    """The vault's DataKeyStore, each method a transaction of its own. Raises Unavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key_id: str) -> DataKey | None:
        async with self._database.read() as conn:
            return await _first(conn, sa.select(data_keys).where(data_keys.c.id == key_id))

    async def current(self, tenant: str, use: str) -> DataKey | None:
        """The newest generation that is not retired."""
        columns = data_keys.c
        wanted = (columns.tenant == tenant, columns.use == use, columns.retired.is_(False))
        statement = sa.select(data_keys).where(*wanted).order_by(columns.generation.desc()).limit(1)
        async with self._database.read() as conn:
            return await _first(conn, statement)

    async def add(self, key: DataKey) -> bool:
        """Store a new key; False when its id or its generation is stored already."""
        values = {field: getattr(key, field) for field in key.__struct_fields__}
        async with self._database.write() as conn:
            statement = insert_or_ignore(conn, data_keys).returning(data_keys.c.id)
            return (await conn.execute(statement, values)).first() is not None

    async def wrapped_under(self, version: str, limit: int) -> list[DataKey]:
        """Keys that the master key `version` wraps, by ascending id, at most `limit`."""
        wrapped = data_keys.c.master_version == version
        statement = sa.select(data_keys).where(wrapped).order_by(data_keys.c.id).limit(limit)
        async with self._database.read() as conn:
            return [_data_key(row) for row in (await conn.execute(statement)).mappings()]

    async def rewrap(self, key_id: str, expected_wrapped: bytes, wrapped: bytes, version: str) -> bool:
        """Replace the wrapping if it is still the expected one; False when another process was first."""
        this = (data_keys.c.id == key_id, data_keys.c.wrapped == expected_wrapped)
        statement = sa.update(data_keys).where(*this).values(wrapped=wrapped, master_version=version)
        async with self._database.write() as conn:
            return (await conn.execute(statement)).rowcount > 0

    async def count_by_version(self) -> dict[str, int]:
        """How many keys each master-key version wraps."""
        statement = sa.select(data_keys.c.master_version, sa.func.count()).group_by(data_keys.c.master_version)
        async with self._database.read() as conn:
            return {row[0]: row[1] for row in await conn.execute(statement)}


async def _first(conn: AsyncConnection, statement: sa.Select[tuple[object, ...]]) -> DataKey | None:
    row = (await conn.execute(statement)).mappings().first()
    return None if row is None else _data_key(row)


def _data_key(row: sa.RowMapping) -> DataKey:
    return DataKey(**row)
