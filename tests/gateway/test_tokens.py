"""Access tokens in memory: one exchange at a time, used until shortly before their end."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator

import pytest
from tests.gateway.upstream import ScriptedUpstream, answer

from ownkey.domain.catalogue import Provider, TokenGrant
from ownkey.domain.secret import Secret
from ownkey.gateway.net import AddressGuard, NetError, UpstreamClient
from ownkey.gateway.tokens import TokenCache
from ownkey.providers.tokens import TokenRefused

CONFIG = {"tenant_id": "t", "client_id": "c"}


@pytest.fixture
async def client() -> AsyncIterator[UpstreamClient]:
    opened = UpstreamClient(AddressGuard(frozenset()))
    yield opened
    await opened.close()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def provider_at(url: str) -> Provider:
    grant = TokenGrant(f"{url}/{{tenant_id}}/token", "scope")
    return Provider(name="p", title="P", base_url=None, endpoints={}, token=grant)


def token(text: str, expires_in: int = 3600) -> bytes:
    return answer(200, {"access_token": text, "expires_in": expires_in})


async def revealed(cache: TokenCache, provider: Provider, secret: str, config: dict[str, str] = CONFIG) -> str:
    found = await cache.exchange(provider, Secret(secret), config)
    assert isinstance(found, Secret)
    return found.reveal()


async def test_a_key_that_is_not_exchanged_is_the_same_object(client: UpstreamClient) -> None:
    secret = Secret("plain")
    assert await TokenCache(client).exchange(provider_at("http://127.0.0.1:1"), secret, {}) is secret


async def test_a_token_is_used_until_shortly_before_its_end(client: UpstreamClient, upstream: ScriptedUpstream) -> None:
    clock = Clock()
    cache, provider = TokenCache(client, clock=clock), provider_at(upstream.url)
    upstream.script("tokens-1", token("first-token", 3600), token("second-token", 60), token("third-token", 60))
    assert await revealed(cache, provider, "tokens-1") == "first-token"
    clock.now += 3600 - 121
    assert await revealed(cache, provider, "tokens-1") == "first-token"
    clock.now += 2
    assert await revealed(cache, provider, "tokens-1") == "second-token"
    clock.now += 29
    assert await revealed(cache, provider, "tokens-1") == "second-token"
    clock.now += 2
    cache.forget_expired()
    assert await revealed(cache, provider, "tokens-1") == "third-token"


async def test_many_who_ask_at_once_share_one_exchange(client: UpstreamClient, upstream: ScriptedUpstream) -> None:
    asked, go = threading.Event(), threading.Event()

    def slowly(connection: object) -> None:
        asked.set()
        assert go.wait(10)
        connection.sendall(token("shared-token"))  # type: ignore[attr-defined]

    upstream.script("tokens-2", slowly)
    cache, provider = TokenCache(client), provider_at(upstream.url)
    waiting = [asyncio.create_task(revealed(cache, provider, "tokens-2")) for _ in range(10)]
    assert await asyncio.to_thread(asked.wait, 10)
    waiting[0].cancel()
    go.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert set(found[1:]) == {"shared-token"}
    assert len(upstream.seen("tokens-2")) == 1


async def test_a_refusal_is_told_and_not_kept(client: UpstreamClient, upstream: ScriptedUpstream) -> None:
    refused = json.dumps({"error": "invalid_client", "error_codes": [7000215]}).encode()
    upstream.script("tokens-3", answer(401, refused), token("later-token"))
    cache, provider = TokenCache(client), provider_at(upstream.url)
    found = await cache.exchange(provider, Secret("tokens-3"), CONFIG)
    assert isinstance(found, TokenRefused)
    assert await revealed(cache, provider, "tokens-3") == "later-token"


async def test_no_answer_is_an_error_for_everybody_who_waits(client: UpstreamClient) -> None:
    cache = TokenCache(client)
    tasks = [cache.exchange(provider_at("http://127.0.0.1:1"), Secret("tokens-4"), CONFIG) for _ in range(3)]
    for found in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(found, NetError)


async def test_different_secrets_tenants_and_clients_have_different_tokens(
    client: UpstreamClient, upstream: ScriptedUpstream
) -> None:
    cache, provider = TokenCache(client), provider_at(upstream.url)
    upstream.script("tokens-5", token("token-of-a-0"), token("token-of-a-1"), token("token-of-a-2"))
    upstream.script("tokens-6", token("token-of-b-0"))
    found = [
        await revealed(cache, provider, "tokens-5"),
        await revealed(cache, provider, "tokens-5", CONFIG | {"client_id": "d"}),
        await revealed(cache, provider, "tokens-5", CONFIG | {"tenant_id": "u"}),
        await revealed(cache, provider, "tokens-6"),
        await revealed(cache, provider, "tokens-5"),
    ]
    assert found == ["token-of-a-0", "token-of-a-1", "token-of-a-2", "token-of-b-0", "token-of-a-0"]


async def test_a_forgotten_token_is_fetched_anew_and_the_number_is_bounded(
    client: UpstreamClient, upstream: ScriptedUpstream
) -> None:
    cache, provider = TokenCache(client, capacity=1), provider_at(upstream.url)
    upstream.script("tokens-7", token("token-seven-0"), token("token-seven-1"), token("token-seven-2"))
    upstream.script("tokens-8", token("token-eight-0"))
    held = await cache.exchange(provider, Secret("tokens-7"), CONFIG)
    assert isinstance(held, Secret)
    cache.forget(held)
    assert await revealed(cache, provider, "tokens-7") == "token-seven-1"
    await revealed(cache, provider, "tokens-8")
    assert await revealed(cache, provider, "tokens-7") == "token-seven-2"
    await cache.close()
