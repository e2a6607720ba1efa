"""Provider keys: rows without a secret in the clear, every query confined to an owner.

Functions take `owners` where any of the asker's tenants will do (reading) and one `owner` where a
single tenant's row is changed. `set_status` and `touch_used` serve the gateway,
which has planned with the credential already.
"""

from collections.abc import Iterable, Mapping
from typing import TypedDict, Unpack

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.credential import Credential, CredentialStatus
from ownkey.domain.errors import Conflict
from ownkey.domain.ids import CredentialId
from ownkey.domain.tenancy import Owner, Scope
from ownkey.storage.paging import check_limit, decode_cursor, encode_cursor
from ownkey.storage.records import Page
from ownkey.storage.statements import excluded, insert_or_ignore, lock_name, upsert
from ownkey.storage.tables import credentials
from ownkey.storage.tenancy import owned_by

_SAME_KEY = ("owner_scope", "owner_id", "provider", "fingerprint", "base_url")


class CredentialChanges(TypedDict, total=False):
    """What `update` may set; a field left out stays as it is. A new secret comes as all three of
    `sealed`, `masked_key` and `fingerprint`. The default is moved by `set_default`."""

    label: str
    sealed: bytes
    masked_key: str
    fingerprint: bytes
    enabled: bool
    status: CredentialStatus
    status_detail: str
    priority: int
    weight: int
    base_url: str | None
    model: str | None
    config: dict[str, str]
    allowed_models: tuple[str, ...] | None
    allowed_ips: tuple[str, ...] | None
    expires_at: float | None
    last_tested_at: float | None


async def create(conn: AsyncConnection, credential: Credential, fingerprint: bytes) -> None:
    """Store a new credential; a default one takes the place of its owner's former default.

    Raises Conflict when the owner has the same key for the same provider and address already, or
    (when the statement runs) when the owner is a user that is gone.
    """
    if credential.is_default:
        await _clear_default(conn, credential.owner)
    same_key = [credentials.c[name] for name in _SAME_KEY]
    statement = insert_or_ignore(conn, credentials, *same_key).returning(credentials.c.id)
    if (await conn.execute(statement, _values(credential, fingerprint))).first() is None:
        twin = await find_same_key(conn, credential.owner, credential.provider, fingerprint, credential.base_url)
        named = "" if twin is None else f" as {twin.label!r} ({twin.id})"
        raise Conflict(f"This key is already stored{named}.", param="api_key")


async def upsert_by_id(conn: AsyncConnection, credential: Credential, fingerprint: bytes) -> bool:
    """Store a credential whose id its source fixes, such as the environment; False when nothing changed.

    A row whose secret, provider, label and base URL are the same is left alone, so that every
    process may call this at each start. Otherwise these and the status are replaced and the version
    rises; what an operator edited meanwhile (priority, enabled, …) stays.

    Raises Conflict when the owner has stored the same key under another id.
    """
    # ON CONFLICT (id) does not cover the index of equal keys: concurrent inserts collide there, and Postgres reports
    # that as an error although the ids are equal. So one process at a time.
    await lock_name(conn, f"credential {credential.id}")
    twin = await find_same_key(conn, credential.owner, credential.provider, fingerprint, credential.base_url)
    if twin is not None and twin.id != credential.id:
        raise Conflict(f"The key {credential.label!r} is already stored as {twin.label!r} ({twin.id}): delete one.")
    insert = upsert(conn, credentials)
    replaced = ("provider", "label", "masked_key", "sealed", "fingerprint", "base_url", "status", "status_detail")
    compared = ("provider", "label", "fingerprint", "base_url")
    statement = insert.on_conflict_do_update(
        index_elements=[credentials.c.id],
        set_={name: excluded(credentials.c[name]) for name in replaced} | {"version": credentials.c.version + 1},
        where=sa.or_(*(credentials.c[name] != excluded(credentials.c[name]) for name in compared)),
    ).returning(credentials.c.id)
    return (await conn.execute(statement, _values(credential, fingerprint))).first() is not None


async def get(conn: AsyncConnection, owners: Iterable[Owner], credential_id: str) -> Credential | None:
    """The credential, or None when it is absent or owned by none of `owners`."""
    statement = sa.select(credentials).where(owned_by(credentials, owners), credentials.c.id == credential_id)
    return _credential_or_none((await conn.execute(statement)).mappings().first())


async def find_same_key(
    conn: AsyncConnection, owner: Owner, provider: str, fingerprint: bytes, base_url: str | None
) -> Credential | None:
    """The owner's credential for the same secret at the same place, found without decrypting."""
    statement = sa.select(credentials).where(
        owned_by(credentials, (owner,)),
        credentials.c.provider == provider,
        credentials.c.fingerprint == fingerprint,
        credentials.c.base_url == (base_url or ""),
    )
    return _credential_or_none((await conn.execute(statement)).mappings().first())


async def list_for_owners(conn: AsyncConnection, owners: Iterable[Owner]) -> list[Credential]:
    """Every credential of `owners`, oldest first."""
    statement = sa.select(credentials).where(owned_by(credentials, owners)).order_by(*_AGE)
    return [_credential(row) for row in (await conn.execute(statement)).mappings()]


async def list_page(
    conn: AsyncConnection, owners: Iterable[Owner], limit: int = 100, cursor: str | None = None
) -> Page[Credential]:
    """The credentials of `owners` a page at a time, oldest first. Raises InvalidRequest for a bad limit or cursor."""
    statement = (
        sa.select(credentials).where(owned_by(credentials, owners)).order_by(*_AGE).limit(check_limit(limit) + 1)
    )
    if cursor is not None:
        at, credential_id = decode_cursor(cursor, tuple[float, str])
        same_age = (credentials.c.created_at == at) & (credentials.c.id > credential_id)
        statement = statement.where((credentials.c.created_at > at) | same_age)
    found = [_credential(row) for row in (await conn.execute(statement)).mappings()]
    items = found[:limit]
    more = len(found) > limit
    return Page(items, encode_cursor((items[-1].created_at, items[-1].id)) if more else None)


