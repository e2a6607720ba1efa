"""The hint for a key that looks like another provider's."""

import pytest

from ownkey.domain.secret import Secret
from ownkey.providers import load_catalogue
from ownkey.providers.key_hints import key_hint

CATALOGUE = load_catalogue()


def hint(name: str, key: str, own_address: str | None = None) -> str | None:
    row = CATALOGUE.provider(name)
    assert row is not None
    return key_hint(CATALOGUE.providers(), row, Secret(key), own_address)


@pytest.mark.parametrize(
    ("provider", "key", "owner"),
    [
        ("openai", "sk-ant-api03-canary", "Anthropic"),
        ("openai", "sk-or-v1-canary", "OpenRouter"),
        ("anthropic", "sk-proj-canary", "OpenAI"),
        ("deepseek", "sk-proj-canary", "OpenAI"),
        ("groq", "xai-canary", "xAI"),
        ("xai", "gsk_canary", "Groq"),
        ("mistral", "hf_canary", "Hugging Face"),
        ("openai", "AIzacanary", "Gemini"),
        ("cohere", "AKIAcanary:canary", "Bedrock"),
        ("azure", "sk-ant-api03-canary", "Anthropic"),
    ],
)
def test_a_key_with_anothers_beginning_gets_a_hint_that_names_the_other(provider: str, key: str, owner: str):
    found = hint(provider, key)
    assert found is not None
    assert owner in found
    assert "canary" not in found


def test_a_beginning_that_several_share_names_them_all():
    found = hint("groq", "sk-canary")
    assert found is not None
    assert "OpenAI" in found
    assert "DeepSeek" in found


@pytest.mark.parametrize(
    ("provider", "key"),
    [("openai", "sk-x"), ("deepseek", "sk-x"), ("mistral", "0123456789abcdef"), ("groq", "x"), ("vllm", "sk-ant-x")],
)
def test_no_hint_for_a_key_that_may_be_the_providers(provider: str, key: str):
    assert hint(provider, key) is None


def test_no_hint_for_an_address_of_ones_own():
    assert hint("openai", "gsk_canary", "https://models.example/v1") is None
