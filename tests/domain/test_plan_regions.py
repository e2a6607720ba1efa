"""A need for EU processing and keys of regional providers: the key's region decides, and doubt means no."""

from typing import Any

import pytest
from tests.domain.test_address import CLOUD, HOUSE
from tests.domain.values import MAKER, SmallCatalogue, a_key, names, plan_for, platform_key, reasons

from ownkey.domain.credential import PaidFallback, Preferences
from ownkey.domain.errors import NoHealthyCredential, ResidencyNotSatisfied
from ownkey.domain.formats import WireFormat

CATALOGUE = SmallCatalogue(MAKER, CLOUD, HOUSE)
EU = Preferences(require_eu=True, paid_fallback=PaidFallback.ALWAYS)


def plan(*keys: Any, model: str = "cloud/m", preferences: Preferences = EU) -> Any:
    return plan_for(*keys, preferences=preferences, catalogue=CATALOGUE, model=model)


def test_keys_in_eu_regions_serve_and_others_are_dropped() -> None:
    keys = [a_key(region, "cloud", config={"region": region}) for region in ("eu-1", "us-1", "eu-2")]
    made = plan(*keys)
    assert sorted(names(made)) == ["eu-1", "eu-2"]
    assert reasons(made) == {"us-1": "residency"}
    assert {attempt.base_url for attempt in made.attempts} == {
        "https://llm.eu-1.cloud.test",
        "https://llm.eu-2.cloud.test",
    }


@pytest.mark.parametrize(
    ("model", "more"),
    [
        ("cloud/m", {"config": {"region": "us-1"}}),
        ("cloud/global.m", {"config": {"region": "eu-1"}}),
        ("cloud/m", {"config": {"region": "eu-1"}, "base_url": "https://proxy.test"}),
        ("house/m", {"provider": "house", "base_url": "https://mine.house.test"}),
        ("house/m", {"provider": "house", "base_url": "https://mine.house.test", "config": {"region": "us-1"}}),
    ],
)
def test_it_fails_closed(model: str, more: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"provider": "cloud"} | more
    refusal = plan(a_key("k", **fields), model=model).refusal
    assert isinstance(refusal, ResidencyNotSatisfied)


def test_the_owners_word_counts_at_the_providers_own_hosts() -> None:
    key = a_key("k", "house", base_url="https://mine.house.test/api/v1", config={"region": "eu-1"})
    assert names(plan(key, model="house/m")) == ["k"]


def test_the_operators_word_counts_anywhere() -> None:
    key = platform_key("k", "cloud", base_url="https://proxy.test", config={"region": "eu-1"})
    assert names(plan(key)) == ["k"]


def test_without_the_need_every_region_serves() -> None:
    keys = [a_key(region, "cloud", config={"region": region}) for region in ("eu-1", "us-1")]
    assert sorted(names(plan(*keys, preferences=Preferences()))) == ["eu-1", "us-1"]


def test_the_providers_own_promise_still_holds() -> None:
    assert names(plan(a_key("k", "maker"), model="maker/m")) == ["k"]
    refusal = plan(a_key("k", "maker", base_url="https://own.test"), model="maker/m").refusal
    assert isinstance(refusal, ResidencyNotSatisfied)


def test_a_key_without_an_address_says_what_it_needs() -> None:
    made = plan(a_key("k", "cloud"), preferences=Preferences())
    assert reasons(made) == {"k": "no_address"}
    assert isinstance(made.refusal, NoHealthyCredential)
    assert "config.region" in made.refusal.public


def test_a_setting_that_fits_no_address_drops_the_key() -> None:
    made = plan(a_key("k", "cloud", config={"region": "a.b"}), preferences=Preferences())
    assert reasons(made) == {"k": "no_address"}
    assert "config.region" in made.dropped[0].detail


def test_a_users_part_of_a_host_is_not_the_operators() -> None:
    keys = [a_key("own", "cloud", config={"region": "eu-1"}), platform_key("p", "cloud", config={"region": "eu-1"})]
    made = plan(*keys)
    assert {attempt.credential.id: attempt.trusted for attempt in made.attempts} == {"own": False, "p": True}


def test_the_paths_follow_the_settings() -> None:
    keys = [
        a_key("new", "house", base_url="https://mine.house.test/api/v1"),
        a_key("old", "house", config={"resource": "mine", "api_version": "2024-10-21"}),
    ]
    made = plan(*keys, model="house/m", preferences=Preferences())
    assert {attempt.credential.id: attempt.base_url + attempt.path for attempt in made.attempts} == {
        "new": "https://mine.house.test/api/v1/chat",
        "old": "https://mine.house.test/api/{model}/chat?v=2024-10-21",
    }
    assert {attempt.format for attempt in made.attempts} == {WireFormat.OPENAI_CHAT}
