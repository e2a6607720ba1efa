"""The account that a session's work goes under: its rights as they are now, not as they were when the work began."""

import asyncio
from time import monotonic

from ownkey.domain.errors import Unauthenticated, Unavailable
from ownkey.domain.tenancy import Principal
from ownkey.gateway import Gateway
from ownkey.storage.workbench import WorkbenchSession

_FRESH_S = 0.5
"""A revoked key stops working within a second."""


class Account:
    """A user, perhaps limited to what one of their API keys may do. `peer` is the address the work was asked for from:
    `allowed_ips` of API keys and stored credentials are compared with it."""

    def __init__(self, gateway: Gateway, user_id: str, api_key_id: str | None, peer: str) -> None:
        self._gateway = gateway
        self._user_id = user_id
        self._api_key_id = api_key_id
        self._known: Principal | None = None
        self._looked = 0.0
        self._looking = asyncio.Lock()
        self.peer = peer
        self.lost = asyncio.Event()
        """Set once the rights have ended."""

    async def principal(self) -> Principal:
        """Raises Unauthenticated when the user is disabled or gone, or the key is revoked or expired. While the
        database is away, what was known last holds."""
        async with self._looking:
            if self._known is None or monotonic() - self._looked > _FRESH_S:
                try:
                    self._known = await self._gateway.principal_for(self._user_id, self._api_key_id)
                except Unauthenticated:
                    self.lost.set()
                    raise
                except Unavailable:
                    if self._known is None:
                        raise
                self._looked = monotonic()
            return self._known


def account_of(gateway: Gateway, session: WorkbenchSession, peer: str) -> Account | None:
    """The account of a session, None for one without."""
    return None if session.user_id is None else Account(gateway, session.user_id, session.api_key_id, peer)
