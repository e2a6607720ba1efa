"""The one place that confines a query to its tenant.

Every query on rows that belong to somebody passes the caller's owners or user id through here. A
foreign row is filtered out like an absent one, so the two look the same to the caller.
"""

from collections.abc import Iterable

from sqlalchemy import Column, ColumnElement, Table, and_, false, or_

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.tenancy import Owner, Scope
from ownkey.storage.tables import requests


def owned_by(table: Table, owners: Iterable[Owner]) -> ColumnElement[bool]:
    """Rows of `table` that one of `owners` owns; no rows without owners.

    A table names the owner in owner_scope and owner_id or, where only users can own rows, in user_id.
    """
    columns = table.c
    if "owner_scope" not in columns:
        return _one_of(columns.user_id, owners)
    return or_(
        false(), *(and_(columns.owner_scope == owner.scope.value, columns.owner_id == owner.id) for owner in owners)
    )


def asked_by(owners: Iterable[Owner] | None) -> ColumnElement[bool]:
    """Requests of one of `owners`, whoever paid (which is what owner_scope and owner_id of a request name).

    None means everybody's, for operators only.
    """
    column = requests.c.user_id
    return column.is_not(None) if owners is None else _one_of(column, owners)


def of_user(table: Table, user_id: str) -> ColumnElement[bool]:
    """Rows of `table` that belong to an account as such, in whatever context it acts."""
    return table.c.user_id == user_id


def user_id_of(owner: Owner) -> str:
    """The user_id of a new row in a table whose rows only users can own. Raises InvalidRequest."""
    if owner.scope is not Scope.USER:
        raise InvalidRequest(f"A {owner.scope.value} cannot own this yet: only users can.")
    return owner.id


def _one_of(column: Column[str], owners: Iterable[Owner]) -> ColumnElement[bool]:
    ids = [owner.id for owner in owners if owner.scope is Scope.USER]
    return column == ids[0] if len(ids) == 1 else column.in_(ids)
