"""Every provider's key check against a server that answers as that provider does."""

from collections.abc import AsyncIterator

import httpx
import pytest

from ownkey.domain.credential import CredentialStatus
from ownkey.domain.secret import Secret
from ownkey.providers import ProviderRow, load_catalogue
from ownkey.providers.checks import CheckResult, check_request, read_check
from ownkey.sandbox import SandboxServer

CATALOGUE = load_catalogue()
PROVIDERS = [row.name for row in CATALOGUE.providers()]


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxServer]:
    server = SandboxServer()
    await server.start()
    yield server
    await server.stop()


async def ask(client: httpx.AsyncClient, row: ProviderRow, key: str) -> CheckResult:
    assert row.base_url
    check = check_request(row, row.base_url, Secret(key))
    answer = await client.request(
        check.method,
        check.url,
        headers=[(name.decode(), value.decode()) for name, value in check.headers],
        content=check.body,
    )
    headers = [(name.lower(), value) for name, value in answer.headers.raw]
    return read_check(row, answer.status_code, answer.content, headers)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_good_and_bad_keys_are_told_apart(sandbox: SandboxServer, provider: str):
    row = CATALOGUE.with_base_urls({}, sandbox.url).provider(provider)
    assert row is not None
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        found = {word: (await ask(client, row, f"sk-{word}-0123456789abcdef")).status for word in EXPECTED}
    assert found == EXPECTED


EXPECTED = {
    "good": CredentialStatus.VALID,
    "invalid": CredentialStatus.INVALID,
    "rejected": CredentialStatus.INVALID,
    "limited": CredentialStatus.RATE_LIMITED,
    "broke": CredentialStatus.QUOTA_EXHAUSTED,
    "revoked": CredentialStatus.REVOKED,
}
