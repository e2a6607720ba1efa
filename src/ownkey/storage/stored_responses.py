"""Responses that a client can continue; only their user sees them.

Either the provider stores a response, and then only the credential that created it reaches it, or Ownkey does, and then
its conversation is `sealed` by the vault.
"""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.ids import CredentialId, UserId
from ownkey.storage.records import StoredResponse
from ownkey.storage.statements import excluded, upsert
from ownkey.storage.tables import stored_responses
from ownkey.storage.tenancy import of_user

_KEY = ("user_id", "id")


async def put(conn: AsyncConnection, response: StoredResponse) -> None:
    """Store a response, in the place of an earlier one of the same user and id.

    Raises Conflict, when the transaction ends, if the user is gone.
    """
    values = {field: getattr(response, field) for field in response.__struct_fields__}
    insert = upsert(conn, stored_responses)
    replaced = {name: excluded(stored_responses.c[name]) for name in values if name not in _KEY}
    statement = insert.on_conflict_do_update(index_elements=[stored_responses.c[name] for name in _KEY], set_=replaced)
    await conn.execute(statement, values)


async def get(conn: AsyncConnection, user_id: str, response_id: str, now: float) -> StoredResponse | None:
    """The user's response unless it has expired; another user's is absent."""
    columns = stored_responses.c
    statement = sa.select(stored_responses).where(
        of_user(stored_responses, user_id), columns.id == response_id, columns.expires_at > now
    )
    row = (await conn.execute(statement)).mappings().first()
    return None if row is None else _response(row)


async def delete(conn: AsyncConnection, user_id: str, response_id: str) -> bool:
    """Whether the user had such a response."""
    statement = sa.delete(stored_responses).where(
        of_user(stored_responses, user_id), stored_responses.c.id == response_id
    )
    return (await conn.execute(statement)).rowcount > 0


async def sweep(conn: AsyncConnection, now: float) -> int:
    """Delete expired responses; how many there were."""
    return (await conn.execute(sa.delete(stored_responses).where(stored_responses.c.expires_at <= now))).rowcount


def _response(row: sa.RowMapping) -> StoredResponse:
    return StoredResponse(
        user_id=UserId(row["user_id"]),
        id=row["id"],
        provider=row["provider"],
        model=row["model"],
        credential_id=None if row["credential_id"] is None else CredentialId(row["credential_id"]),
        sealed=row["sealed"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )
