"""Calls through this gateway, in the process, under the account a session belongs to."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from ownkey.domain.errors import UpstreamTimeout
from ownkey.gateway import Gateway, InnerAnswer
from ownkey.workbench.hosting.account import Account

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
