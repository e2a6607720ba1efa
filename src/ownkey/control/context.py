"""What every control-plane route works with."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from ownkey.control.passwords import Passwords
from ownkey.domain.allowance import Allowance
from ownkey.domain.networks import TrustedProxies
from ownkey.gateway import Gateway
from ownkey.storage.database import Database
from ownkey.vault import Vault
from ownkey.workbench.hosting import Workbench


class Readiness(ABC):
    """Whether this process can serve. `draining` is set when it is stopping."""

    def __init__(self) -> None:
        self.draining = False

    @abstractmethod
    async def problems(self) -> list[str]:
        """What prevents this process from serving, one word each; empty if it can serve."""


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """The settings routes may see. `public_url` is the address people use, when it differs from the socket's.

    `proxies` are those whose word on a client's address is taken.
    """

    version: str
    public_url: str | None
    sandbox_url: str | None
    secure_cookies: bool
    proxies: TrustedProxies


@dataclass(frozen=True, slots=True)
class Control:
    """The parts of a running server, joined in `ownkey.main`. `session_pepper` is 32 secret bytes."""

    database: Database
    vault: Vault
    gateway: Gateway
    allowance: Allowance
    session_pepper: bytes
    registry: CollectorRegistry
    readiness: Readiness
    passwords: Passwords
    settings: ControlSettings
    workbench: Workbench
