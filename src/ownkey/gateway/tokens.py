"""Access tokens that a client's secret was exchanged for, each kept until shortly before it expires."""

import asyncio
import time
from collections.abc import Callable
from hashlib import blake2b

from msgspec import Struct

from ownkey.domain.catalogue import Provider
from ownkey.domain.secret import Secret
from ownkey.gateway.net import Target, Timeouts, UpstreamClient, UpstreamRequest
from ownkey.providers.tokens import TokenRefused, TokenRequest, read_token, token_request

_EARLY = 120.0
"""Seconds before its end that a token is no longer used, or half its lifetime where that is shorter."""
_BODY_LIMIT = 256 * 1024
_TIMEOUTS = Timeouts(queue=5.0, connect=5.0, first_byte=20.0, idle=10.0, total=30.0)

_Key = bytes


class _Held(Struct, frozen=True):
    token: Secret
    until: float


class TokenCache:
    """Exchanges secrets, one exchange at a time for each. `clock` is monotonic; at most `capacity` tokens are held."""

    def __init__(
        self, client: UpstreamClient, capacity: int = 10_000, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._capacity = capacity
        self._clock = clock
        self._held: dict[_Key, _Held] = {}
        self._under_way: dict[_Key, asyncio.Task[Secret | TokenRefused]] = {}

    def known(self, provider: Provider, secret: Secret, config: dict[str, str]) -> Secret | None:
        """What to send for this key if that needs no waiting: itself, or a token that is held."""
        if provider.token is None:
            return secret
        wanted = token_request(provider, secret, config)
        return secret if wanted is None else self._fresh(_key(wanted))

    async def exchange(self, provider: Provider, secret: Secret, config: dict[str, str]) -> Secret | TokenRefused:
        """What to send for this key: itself, or a token. Raises InvalidRequest, or NetError when no answer came."""
        wanted = token_request(provider, secret, config)
        if wanted is None:
            return secret
        key = _key(wanted)
        held = self._fresh(key)
        if held is not None:
            return held
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._fetch(key, provider, wanted, secret))
            task.add_done_callback(lambda done: self._ended(key, done))
        # Others wait for the same exchange: one that leaves does not end it.
        return await asyncio.shield(task)

    def forget(self, token: Secret) -> None:
        """Not to be used again: the provider refused it."""
        for key in [key for key, held in self._held.items() if held.token is token]:
            del self._held[key]

    def forget_expired(self) -> None:
        now = self._clock()
        for key in [key for key, held in self._held.items() if held.until <= now]:
            del self._held[key]

    async def close(self) -> None:
        """Break off what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._held.clear()

    def _fresh(self, key: _Key) -> Secret | None:
        held = self._held.get(key)
        return held.token if held is not None and held.until > self._clock() else None

    def _ended(self, key: _Key, task: asyncio.Task[Secret | TokenRefused]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            # Seen, even if everybody who waited has left.
            task.exception()

    async def _fetch(
        self, key: _Key, provider: Provider, wanted: TokenRequest, secret: Secret
    ) -> Secret | TokenRefused:
        request = UpstreamRequest(
            method=b"POST",
            target=Target.parse(wanted.url),
            headers=wanted.headers,
            body=wanted.body,
            trusted=True,
            timeouts=_TIMEOUTS,
        )
        began = self._clock()
        response = await self._client.send(request)
        body = await response.read(_BODY_LIMIT)
        read = read_token(provider, response.status, body, response.headers, secret)
        if isinstance(read, TokenRefused):
            return read
        if len(self._held) >= self._capacity:
            del self._held[next(iter(self._held))]
        usable = read.lifetime - min(_EARLY, read.lifetime / 2)
        self._held[key] = _Held(read.secret, began + usable)
        return read.secret


def _key(wanted: TokenRequest) -> _Key:
    return blake2b(wanted.url.encode() + b"\n" + wanted.body, digest_size=32).digest()
