"""Every provider's key check against a server that answers as that provider does: every row, every state of a key."""

from collections.abc import AsyncIterator

import httpx
import pytest

from ownkey.domain.catalogue import Provider
from ownkey.domain.credential import CredentialStatus
from ownkey.domain.secret import Secret
from ownkey.gateway.key_test import KeyTestResult, run_key_test
from ownkey.gateway.net import AddressGuard, NetSettings, UpstreamClient
from ownkey.gateway.tokens import TokenCache
from ownkey.providers import ProviderRow, load_catalogue
from ownkey.providers.checks import check_request, read_check
from ownkey.sandbox import SandboxServer

CATALOGUE = load_catalogue()
ROWS = CATALOGUE.providers()

EXPECTED = {
    "good": (CredentialStatus.VALID, "accepts the key"),
    "invalid": (CredentialStatus.INVALID, "does not accept the key"),
    "rejected": (CredentialStatus.INVALID, "does not accept the key"),
    "restricted": (CredentialStatus.VALID, "lacks a permission"),
    "limited": (CredentialStatus.RATE_LIMITED, "asks the key to slow down"),
    "broke": (CredentialStatus.QUOTA_EXHAUSTED, "credit or quota is used up"),
    "revoked": (CredentialStatus.REVOKED, "revoked, disabled or blocked"),
}
"""The word in a sandbox's key → what a test of it finds, and what a person is told."""

every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxServer]:
    server = SandboxServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client() -> AsyncIterator[UpstreamClient]:
    client = UpstreamClient(AddressGuard(frozenset()), NetSettings())
    yield client
    await client.close()


async def ask(client: UpstreamClient, row: Provider, key: str) -> KeyTestResult:
    assert row.base_url
    return await run_key_test(client, TokenCache(client), row, row.base_url, Secret(key), {}, trusted=True)


def served_at(url: str, row: ProviderRow) -> ProviderRow:
    moved = CATALOGUE.with_base_urls({}, url).provider(row.name)
    assert moved is not None
    return moved


@every_row
async def test_every_state_of_a_key_is_told_apart(sandbox: SandboxServer, client: UpstreamClient, row: ProviderRow):
    there = served_at(sandbox.url, row)
    for word, (status, told) in EXPECTED.items():
        found = await ask(client, there, f"sk-{word}-0123456789abcdef")
        assert found.status is status, (word, found.message)
        assert told in found.message or (word == "good" and not row.key_required), found.message
        assert row.title in found.message or word == "restricted"
        assert found.latency_ms is not None
    assert len({told for _, told in EXPECTED.values()}) == len(EXPECTED) - 1


@every_row
async def test_a_provider_that_is_away_leaves_the_key_untested(client: UpstreamClient, row: ProviderRow):
    sandbox = SandboxServer()
    await sandbox.start()
    there = served_at(sandbox.url, row)
    await sandbox.stop()
    found = await ask(client, there, "sk-good-0123456789abcdef")
    assert (found.status, found.latency_ms) == (CredentialStatus.UNTESTED, None)
    assert found.message.startswith("Not reached: ")


@every_row
async def test_an_address_without_the_check_leaves_the_key_untested(
    sandbox: SandboxServer, client: UpstreamClient, row: ProviderRow
):
    lost = CATALOGUE.with_base_urls({row.name: f"{sandbox.url}/__sandbox/lost/far/away"}).provider(row.name)
    assert lost is not None
    found = await ask(client, lost, "sk-good-0123456789abcdef")
    assert found.status is CredentialStatus.UNTESTED
    assert "at this address (404): is it right?" in found.message


@every_row
async def test_a_check_proves_something_because_it_fails_without_the_key(sandbox: SandboxServer, row: ProviderRow):
    there = served_at(sandbox.url, row)
    assert there.base_url
    check = check_request(there, there.base_url, Secret("sk-good-0001"))
    headers = [(name, value) for name, value in check.headers if b"sk-good-0001" not in value]
    assert len(headers) == len(check.headers) - 1
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        answer = await http.request(check.method, check.url, headers=headers, content=check.body)
    assert (answer.status_code == 200) is not row.key_required
    if row.key_required:
        assert read_check(there, answer.status_code, answer.content).status is CredentialStatus.INVALID


@pytest.mark.parametrize("row", [row for row in ROWS if row.hosts], ids=lambda row: row.name)
async def test_a_key_of_a_region_is_tested_in_that_region(
    sandbox: SandboxServer, client: UpstreamClient, row: Provider
):
    there = CATALOGUE.with_base_urls({}, sandbox.url).provider(row.name)
    assert there is not None
    for region, host in there.hosts.items():
        assert f"/{row.name}/{region}/" in host.base_url
        found = await run_key_test(
            client, TokenCache(client), there, host.base_url, Secret("sk-good-0001"), {}, trusted=True
        )
        assert found.status is CredentialStatus.VALID
