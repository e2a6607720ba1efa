"""What model names mean, and what each provider is sent for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.domain.plan import Target
from ownkey.providers import load_catalogue

CATALOGUE = load_catalogue()


def sent(asked: str) -> dict[str, str]:
    """Provider → the id it is sent."""
    return {offer.provider.name: offer.upstream_model for offer in CATALOGUE.offers(asked)}


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        ("anthropic/claude-sonnet-4.5", Target("anthropic/claude-sonnet-4.5", "claude-sonnet-4.5", vendor="anthropic")),
        ("google/gemini-2.5-flash", Target("google/gemini-2.5-flash", "gemini-2.5-flash", vendor="gemini")),
        ("x-ai/grok-4-fast", Target("x-ai/grok-4-fast", "grok-4-fast", vendor="xai")),
        ("openai/echo", Target("openai/echo", "echo", vendor="openai")),
        ("meta-llama/llama-9", Target("meta-llama/llama-9", "llama-9", vendor="meta-llama")),
        ("moonshotai/kimi-k9", Target("moonshotai/kimi-k9", "kimi-k9", vendor="moonshotai")),
        ("openrouter/openai/gpt-5", Target("openrouter/openai/gpt-5", "openai/gpt-5", explicit="openrouter")),
        ("groq/openai/gpt-oss-20b", Target("groq/openai/gpt-oss-20b", "openai/gpt-oss-20b", explicit="groq")),
        ("gemini/gemini-2.5-flash", Target("gemini/gemini-2.5-flash", "gemini-2.5-flash", explicit="gemini")),
        ("ollama/llama3.2:3b", Target("ollama/llama3.2:3b", "llama3.2:3b", explicit="ollama")),
        ("gpt-5", Target("gpt-5", "gpt-5", vendor="openai")),
        ("gpt-99-next", Target("gpt-99-next", "gpt-99-next", vendor="openai")),
        ("claude-sonnet-4-5", Target("claude-sonnet-4-5", "claude-sonnet-4-5", vendor="anthropic")),
        ("mistral-medium-2508", Target("mistral-medium-2508", "mistral-medium-2508", vendor="mistral")),
        ("r1-1776", Target("r1-1776", "r1-1776", vendor="perplexity")),
    ],
)
def test_names_are_understood(asked: str, target: Target):
    assert CATALOGUE.resolve(asked) == target


@pytest.mark.parametrize(
    "asked",
    ["", "echo", "/", "/gpt-5", "openai/", "nobody/model", "custom", "openai/a\nb", "gpt-5\x00", "x" * 300, "default"],
)
def test_what_has_no_meaning_has_none(asked: str):
    assert CATALOGUE.resolve(asked) is None


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        (
            "anthropic/claude-sonnet-4.5",
            {"anthropic": "claude-sonnet-4-5", "openrouter": "anthropic/claude-sonnet-4.5"},
        ),
        (
            "claude-sonnet-4-5-20250929",
            {"anthropic": "claude-sonnet-4-5-20250929", "openrouter": "anthropic/claude-sonnet-4.5"},
        ),
        ("claude-opus-4-7", {"anthropic": "claude-opus-4-7", "openrouter": "anthropic/claude-opus-4.7"}),
        ("anthropic/claude-opus-4.7", {"anthropic": "claude-opus-4-7", "openrouter": "anthropic/claude-opus-4.7"}),
        (
            "claude-3-5-sonnet-20241022",
            {"anthropic": "claude-3-5-sonnet-20241022", "openrouter": "anthropic/claude-3.5-sonnet"},
        ),
        (
            "claude-sonnet-4-20250514",
            {"anthropic": "claude-sonnet-4-20250514", "openrouter": "anthropic/claude-sonnet-4"},
        ),
        ("openai/gpt-5", {"openai": "gpt-5", "openrouter": "openai/gpt-5"}),
        ("gpt-4o-2024-08-06", {"openai": "gpt-4o-2024-08-06", "openrouter": "openai/gpt-4o-2024-08-06"}),
        ("google/gemini-2.5-flash", {"gemini": "gemini-2.5-flash", "openrouter": "google/gemini-2.5-flash"}),
        (
            "mistralai/mistral-medium-3.1",
            {"mistral": "mistral-medium-2508", "openrouter": "mistralai/mistral-medium-3.1"},
        ),
        ("mistral-medium-2508", {"mistral": "mistral-medium-2508", "openrouter": "mistralai/mistral-medium-3.1"}),
        ("mistral/mistral-medium-3.1", {"mistral": "mistral-medium-2508"}),
        ("grok-4-fast", {"xai": "grok-4-fast", "openrouter": "x-ai/grok-4-fast"}),
        ("meta-llama/llama-4-scout", {"openrouter": "meta-llama/llama-4-scout"}),
        ("groq/meta-llama/llama-4-scout", {"groq": "meta-llama/llama-4-scout-17b-16e-instruct"}),
        ("groq/anything/at-all", {"groq": "anything/at-all"}),
        ("openai/gpt-oss-20b", {"openrouter": "openai/gpt-oss-20b"}),
        ("bedrock/openai/gpt-oss-20b", {"bedrock": "openai.gpt-oss-20b-1:0"}),
        ("openrouter/openai/gpt-5", {"openrouter": "openai/gpt-5"}),
        ("openrouter/gpt-5", {"openrouter": "openai/gpt-5"}),
        ("openrouter/auto", {"openrouter": "openrouter/auto"}),
        ("openrouter/nobody/model", {"openrouter": "nobody/model"}),
        ("anthropic/echo", {"anthropic": "echo", "openrouter": "anthropic/echo"}),
        ("anthropic/error-429", {"anthropic": "error-429", "openrouter": "anthropic/error-429"}),
        ("openrouter/openai/lorem-50", {"openrouter": "openai/lorem-50"}),
        ("azure/my-deployment", {"azure": "my-deployment"}),
        ("perplexity/sonar", {"perplexity": "perplexity/sonar", "openrouter": "perplexity/sonar"}),
        ("perplexity/openai/gpt-5.4", {"perplexity": "openai/gpt-5.4", "openrouter": "perplexity/openai/gpt-5.4"}),
        ("pplx-embed-v1-0.6b", {"perplexity": "pplx-embed-v1-0.6b", "openrouter": "perplexity/pplx-embed-v1-0.6b"}),
    ],
)
def test_each_provider_is_sent_its_own_id(asked: str, ids: dict[str, str]):
    assert sent(asked) == ids


def test_a_model_that_its_vendor_no_longer_serves_is_left_to_routers():
    assert sent("deepseek/deepseek-chat-v3.1") == {"openrouter": "deepseek/deepseek-chat-v3.1"}


def test_a_literal_offer_sends_what_is_written():
    offer = CATALOGUE.literal_offer("groq", "anthropic/claude-sonnet-4.5")
    assert offer is not None
    assert offer.upstream_model == "anthropic/claude-sonnet-4.5"
    assert CATALOGUE.literal_offer("nobody", "x") is None


CURATED = [model.id for model in CATALOGUE.models()]


def test_the_missions_models_are_curated():
    assert set(CURATED) >= {
        "anthropic/claude-sonnet-4.5",
        "openai/gpt-5",
        "openai/gpt-5-mini",
        "openai/gpt-5-codex",
        "mistralai/mistral-large",
        "mistralai/mistral-medium-3.1",
        "meta-llama/llama-4-scout",
        "google/gemini-2.5-flash",
        "google/gemini-2.5-flash-lite",
        "deepseek/deepseek-chat-v3.1",
        "deepseek/deepseek-v3.1-terminus",
        "qwen/qwen3-max",
        "qwen/qwen3-coder-plus",
        "x-ai/grok-4-fast",
        "x-ai/grok-code-fast-1",
        "cohere/command-a",
        "custom",
    }


def test_curated_ids_are_unique():
    assert len(CURATED) == len(set(CURATED))


@pytest.mark.parametrize("model", [id_ for id_ in CURATED if id_ != "custom"])
def test_every_curated_model_is_served_by_a_router_key(model: str):
    assert sent(model)["openrouter"] == model


def test_the_eu_flag_is_the_providers_promise():
    flags = {offer.provider.name: offer.eu for offer in CATALOGUE.offers("mistralai/mistral-large")}
    assert flags == {"mistral": True, "openrouter": False}
    for model in CATALOGUE.models():
        assert model.eu == any(offer.eu for offer in CATALOGUE.offers(model.id)), model.id


def test_tiers_and_vendors_are_known():
    tiers = {"flagship", "premium", "standard", "efficient", "enterprise"}
    for model in CATALOGUE.models():
        assert model.tier in tiers
        for provider in model.upstream_ids:
            assert CATALOGUE.provider(provider) is not None, model.id


@given(st.text(max_size=40) | st.from_regex(r"[a-z-]{1,12}/[a-z0-9./:-]{0,30}", fullmatch=True))
def test_any_name_is_answered_the_same_twice(asked: str):
    first = [(offer.provider.name, offer.upstream_model) for offer in CATALOGUE.offers(asked)]
    assert first == [(offer.provider.name, offer.upstream_model) for offer in CATALOGUE.offers(asked)]


def test_names_that_nobody_knows_are_not_remembered():
    catalogue = load_catalogue()
    for number in range(10_000):
        catalogue.resolve(f"nobody/{number}")
        catalogue.offers(f"openai/{number}")
    kept = [size for value in vars(catalogue).values() if isinstance(value, dict) for size in [len(value)]]
    assert max(kept) <= 4096
