"""Defaults for requests."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ownkey.domain.credential import KeySource, Mode, PaidFallback, Preferences
from ownkey.domain.tenancy import Owner
from ownkey.storage.statements import upsert
from ownkey.storage.tables import preferences
from ownkey.storage.tenancy import owned_by, user_id_of


async def get(conn: AsyncConnection, owners: Iterable[Owner]) -> Preferences:
    """What is in force for `owners`: what the user among them chose, or the defaults."""
    row = (await conn.execute(sa.select(preferences).where(owned_by(preferences, owners)))).mappings().first()
    if row is None:
        return Preferences()
    return Preferences(
        mode=Mode(row["mode"]),
        model=row["model"],
        temperature=row["temperature"],
        max_tokens=row["max_tokens"],
        require_eu=row["require_eu"],
        key_order=tuple(KeySource(source) for source in row["key_order"]),
        paid_fallback=PaidFallback(row["paid_fallback"]),
    )


async def put(conn: AsyncConnection, owner: Owner, chosen: Preferences) -> None:
    """Replace the owner's preferences. Raises Conflict, when the statement runs, if the user is gone."""
    values: dict[str, object] = {
        "mode": chosen.mode.value,
        "model": chosen.model,
        "temperature": chosen.temperature,
        "max_tokens": chosen.max_tokens,
        "require_eu": chosen.require_eu,
        "key_order": [source.value for source in chosen.key_order],
        "paid_fallback": chosen.paid_fallback.value,
    }
    statement = upsert(conn, preferences).values(user_id=user_id_of(owner), **values)
    await conn.execute(statement.on_conflict_do_update(index_elements=[preferences.c.user_id], set_=values))