async def update(
    conn: AsyncConnection, owner: Owner, credential_id: str, **changes: Unpack[CredentialChanges]
) -> Credential | None:
    """Change the given fields and raise the version; the credential as it then is, None when `owner` has none such.

    Raises Conflict, when the statement runs, if a new secret or base URL makes it a duplicate.
    """
    values: dict[str, object] = dict(changes)
    if "base_url" in changes:
        values["base_url"] = changes["base_url"] or ""
    values["version"] = credentials.c.version + 1
    statement = (
        sa.update(credentials)
        .where(owned_by(credentials, (owner,)), credentials.c.id == credential_id)
        .values(values)
        .returning(credentials)
    )
    return _credential_or_none((await conn.execute(statement)).mappings().first())


async def set_default(conn: AsyncConnection, owner: Owner, credential_id: str, is_default: bool = True) -> bool:
    """Make this the owner's one default, or no longer so. False, and nothing changed, when `owner` has none such."""
    if await get(conn, (owner,), credential_id) is None:
        return False
    await _clear_default(conn, owner, only=None if is_default else credential_id)
    if not is_default:
        return True
    statement = (
        sa.update(credentials)
        .where(owned_by(credentials, (owner,)), credentials.c.id == credential_id)
        .values(is_default=True, version=credentials.c.version + 1)
    )
    return (await conn.execute(statement)).rowcount > 0


async def set_status(
    conn: AsyncConnection,
    credential_id: str,
    status: CredentialStatus,
    detail: str = "",
    *,
    tested_at: float | None = None,
    version: int | None = None,
) -> bool:
    """Record what an answer showed; True when status or detail changed (so that it is worth announcing).

    With `version`, a credential edited since is left alone: the answer was about its former secret.
    """
    this = credentials.c.id == credential_id
    if version is not None:
        this &= credentials.c.version == version
    differs = (credentials.c.status != status.value) | (credentials.c.status_detail != detail)
    if tested_at is not None:
        await conn.execute(sa.update(credentials).where(this).values(last_tested_at=tested_at))
    changed = await conn.execute(
        sa.update(credentials).where(this, differs).values(status=status.value, status_detail=detail)
    )
    return changed.rowcount > 0


async def touch_used(conn: AsyncConnection, used_at: Mapping[str, float]) -> None:
    """Note when credentials (by id) were last used; never moves a time backwards."""
    if not used_at:
        return
    later = sa.func.coalesce(credentials.c.last_used_at, 0.0) < sa.bindparam("used")
    statement = (
        sa.update(credentials)
        .where(credentials.c.id == sa.bindparam("credential"), later)
        .values(last_used_at=sa.bindparam("used"))
    )
    await conn.execute(statement, [{"credential": key, "used": at} for key, at in sorted(used_at.items())])


async def delete(conn: AsyncConnection, owner: Owner, credential_id: str) -> Credential | None:
    """Delete the row, ciphertext included; what was deleted, None when `owner` has none such.

    `Database.scrub` then removes the bytes from the files.
    """
    statement = (
        sa.delete(credentials)
        .where(owned_by(credentials, (owner,)), credentials.c.id == credential_id)
        .returning(credentials)
    )
    return _credential_or_none((await conn.execute(statement)).mappings().first())


_AGE = (credentials.c.created_at, credentials.c.id)


async def _clear_default(conn: AsyncConnection, owner: Owner, only: str | None = None) -> None:
    await lock_name(conn, f"default credential of {owner.tenant}")
    statement = sa.update(credentials).where(owned_by(credentials, (owner,)), credentials.c.is_default)
    if only is not None:
        statement = statement.where(credentials.c.id == only)
    await conn.execute(statement.values(is_default=False, version=credentials.c.version + 1))


def _values(credential: Credential, fingerprint: bytes) -> dict[str, object]:
    fields: dict[str, object] = {
        field: getattr(credential, field) for field in credential.__struct_fields__ if field != "owner"
    }
    owner = credential.owner
    return fields | {
        "owner_scope": owner.scope.value,
        "owner_id": owner.id,
        "user_id": owner.id if owner.scope is Scope.USER else None,
        "fingerprint": fingerprint,
        "base_url": credential.base_url or "",
        "status": credential.status.value,
    }


def _credential(row: sa.RowMapping) -> Credential:
    return Credential(
        id=CredentialId(row["id"]),
        owner=Owner(Scope(row["owner_scope"]), row["owner_id"]),
        provider=row["provider"],
        label=row["label"],
        masked_key=row["masked_key"],
        sealed=row["sealed"],
        enabled=row["enabled"],
        status=CredentialStatus(row["status"]),
        status_detail=row["status_detail"],
        is_default=row["is_default"],
        priority=row["priority"],
        weight=row["weight"],
        base_url=row["base_url"] or None,
        model=row["model"],
        config=row["config"],
        allowed_models=None if row["allowed_models"] is None else tuple(row["allowed_models"]),
        allowed_ips=None if row["allowed_ips"] is None else tuple(row["allowed_ips"]),
        expires_at=row["expires_at"],
        created_at=row["created_at"],
        last_tested_at=row["last_tested_at"],
        last_used_at=row["last_used_at"],
        version=row["version"],
    )


def _credential_or_none(row: sa.RowMapping | None) -> Credential | None:
    return None if row is None else _credential(row)
