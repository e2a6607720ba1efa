"""Every provider of the catalogue is served at the sandbox's address: its endpoints, its check, its bad keys."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.sandbox.raw import RawAnswer, call, chat, form, message

from ownkey.domain.catalogue import Provider
from ownkey.domain.credential import CredentialStatus
from ownkey.domain.formats import WireFormat
from ownkey.domain.secret import Secret
from ownkey.providers import load_catalogue
from ownkey.providers.auth import auth_headers
from ownkey.providers.checks import check_request, read_check
from ownkey.sandbox import SandboxServer
from ownkey.sandbox.media import picture
from ownkey.wire import address_of

PROVIDERS = [provider.name for provider in load_catalogue().providers()]
PNG = picture("x")
BODIES: dict[WireFormat, Any] = {
    WireFormat.OPENAI_CHAT: chat(),
    WireFormat.OPENAI_RESPONSES: {"model": "echo", "input": "Hello, world!"},
    WireFormat.OPENAI_COMPLETIONS: {"model": "any", "prompt": "x"},
    WireFormat.OPENAI_EMBEDDINGS: {"model": "any", "input": "x", "dimensions": 2},
    WireFormat.OPENAI_IMAGES: {"model": "any", "prompt": "x"},
    WireFormat.OPENAI_SPEECH: {"model": "any", "input": "x", "voice": "alloy"},
    WireFormat.OPENAI_MODERATIONS: {"input": "x"},
    WireFormat.ANTHROPIC_MESSAGES: message(),
    WireFormat.GEMINI: {"contents": [{"parts": [{"text": "x"}]}]},
    WireFormat.GEMINI_COUNT_TOKENS: {"contents": [{"parts": [{"text": "x"}]}]},
    WireFormat.GEMINI_EMBED: {"content": {"parts": [{"text": "x"}]}},
    WireFormat.GEMINI_BATCH_EMBED: {"requests": [{"model": "models/any", "content": {"parts": [{"text": "x"}]}}]},
    WireFormat.BEDROCK_CONVERSE: {"messages": [{"role": "user", "content": [{"text": "hello"}]}]},
    WireFormat.ANTHROPIC_COUNT_TOKENS: message(),
    WireFormat.COHERE_CHAT: chat(),
    WireFormat.OLLAMA_CHAT: chat(),
    WireFormat.RERANK: {"model": "any", "query": "x", "documents": ["x"]},
    WireFormat.COHERE_RERANK: {"model": "any", "query": "x", "documents": ["x"]},
}
FORMS = {
    WireFormat.OPENAI_IMAGE_EDITS: {"model": b"any", "prompt": b"x", "image": PNG},
    WireFormat.OPENAI_IMAGE_VARIATIONS: {"model": b"any", "image": PNG},
    WireFormat.OPENAI_TRANSCRIPTIONS: {"model": b"any", "file": b"sound"},
    WireFormat.OPENAI_TRANSLATIONS: {"model": b"any", "file": b"sound"},
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
        kind, body = form(FORMS[wire]) if wire in FORMS else (b"application/json", json.dumps(BODIES[wire]).encode())
        url = base_url + address_of(wire, path, "any", stream=False)
        answer = await _send(url, "POST", [*headers, (b"content-type", kind)], body)
        assert answer.status == 200, (wire, answer.body)


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("name", PROVIDERS)
async def test_each_providers_check_reads_the_sandboxs_answer_as_meant(sandbox: SandboxServer, name: str, word: str):
    provider, base_url = _at(sandbox, name)
    check = check_request(provider, base_url, Secret(f"sk-{word}-key-0001"))
    answer = await _send(check.url, check.method, check.headers, check.body or None)
    headers = [(field.encode(), value.encode()) for field, value in answer.headers.items()]
    assert read_check(provider, answer.status, answer.body, headers).status is WORDS[word], answer.body
