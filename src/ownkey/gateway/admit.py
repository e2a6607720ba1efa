"""Limits that hold before anything is sent."""

import time

from ownkey.domain.errors import RateLimited
from ownkey.domain.tenancy import Principal
from ownkey.storage import counters
from ownkey.storage.database import Database


class Admission:
    """Checks an API key's own limits. Counted in the database, so that more processes do not mean more requests.

    A key without a limit costs nothing here.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def try_admit(self, principal: Principal) -> bool:
        """True when the request is admitted, without waiting; False when `admit` has to be waited for.

        Raises RateLimited when the key's `requests_per_minute` are used up.
        """
        grant = principal.api_key
        return grant is None or grant.requests_per_minute is None

    async def admit(self, principal: Principal) -> None:
        """As `try_admit`, waiting for what it needs. Raises RateLimited, or Unavailable when nobody can say."""
        grant = principal.api_key
        if grant is None or grant.requests_per_minute is None:
            return
        async with self._database.write() as connection:
            allowed = await counters.hit(
                connection, f"requests:{grant.id}", grant.requests_per_minute, 60.0, time.time()
            )
        if not allowed.allowed:
            text = f"This API key may send {grant.requests_per_minute} requests a minute."
            raise RateLimited(text, retry_after=allowed.retry_after)
