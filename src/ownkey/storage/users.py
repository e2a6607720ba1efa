"""Accounts."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.errors import Conflict
from ownkey.domain.ids import UserId
from ownkey.domain.tenancy import Role, user_owner
from ownkey.storage.paging import check_limit, decode_cursor, encode_cursor
from ownkey.storage.records import Erased, Page, User
from ownkey.storage.statements import insert_or_ignore
from ownkey.storage.tables import api_keys, credentials, data_keys, erased_users, requests, sessions, users
from ownkey.storage.tenancy import of_user


def fold_email(email: str) -> str:
    """The form in which addresses are stored and compared."""
    return email.strip().casefold()


async def create(conn: AsyncConnection, user: User) -> None:
    """Store a new account. Raises Conflict when the address is taken."""
    statement = insert_or_ignore(conn, users, users.c.email).returning(users.c.id)
    row = (await conn.execute(statement, _values(user))).first()
    if row is None:
        raise Conflict("An account with this e-mail address already exists.", param="email")


async def by_email(conn: AsyncConnection, email: str) -> User | None:
    return _user_or_none(
        (await conn.execute(sa.select(users).where(users.c.email == fold_email(email)))).mappings().first()
    )


async def get(conn: AsyncConnection, user_id: str) -> User | None:
    return _user_or_none((await conn.execute(sa.select(users).where(users.c.id == user_id))).mappings().first())


async def list_page(conn: AsyncConnection, limit: int = 100, cursor: str | None = None) -> Page[User]:
    """All accounts in the order of creation. Raises InvalidRequest for a bad limit or cursor."""
    statement = sa.select(users).order_by(users.c.created_at, users.c.id).limit(check_limit(limit) + 1)
    if cursor is not None:
        at, user_id = decode_cursor(cursor, tuple[float, str])
        later = (users.c.created_at > at) | ((users.c.created_at == at) & (users.c.id > user_id))
        statement = statement.where(later)
    found = [_user(row) for row in (await conn.execute(statement)).mappings()]
    items = found[:limit]
    last = (items[-1].created_at, items[-1].id) if len(found) > limit else None
    return Page(items, None if last is None else encode_cursor(last))


async def count(conn: AsyncConnection, role: Role | None = None) -> int:
    """How many accounts there are, disabled ones included; with `role`, how many of them have it."""
    statement = sa.select(sa.func.count()).select_from(users)
    if role is not None:
        statement = statement.where(users.c.role == role.value)
    return (await conn.execute(statement)).scalar_one()


async def update_email(conn: AsyncConnection, user_id: str, email: str) -> bool:
    """Change the address. False when there is no such account; raises Conflict when the address is taken."""
    folded = fold_email(email)
    taken = await by_email(conn, folded)
    if taken is not None and taken.id != user_id:
        raise Conflict("An account with this e-mail address already exists.", param="email")
    return await _set(conn, user_id, email=folded)


async def update_password(conn: AsyncConnection, user_id: str, password_hash: str | None) -> bool:
    """Replace the password's hash; the caller ends the other sessions. False when there is no such account."""
    return await _set(conn, user_id, password_hash=password_hash)


async def set_role(conn: AsyncConnection, user_id: str, role: Role) -> bool:
    return await _set(conn, user_id, role=role.value)


async def set_disabled(conn: AsyncConnection, user_id: str, disabled_at: float | None) -> bool:
    """Disable the account as of `disabled_at`, or enable it with None. False when there is no such account."""
    return await _set(conn, user_id, disabled_at=disabled_at)


async def delete(conn: AsyncConnection, user_id: str, now: float) -> Erased | None:
    """Delete an account and everything of its owner's; None if it does not exist.

    Erasure is complete: sessions, API keys, credentials, preferences, stored responses and the tenant's data keys go,
    and so do the request rows, since who asked which model when is personal data. What remains is
    the opaque id in `erased_users`, which makes usage that arrives late from a journal vanish too.
    `Database.scrub` removes the bytes from the files.
    """
    locked = await conn.execute(sa.select(users.c.id).where(users.c.id == user_id).with_for_update())
    if locked.first() is None:
        return None
    await conn.execute(sa.insert(erased_users), {"user_id": user_id, "erased_at": now})
    erased = Erased(
        tuple((await conn.execute(sa.select(api_keys.c.hash).where(of_user(api_keys, user_id)))).scalars()),
        tuple((await conn.execute(sa.select(sessions.c.token_hash).where(of_user(sessions, user_id)))).scalars()),
        tuple((await conn.execute(sa.select(credentials.c.id).where(of_user(credentials, user_id)))).scalars()),
    )
    await conn.execute(sa.delete(requests).where(of_user(requests, user_id)))
    await conn.execute(sa.delete(data_keys).where(data_keys.c.tenant == user_owner(user_id).tenant))
    await conn.execute(sa.delete(users).where(users.c.id == user_id))
    return erased


async def _set(conn: AsyncConnection, user_id: str, **fields: object) -> bool:
    result = await conn.execute(sa.update(users).where(users.c.id == user_id).values(**fields))
    return result.rowcount > 0


def _values(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "email": fold_email(user.email),
        "password_hash": user.password_hash,
        "role": user.role.value,
        "tier": user.tier,
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
    }


def _user(row: sa.RowMapping) -> User:
    return User(
        id=UserId(row["id"]),
        email=row["email"],
        password_hash=row["password_hash"],
        role=Role(row["role"]),
        tier=row["tier"],
        created_at=row["created_at"],
        disabled_at=row["disabled_at"],
    )


def _user_or_none(row: sa.RowMapping | None) -> User | None:
    return None if row is None else _user(row)
