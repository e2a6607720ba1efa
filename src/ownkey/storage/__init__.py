"""What Ownkey stores: one module per aggregate, plain functions over an open transaction.

    async with database.write() as conn:
        await users.create(conn, user)
        await changes.append(conn, changes.user_topic(user.id))

Functions that only read also work inside `database.read()`.
"""

from ownkey.storage.database import Database

__all__ = ["Database"]
