"""Whether this process can serve, as `/readyz` and load balancers ask."""

import asyncio
import time
from collections.abc import Callable

from ownkey.control import Readiness
from ownkey.domain.errors import OwnkeyError, SecretUnreadable
from ownkey.storage.database import Database
from ownkey.vault import Vault

_PATIENCE = 2.0
"""Seconds the database has for its answer. Health checks give up soon, and a slow database is no ready one."""


class ServerReadiness(Readiness):
    """Asks database, vault and journal once they are open."""

    def __init__(self) -> None:
        super().__init__()
        self._database: Database | None = None
        self._vault: Vault | None = None
        self._journal_fails: Callable[[float], bool] | None = None

    def follow(self, database: Database, vault: Vault, journal_fails: Callable[[float], bool]) -> None:
        """Ask these from now on; `journal_fails` takes the monotonic time in seconds."""
        self._database, self._vault, self._journal_fails = database, vault, journal_fails

    async def problems(self) -> list[str]:
        """Any of `starting`, `draining`, `database`, `vault`, `journal`."""
        database, vault, journal_fails = self._database, self._vault, self._journal_fails
        if database is None or vault is None or journal_fails is None:
            return ["starting"]
        found = ["draining"] if self.draining else []
        try:
            async with asyncio.timeout(_PATIENCE):
                await database.ping()
                await vault.check()
        except SecretUnreadable:
            found.append("vault")
        except (OwnkeyError, TimeoutError):
            found.append("database")
        if journal_fails(time.monotonic()):
            found.append("journal")
        return found
