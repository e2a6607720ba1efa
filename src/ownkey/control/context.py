"""What every control-plane route works with."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from ownkey.control.passwords import Passwords
from ownkey.domain.errors import OwnkeyError
from ownkey.gateway import Gateway
from ownkey.storage.database import Database
from ownkey.vault import Vault


class Readiness:
    """Whether this process can serve: not draining, and its database and vault answer."""

    def __init__(self) -> None:
        self.draining = False
        self._database: Database | None = None
        self._vault: Vault | None = None

    def watch(self, database: Database, vault: Vault) -> None:
        """Ask these parts from now on."""
        self._database, self._vault = database, vault

    async def problems(self) -> list[str]:
        """What keeps this process from serving; empty when nothing does."""
        if self._database is None or self._vault is None:
            return ["starting"]
        found = ["draining"] if self.draining else []
        try:
            await self._database.ping()
        except OwnkeyError:
            found.append("database")
        try:
            await self._vault.check()
        except OwnkeyError:
            found.append("vault")
        return found


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """The settings routes may see. `public_url` is the address people use, when it differs from the socket's."""

    version: str
    public_url: str | None
    sandbox_url: str | None
    secure_cookies: bool


@dataclass(frozen=True, slots=True)
class Control:
    """The parts of a running server, joined in `ownkey.main`. `session_pepper` is 32 secret bytes."""

    database: Database
    vault: Vault
    gateway: Gateway
    session_pepper: bytes
    registry: CollectorRegistry
    readiness: Readiness
    passwords: Passwords
    settings: ControlSettings
