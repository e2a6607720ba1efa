"""Our prices against the price list they are made from."""

import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from itertools import product

import pytest
from genai_prices import Usage as ListedUsage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo
from genai_prices.types import Provider as ListedProvider

from ownkey.domain.price import list_cost
from ownkey.domain.usage import Usage
from ownkey.providers import load_catalogue
from ownkey.providers.price_list import PriceIndex, Season
from ownkey.providers.price_snapshot import build
from ownkey.providers.price_source import INCLUDED
from ownkey.providers.price_store import encode
from ownkey.providers.prices import PriceRegistry
from ownkey.providers.rows import CatalogueError, PriceOverride

MOMENTS = [
    datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
    datetime(2026, 11, 21, 2, 30, tzinfo=UTC),
    datetime(2026, 3, 1, 0, 0, tzinfo=UTC),
    datetime(2025, 6, 1, 16, 29, 59, tzinfo=UTC),
]
USAGES = [
    Usage(input_tokens=1, output_tokens=1),
    Usage(input_tokens=1234, output_tokens=777, reasoning_tokens=555),
    Usage(input_tokens=90_000, output_tokens=5_000, cached_tokens=80_000),
    Usage(input_tokens=150_000, output_tokens=1, cached_tokens=20_000, cache_write_tokens=30_000),
    Usage(input_tokens=200_000, output_tokens=2_000),
    Usage(input_tokens=200_001, output_tokens=2_000, cached_tokens=1_000),
    Usage(input_tokens=272_001, output_tokens=64_000),
    Usage(input_tokens=999_999, output_tokens=100_000, cached_tokens=500_000, cache_write_tokens=100),
]


def test_the_snapshot_is_that_of_the_installed_price_list():
    stored = files("ownkey.providers").joinpath("prices.json").read_bytes()
    assert stored == encode(build()), "renew it: python -m ownkey.providers.price_snapshot"


def a_sample(provider: ListedProvider) -> list[tuple[str, ModelInfo]]:
    """Models of a table, each with a name by which the list finds it."""
    named = [
        (name, model) for model in provider.models if (name := a_name(model.match)) and finds(provider, name, model)
    ]
    return named if len(named) <= 60 else random.Random(provider.id).sample(named, 60)


def finds(provider: ListedProvider, name: str, model: ModelInfo) -> bool:
    return provider.find_model(name) is model


def a_name(clause: object) -> str | None:
    """A name that a rule matches, from its first plain text."""
    for field in ("equals", "starts_with", "contains", "ends_with"):
        text = getattr(clause, field, None)
        if text:
            return text
    for inner in getattr(clause, "or_", []):
        name = a_name(inner)
        if name:
            return name
    return None


@pytest.mark.parametrize("table", INCLUDED)
def test_costs_are_those_of_the_price_list(table: str):
    provider = next(each for each in get_snapshot().providers if each.id == table)
    clock = [0.0]
    book = PriceRegistry(now=lambda: clock[0])
    compared = 0
    for (name, model), moment in product(a_sample(provider), MOMENTS):
        clock[0] = moment.timestamp()
        quote = book.quote("any", table, name)
        if not quote.priced:
            continue
        for usage in USAGES if quote.rates.tiers else USAGES[:4]:
            assert_same_cost(list_cost(quote.rates, usage), model, provider, usage, moment)
            compared += 1
    assert compared > 40


def assert_same_cost(ours: int, model: ModelInfo, provider: ListedProvider, usage: Usage, moment: datetime) -> None:
    listed = ListedUsage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        output_reasoning_tokens=usage.reasoning_tokens,
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
    exact = model.calc_price(listed, provider, genai_request_timestamp=moment).total_price * 1_000_000_000
    # Each of at most five rates may be rounded up by a nano-dollar per million tokens, and so is the sum.
    assert Decimal(-1) < ours - exact < 2 + Decimal(usage.input_tokens + usage.output_tokens) / 500_000, (
        provider.id,
        model.id,
        usage,
        moment,
    )


