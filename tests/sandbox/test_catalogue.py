"""Every provider of the catalogue is served at the sandbox's address: its endpoints, its check, its bad keys."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.sandbox.raw import RawAnswer, call, chat, message

from ownkey.domain.catalogue import Provider
from ownkey.domain.credential import CredentialStatus
from ownkey.domain.formats import WireFormat
from ownkey.domain.secret import Secret
from ownkey.providers import load_catalogue
from ownkey.providers.auth import auth_headers
from ownkey.providers.checks import check_request, read_check
from ownkey.sandbox import SandboxServer
from ownkey.wire import address_of

PROVIDERS = [provider.name for provider in load_catalogue().providers()]
BODIES: dict[WireFormat, Any] = {
    WireFormat.OPENAI_CHAT: chat(),
    WireFormat.OPENAI_RESPONSES: {"model": "echo", "input": "Hello, world!"},
    WireFormat.OPENAI_EMBEDDINGS: {"model": "any", "input": "x", "dimensions": 2},
    WireFormat.ANTHROPIC_MESSAGES: message(),
    WireFormat.GEMINI: {"contents": [{"parts": [{"text": "x"}]}]},
    WireFormat.GEMINI_COUNT_TOKENS: {"contents": [{"parts": [{"text": "x"}]}]},
    WireFormat.GEMINI_EMBED: {"content": {"parts": [{"text": "x"}]}},
    WireFormat.GEMINI_BATCH_EMBED: {"requests": [{"model": "models/any", "content": {"parts": [{"text": "x"}]}}]},
    WireFormat.COHERE_CHAT: chat(),
    WireFormat.OLLAMA_CHAT: chat(),
    WireFormat.RERANK: {"model": "any", "query": "x", "documents": ["x"]},
    WireFormat.COHERE_RERANK: {"model": "any", "query": "x", "documents": ["x"]},
}
WORDS = {
    "good": CredentialStatus.VALID,
    "invalid": CredentialStatus.INVALID,
    "rejected": CredentialStatus.INVALID,
    "limited": CredentialStatus.RATE_LIMITED,
    "broke": CredentialStatus.QUOTA_EXHAUSTED,
    "revoked": CredentialStatus.REVOKED,
    "restricted": CredentialStatus.VALID,
}


def _at(sandbox: SandboxServer, name: str) -> tuple[Provider, str]:
    """The provider as it is served by the sandbox, and its base URL there."""
    rows = load_catalogue().with_base_urls({}, sandbox_url=sandbox.url).providers()
    provider = next(row for row in rows if row.name == name)
    return provider, provider.base_url or f"{sandbox.url}/{name}/v1"


async def _send(url: str, method: str, headers: list[tuple[bytes, bytes]], body: bytes | None) -> RawAnswer:
    parts = urlsplit(url)
    lines = {name.decode(): value.decode() for name, value in headers}
    return await call(f"http://{parts.netloc}", parts.path, body, method=method, key=None, headers=lines)


@pytest.mark.parametrize("name", PROVIDERS)
async def test_each_endpoint_of_each_provider_answers(sandbox: SandboxServer, name: str):
    provider, base_url = _at(sandbox, name)
    fixed = [(field.encode(), value.encode()) for field, value in provider.headers.items()]
    for wire, path in provider.endpoints.items():
        headers = auth_headers(provider, Secret("sk-good-key-0001"), {}, wire) + fixed
        url = base_url + address_of(wire, path, "any", stream=False)
        answer = await _send(url, "POST", headers, json.dumps(BODIES[wire]).encode())
        assert answer.status == 200, (wire, answer.body)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("name", PROVIDERS)
async def test_each_providers_check_reads_the_sandboxs_answer_as_meant(sandbox: SandboxServer, name: str, word: str):
    provider, base_url = _at(sandbox, name)
    check = check_request(provider, base_url, Secret(f"sk-{word}-key-0001"))
    answer = await _send(check.url, check.method, check.headers, check.body or None)
    headers = [(field.encode(), value.encode()) for field, value in answer.headers.items()]
    assert read_check(provider, answer.status, answer.body, headers).status is WORDS[word], answer.body
