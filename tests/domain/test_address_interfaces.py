"""An address means all interfaces of a provider, or the one that its end names."""

import pytest

from ownkey.domain.address import endpoints_at, root_of
from ownkey.domain.catalogue import Provider
from ownkey.domain.formats import WireFormat
from ownkey.domain.plan import choose_format
from ownkey.domain.secret import Secret
from ownkey.providers import load_catalogue
from ownkey.providers.checks import check_request

CATALOGUE = load_catalogue()


def row(name: str) -> Provider:
    found = CATALOGUE.provider(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "address", "root", "formats"),
    [
        (
            "ollama",
            "http://h:11434",
            "http://h:11434",
            {"ollama_chat", "openai_chat", "anthropic_messages", "openai_embeddings"},
        ),
        (
            "ollama",
            "http://h:11434/v1",
            "http://h:11434",
            {"openai_chat", "anthropic_messages", "openai_embeddings"},
        ),
        ("ollama", "https://h/box/api", "https://h/box", {"ollama_chat"}),
        ("cohere", "https://api.cohere.com/v2", "https://api.cohere.com", {"cohere_chat", "cohere_rerank"}),
        (
            "cohere",
            "https://api.cohere.ai/compatibility/v1",
            "https://api.cohere.ai",
            {"openai_chat", "openai_embeddings"},
        ),
        ("openai", "https://h/v1", "https://h/v1", set(map(str, row("openai").endpoints))),
    ],
    ids=range(6),
)
def test_what_an_address_means(name: str, address: str, root: str, formats: set[str]) -> None:
    provider = row(name)
    assert root_of(provider, address) == root
    assert {format_.value for format_ in endpoints_at(provider, address)} >= formats
    if provider.base_url_ends and root != address:
        assert set(endpoints_at(provider, address)) < set(provider.endpoints)


def test_a_provider_without_an_address_yet_has_all_its_endpoints() -> None:
    assert endpoints_at(row("ollama"), None) == row("ollama").endpoints


@pytest.mark.parametrize("name", ["cohere", "ollama"])
def test_clients_of_a_format_get_it_and_others_the_native_one(name: str) -> None:
    endpoints = endpoints_at(row(name), "http://h")
    native = WireFormat(f"{name}_chat")
    assert choose_format(endpoints, WireFormat.OPENAI_CHAT) is WireFormat.OPENAI_CHAT
    without = {format_: path for format_, path in endpoints.items() if format_ is not WireFormat.OPENAI_CHAT}
    assert choose_format(without, WireFormat.OPENAI_CHAT) is native
    assert choose_format(endpoints_at(row(name), f"http://h{_native_end(name)}"), WireFormat.OPENAI_CHAT) is native


def _native_end(name: str) -> str:
    return {"cohere": "/v2", "ollama": "/api"}[name]


@pytest.mark.parametrize(
    ("name", "address", "check"),
    [
        ("ollama", "http://h:11434", "http://h:11434/api/tags"),
        ("ollama", "http://h:11434/v1", "http://h:11434/api/tags"),
        ("ollama", "http://h:11434/api", "http://h:11434/api/tags"),
        ("cohere", "https://h/v2", "https://h/v1/check-api-key"),
        ("cohere", "https://h/compatibility/v1", "https://h/v1/check-api-key"),
        ("cohere", "https://api.cohere.ai", "https://api.cohere.ai/v1/check-api-key"),
    ],
    ids=range(6),
)
def test_the_key_check_is_found_from_every_address(name: str, address: str, check: str) -> None:
    assert check_request(row(name), address, Secret("k" * 40)).url == check