@pytest.mark.parametrize(
    ("asked", "provider", "usd_in", "usd_out"),
    [
        ("anthropic/claude-sonnet-4.5", "anthropic", 3, 15),
        ("anthropic/claude-sonnet-4.5", "openrouter", 3, 15),
        ("openai/gpt-5", "openai", 1.25, 10),
        ("openai/gpt-5-mini", "openai", 0.25, 2),
        ("openai/gpt-5-codex", "openrouter", 1.25, 10),
        ("mistralai/mistral-large", "mistral", 2, 6),
        ("mistralai/mistral-medium-3.1", "mistral", 0.4, 2),
        ("google/gemini-2.5-flash", "gemini", 0.3, 2.5),
        ("x-ai/grok-4-fast", "xai", 0.2, 0.5),
    ],
)
def test_the_missions_prices(asked: str, provider: str, usd_in: float, usd_out: float):
    (offer,) = [offer for offer in load_catalogue().offers(asked) if offer.provider.name == provider]
    assert offer.priced
    assert (offer.rates.input / 1e9, offer.rates.output / 1e9) == (usd_in, usd_out)


def test_an_unknown_model_has_no_price():
    book = PriceRegistry()
    for table in ("openai", None, "no-such-table"):
        quote = book.quote("openai", table, "model-of-the-future")
        assert not quote.priced
        assert list_cost(quote.rates, Usage(input_tokens=10**6)) == 0


def test_a_model_sold_by_the_hour_has_no_price_by_tokens():
    assert not PriceRegistry().quote("openai", "openai", "whisper-1").priced


def test_a_free_model_is_priced_at_nothing():
    quote = PriceRegistry().quote("openrouter", "openrouter", "openai/gpt-oss-20b:free")
    assert (quote.priced, quote.rates.input) == (True, 0)


def test_what_runs_at_home_costs_nothing():
    (offer,) = load_catalogue().offers("ollama/llama3.2")
    assert (offer.priced, offer.rates.output) == (True, 0)


def test_an_override_prevails_for_its_provider_and_pattern_only():
    override = PriceOverride(provider="openai", model="gpt-5*", reason="contract", input="1", output="2")
    book = PriceRegistry([override])
    assert book.quote("openai", "openai", "gpt-5-mini").rates.input == 1_000_000_000
    assert book.quote("openai", "openai", "gpt-4o").rates.input == 2_500_000_000
    assert book.quote("azure", "azure", "gpt-5-mini").rates.input == 250_000_000


def test_an_override_that_is_no_amount_is_refused():
    with pytest.raises(CatalogueError, match="openai/gpt-5"):
        PriceRegistry([PriceOverride(provider="openai", model="gpt-5", reason="typo", input="1,5", output="2")])


@pytest.mark.parametrize(
    ("second", "in_force", "until"),
    [(3599, False, 3600), (3600, True, 7200), (7199, True, 7200), (7200, False, 86_400 + 3600)],
)
def test_a_season_of_the_day(second: int, in_force: bool, until: int):
    season = Season(rates=None, daily=(3600, 7200))
    assert season.in_force(second) is in_force
    assert season.next_change(second) == until


@pytest.mark.parametrize(("hour", "in_force"), [(21, False), (22, True), (23, True), (0, True), (5, True), (6, False)])
def test_a_season_over_midnight(hour: int, in_force: bool):
    assert Season(rates=None, daily=(22 * 3600, 6 * 3600)).in_force(hour * 3600) is in_force


def test_an_offers_price_changes_when_the_season_does():
    moment = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
    clock = [moment.timestamp()]
    book = PriceRegistry(now=lambda: clock[0])
    seen: set[int] = set()
    for _ in range(26):
        quote = book.quote("deepseek", "deepseek", "deepseek-v4-pro")
        assert quote.until > clock[0]
        seen.add(quote.rates.input)
        clock[0] += timedelta(hours=1).total_seconds()
    assert len(seen) == 2


def test_the_price_lists_package_is_not_imported_at_run_time():
    code = (
        "import sys; from ownkey.providers import load_catalogue; load_catalogue().offers('openai/gpt-5');"
        "assert not [name for name in sys.modules if name.startswith(('genai_prices', 'pydantic'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("table", INCLUDED)
def test_names_mean_the_same_models_as_in_the_price_list(table: str):
    providers = get_snapshot().providers
    provider = next(each for each in providers if each.id == table)
    index = PriceIndex(build())
    known = sorted({name for each in providers for name, _ in a_sample(each)[:4]})
    for name in [*known, "gpt-5.2-20251211", "claude-sonnet-4-5-20250929", "no-such-model"]:
        expected = provider.find_model(name, all_providers=providers)
        found = index.find(table, name)
        assert (found and found.id) == (expected and expected.id), name
