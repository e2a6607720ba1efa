"""The one place that confines a query to its tenant.

Every query on rows that belong to somebody passes the asker's owners or user id through here. A
foreign row is filtered out like an absent one, so the two look the same to the caller.
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Table, and_, false, or_

from ownkey.domain.tenancy import Owner


def owned_by(table: Table, owners: Iterable[Owner]) -> ColumnElement[bool]:
    """Rows of `table` (with owner_scope and owner_id) that one of `owners` owns; none for no owners."""
    columns = table.c
    return or_(
        false(), *(and_(columns.owner_scope == owner.scope.value, columns.owner_id == owner.id) for owner in owners)
    )


def of_user(table: Table, user_id: str | None) -> ColumnElement[bool]:
    """Rows of `table` (with user_id) of one user. None means every user and is for operators only."""
    return table.c.user_id.is_not(None) if user_id is None else table.c.user_id == user_id
