"""Ownkey's own API keys, found by their keyed hash. Readers take any of the caller's owners, writers one."""

from collections.abc import Iterable, Mapping
from typing import TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.ids import ApiKeyId, UserId
from ownkey.domain.tenancy import KeyScope, Owner
from ownkey.storage.records import StoredApiKey
from ownkey.storage.tables import api_keys
from ownkey.storage.tenancy import owned_by


class ApiKeyChanges(TypedDict, total=False):
    """What `update` may set; a field left out stays as it is."""

    name: str
    scopes: frozenset[KeyScope]
    models: tuple[str, ...] | None
    allowed_ips: tuple[str, ...] | None
    requests_per_minute: int | None
    expires_at: float | None
    revoked_at: float | None


async def create(conn: AsyncConnection, key: StoredApiKey) -> None:
    """Store a new key. Raises Conflict, when the transaction ends, if its user is gone."""
    values = {field: getattr(key, field) for field in key.__struct_fields__}
    await conn.execute(sa.insert(api_keys), values | {"scopes": _scopes_json(key.scopes)})


async def by_hash(conn: AsyncConnection, key_hash: bytes) -> StoredApiKey | None:
    """The key, whether expired, revoked or neither: the caller compares with its clock."""
    return _key_or_none((await conn.execute(sa.select(api_keys).where(api_keys.c.hash == key_hash))).mappings().first())


async def get(conn: AsyncConnection, owners: Iterable[Owner], key_id: str) -> StoredApiKey | None:
    statement = sa.select(api_keys).where(owned_by(api_keys, owners), api_keys.c.id == key_id)
    return _key_or_none((await conn.execute(statement)).mappings().first())


async def list_for_owners(conn: AsyncConnection, owners: Iterable[Owner]) -> list[StoredApiKey]:
    """All keys of `owners`, newest first, revoked ones included."""
    statement = (
        sa.select(api_keys)
        .where(owned_by(api_keys, owners))
        .order_by(api_keys.c.created_at.desc(), api_keys.c.id.desc())
    )
    return [_key(row) for row in (await conn.execute(statement)).mappings()]


async def update(
    conn: AsyncConnection, owner: Owner, key_id: str, **changes: Unpack[ApiKeyChanges]
) -> StoredApiKey | None:
    """Change the given fields; the key as it then is, or None when `owner` has none such."""
    values: dict[str, object] = dict(changes)
    if "scopes" in changes:
        values["scopes"] = _scopes_json(changes["scopes"])
    if not values:
        return await get(conn, (owner,), key_id)
    statement = sa.update(api_keys).where(owned_by(api_keys, (owner,)), api_keys.c.id == key_id).values(values)
    return _key_or_none((await conn.execute(statement.returning(api_keys))).mappings().first())


async def delete(conn: AsyncConnection, owner: Owner, key_id: str) -> StoredApiKey | None:
    """Delete the key; what was deleted, or None when `owner` has none such."""
    statement = sa.delete(api_keys).where(owned_by(api_keys, (owner,)), api_keys.c.id == key_id)
    return _key_or_none((await conn.execute(statement.returning(api_keys))).mappings().first())


async def touch_used(conn: AsyncConnection, used_at: Mapping[str, float]) -> None:
    """Note when keys (by id) were last used; never moves a time backwards."""
    if not used_at:
        return
    later = sa.func.coalesce(api_keys.c.last_used_at, 0.0) < sa.bindparam("used")
    statement = (
        sa.update(api_keys).where(api_keys.c.id == sa.bindparam("key"), later).values(last_used_at=sa.bindparam("used"))
    )
    await conn.execute(statement, [{"key": key, "used": at} for key, at in sorted(used_at.items())])


def _scopes_json(scopes: frozenset[KeyScope]) -> list[str]:
    return sorted(scope.value for scope in scopes)


def _key(row: sa.RowMapping) -> StoredApiKey:
    return StoredApiKey(
        id=ApiKeyId(row["id"]),
        user_id=UserId(row["user_id"]),
        name=row["name"],
        prefix=row["prefix"],
        hash=row["hash"],
        scopes=frozenset(KeyScope(scope) for scope in row["scopes"]),
        models=None if row["models"] is None else tuple(map(_present_name, row["models"])),
        allowed_ips=None if row["allowed_ips"] is None else tuple(row["allowed_ips"]),
        requests_per_minute=row["requests_per_minute"],
        expires_at=row["expires_at"],
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
    )


def _present_name(entry: str) -> str:
    """An entry of a models list, in which an earlier version wrote `alias:NAME` for a route."""
    return f"route:{entry.removeprefix('alias:')}" if entry.startswith("alias:") else entry


def _key_or_none(row: sa.RowMapping | None) -> StoredApiKey | None:
    return None if row is None else _key(row)
