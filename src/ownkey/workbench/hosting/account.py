"""The account that a session's work belongs to: its rights as they are now, and calls through this gateway."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from time import monotonic

from ownkey.domain.errors import Unauthenticated, Unavailable, UpstreamTimeout
from ownkey.domain.tenancy import Principal
from ownkey.gateway import Gateway, InnerAnswer
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


_LATE = "The answer was not complete in time."


class GatewayReply:
    """An in-process answer whose head is here. Implements `TimedReply`."""

    connect_ms = None

    def __init__(self, answer: InnerAnswer, deadline: float) -> None:
        self._answer = answer
        self._deadline = deadline
        self.status = answer.status
        self.headers = answer.headers
        self.sent_at = answer.sent_at

    async def chunks(self) -> AsyncGenerator[tuple[float, bytes]]:
        """The body's pieces. Raises UpstreamTimeout when the time of the call is over."""
        pieces = self._answer.chunks()
        while True:
            try:
                async with asyncio.timeout_at(self._deadline):
                    piece = await anext(pieces, None)
            except TimeoutError:
                self.abort()
                raise UpstreamTimeout(_LATE) from None
            if piece is None:
                return
            yield piece

    def abort(self) -> None:
        self._answer.abort()


class GatewayTransport:
    """Implements `Transport` by `Gateway.call`. `credential` names the stored key that is to be used."""

    def __init__(self, gateway: Gateway, account: Account, credential: str | None = None) -> None:
        self._gateway = gateway
        self._account = account
        self._headers: Sequence[tuple[bytes, bytes]] = (
            [] if credential is None else [(b"x-ownkey-credential", credential.encode())]
        )

    async def post(self, path: str, body: bytes, timeout_ms: float) -> GatewayReply:
        return await self._call(path, body, timeout_ms)

    async def get(self, path: str, timeout_ms: float) -> GatewayReply:
        return await self._call(path, b"", timeout_ms)

    def scrub(self, text: str) -> str:
        """The gateway has taken keys out already."""
        return text

    async def _call(self, path: str, body: bytes, timeout_ms: float) -> GatewayReply:
        deadline = asyncio.get_running_loop().time() + timeout_ms / 1000
        try:
            async with asyncio.timeout_at(deadline):
                principal = await self._account.principal()
                answer = await self._gateway.call(principal, f"/v1{path}", body, self._headers, self._account.peer)
        except TimeoutError:
            raise UpstreamTimeout(_LATE) from None
        return GatewayReply(answer, deadline)
