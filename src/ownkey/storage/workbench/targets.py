"""The models under test in a session."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.storage.workbench.rows import StoredTarget
from ownkey.storage.workbench.tables import workbench_targets


async def create(conn: AsyncConnection, target: StoredTarget) -> None:
    """Store a target. Raises Conflict, when the transaction ends, if its session is gone."""
    values = {field: getattr(target, field) for field in target.__struct_fields__}
    await conn.execute(sa.insert(workbench_targets), values)


async def list_of_session(conn: AsyncConnection, session_id: str) -> list[StoredTarget]:
    """The session's targets, in the order they were added."""
    columns = workbench_targets.c
    wanted = sa.select(workbench_targets).where(columns.session_id == session_id)
    rows = await conn.execute(wanted.order_by(columns.created_at, columns.id))
    return [StoredTarget(**row) for row in rows.mappings()]


async def get(conn: AsyncConnection, session_id: str, target_id: str) -> StoredTarget | None:
    columns = workbench_targets.c
    wanted = sa.select(workbench_targets).where(columns.session_id == session_id, columns.id == target_id)
    row = (await conn.execute(wanted)).mappings().first()
    return None if row is None else StoredTarget(**row)


async def update_body(conn: AsyncConnection, target_id: str, body: bytes) -> None:
    """Keep what was found out about a target."""
    await conn.execute(sa.update(workbench_targets).where(workbench_targets.c.id == target_id).values(body=body))


async def delete(conn: AsyncConnection, session_id: str, target_id: str) -> None:
    columns = workbench_targets.c
    await conn.execute(sa.delete(workbench_targets).where(columns.session_id == session_id, columns.id == target_id))
