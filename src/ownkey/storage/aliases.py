"""Users' own names for models."""

from typing import TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.errors import Conflict
from ownkey.domain.ids import AliasId, CredentialId, UserId
from ownkey.storage.records import StoredAlias
from ownkey.storage.statements import insert_or_ignore, lock_name
from ownkey.storage.tables import aliases
from ownkey.storage.tenancy import of_user


class AliasChanges(TypedDict, total=False):
    """What `update` may set; a field left out stays as it is."""

    name: str
    model: str
    credential_id: str | None


async def create(conn: AsyncConnection, alias: StoredAlias) -> None:
    """Store a new alias. Raises Conflict when the user has one of this name."""
    values = {field: getattr(alias, field) for field in alias.__struct_fields__}
    statement = insert_or_ignore(conn, aliases, aliases.c.user_id, aliases.c.name).returning(aliases.c.id)
    if (await conn.execute(statement, values)).first() is None:
        raise _taken(alias.name)


async def get(conn: AsyncConnection, user_id: str, alias_id: str) -> StoredAlias | None:
    statement = sa.select(aliases).where(of_user(aliases, user_id), aliases.c.id == alias_id)
    return _alias_or_none((await conn.execute(statement)).mappings().first())


async def list_for_user(conn: AsyncConnection, user_id: str) -> list[StoredAlias]:
    """All of the user's aliases, newest first."""
    statement = (
        sa.select(aliases).where(of_user(aliases, user_id)).order_by(aliases.c.created_at.desc(), aliases.c.id.desc())
    )
    return [_alias(row) for row in (await conn.execute(statement)).mappings()]


async def lock(conn: AsyncConnection, user_id: str) -> None:
    """Let no other transaction that locks them change the user's aliases before this one ends."""
    await lock_name(conn, f"aliases:{user_id}")


async def update(
    conn: AsyncConnection, user_id: str, alias_id: str, **changes: Unpack[AliasChanges]
) -> StoredAlias | None:
    """Change the given fields; the alias as it then is, or None when the user has no such alias.

    Raises Conflict when another of the user's aliases has the name. The caller holds `lock`.
    """
    name = changes.get("name")
    if name is not None:
        others = sa.select(aliases.c.id).where(
            of_user(aliases, user_id), aliases.c.name == name, aliases.c.id != alias_id
        )
        if (await conn.execute(others)).first() is not None:
            raise _taken(name)
    if not changes:
        return await get(conn, user_id, alias_id)
    statement = sa.update(aliases).where(of_user(aliases, user_id), aliases.c.id == alias_id).values(dict(changes))
    return _alias_or_none((await conn.execute(statement.returning(aliases))).mappings().first())


async def delete(conn: AsyncConnection, user_id: str, alias_id: str) -> bool:
    """Delete the alias; whether there was one."""
    statement = sa.delete(aliases).where(of_user(aliases, user_id), aliases.c.id == alias_id)
    return (await conn.execute(statement)).rowcount > 0


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a route named {name!r} already: change that one, or take another name.", param="name")


def _alias(row: sa.RowMapping) -> StoredAlias:
    credential = row["credential_id"]
    return StoredAlias(
        id=AliasId(row["id"]),
        user_id=UserId(row["user_id"]),
        name=row["name"],
        model=row["model"],
        credential_id=None if credential is None else CredentialId(credential),
        created_at=row["created_at"],
    )


def _alias_or_none(row: sa.RowMapping | None) -> StoredAlias | None:
    return None if row is None else _alias(row)
