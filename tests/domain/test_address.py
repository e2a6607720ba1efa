"""Addresses made of a key's settings: they lead to the provider's hosts and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.domain.address import (
    base_url_of,
    is_users_choice,
    needs_of,
    outside_eu,
    region_of,
    root_of,
    settings_of,
    with_settings,
)
from ownkey.domain.catalogue import KeyCheck, Paths, Provider
from ownkey.domain.errors import InvalidRequest
from ownkey.domain.formats import WireFormat

CLOUD = Provider(
    name="cloud",
    title="Cloud",
    base_url=None,
    base_url_template="https://llm.{region}.cloud.test",
    endpoints={WireFormat.OPENAI_CHAT: "/chat"},
    eu="regional",
    eu_regions=("eu-1", "eu-2"),
    roaming_models=("global.*",),
)
HOUSE = Provider(
    name="house",
    title="House",
    base_url=None,
    base_url_template="https://{resource}.house.test",
    base_url_ends=("/api/v1", "/api"),
    endpoints={WireFormat.OPENAI_CHAT: "/api/v1/chat"},
    paths_with={
        "api_version": Paths(
            {WireFormat.OPENAI_CHAT: "/api/{model}/chat?v={api_version}"},
            KeyCheck("GET", "/api/models?v={api_version}"),
        )
    },
    check=KeyCheck("GET", "/api/v1/models"),
    eu="regional",
    eu_regions=("eu-1",),
)


def test_a_region_makes_the_address() -> None:
    assert base_url_of(CLOUD, None, {"region": "eu-1"}) == "https://llm.eu-1.cloud.test"
    assert base_url_of(CLOUD, None, {"region": "EU-1"}) == "https://llm.eu-1.cloud.test"
    assert base_url_of(CLOUD, None, {}) is None
    assert needs_of(CLOUD) == "base_url or config.region"


@pytest.mark.parametrize(
    "region",
    [
        "evil.test/",
        "evil.test#",
        "a.b",
        "-a",
        "a-",
        "a" * 64,
        "a@b",
        "a:80",
        "a/b",
        "é",
        "a b",
        "a\n",
        "a%2f",
        "[::1]",
        "..",
        "{x}",
    ],
)
def test_a_region_cannot_name_a_host(region: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        base_url_of(CLOUD, None, {"region": region})
    assert caught.value.param == "config.region"


@given(st.text(min_size=1, max_size=70))
def test_no_setting_leads_elsewhere(region: str) -> None:
    try:
        url = base_url_of(CLOUD, None, {"region": region})
    except InvalidRequest:
        return
    assert url is not None
    assert url.startswith("https://llm.")
    assert url.endswith(".cloud.test")
    label = url.removeprefix("https://llm.").removesuffix(".cloud.test")
    assert label == region.lower()
    assert not set(label) - set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_an_own_address_wins_and_is_cut_where_the_paths_begin() -> None:
    assert base_url_of(CLOUD, "https://own.test/x", {"region": "!"}) == "https://own.test/x"
    for own in ("https://mine.house.test", "https://mine.house.test/api", "https://mine.house.test/api/v1"):
        assert base_url_of(HOUSE, own, {}) == own
        assert root_of(HOUSE, own) == "https://mine.house.test"


def test_the_settings_that_mean_something() -> None:
    assert settings_of(CLOUD) == ("region",)
    assert settings_of(HOUSE) == ("resource", "api_version", "region")


def test_who_chose_the_host() -> None:
    fixed = Provider(name="f", title="F", base_url="https://f.test", endpoints={})
    assert not is_users_choice(fixed, None)
    assert is_users_choice(fixed, "https://own.test")
    assert is_users_choice(CLOUD, None)


def test_a_setting_chooses_the_paths_and_the_check() -> None:
    assert with_settings(HOUSE, {}) is HOUSE
    older = with_settings(HOUSE, {"api_version": "2024-10-21"})
    assert older.endpoints == {WireFormat.OPENAI_CHAT: "/api/{model}/chat?v=2024-10-21"}
    assert older.check == KeyCheck("GET", "/api/models?v=2024-10-21")


@pytest.mark.parametrize("version", ["a/b", "a?b", "a&b=c", "..", "a..b", "a b", "é", "a#", "/", "a\r\n"])
def test_a_setting_cannot_bend_a_path(version: str) -> None:
    with pytest.raises(InvalidRequest):
        with_settings(HOUSE, {"api_version": version})


def test_the_region_is_what_the_host_says_and_else_the_setting() -> None:
    assert region_of(CLOUD, "https://llm.eu-2.cloud.test/x", {"region": "us-1"}) == "eu-2"
    assert region_of(CLOUD, "http://127.0.0.1:8089/cloud", {"region": "us-1"}) == "us-1"
    assert region_of(CLOUD, "https://llm.eu-2.cloud.test.evil.test", {}) is None
    assert region_of(HOUSE, "https://mine.house.test", {"region": "eu-1"}) == "eu-1"


@pytest.mark.parametrize(
    ("own", "config", "model", "problem"),
    [
        (None, {"region": "eu-1"}, "m", None),
        ("https://llm.eu-2.cloud.test", {}, "m", None),
        (None, {"region": "us-1"}, "m", "not known to lie in the EU"),
        ("https://llm.us-1.cloud.test", {"region": "eu-1"}, "m", "not known to lie in the EU"),
        (None, {"region": "eu-1"}, "global.m", "other regions"),
        (None, {}, "m", "names no region"),
        ("https://own.test", {"region": "eu-1"}, "m", "is not known"),
        ("https://llm.eu-1.cloud.test.evil.test", {"region": "eu-1"}, "m", "is not known"),
        ("https://evil.test/llm.eu-1.cloud.test", {"region": "eu-1"}, "m", "is not known"),
        ("http://llm.eu-1.cloud.test", {"region": "eu-1"}, "m", "is not known"),
    ],
)
def test_what_promises_processing_in_the_eu(
    own: str | None, config: dict[str, str], model: str, problem: str | None
) -> None:
    found = outside_eu(CLOUD, model, own, config)
    assert (found is None) == (problem is None)
    assert (problem or "") in (found or "")


def test_an_operator_answers_for_an_address_of_his() -> None:
    assert outside_eu(CLOUD, "m", "https://proxy.test", {"region": "eu-1"}, by_operator=True) is None
    assert outside_eu(CLOUD, "m", "https://proxy.test", {}, by_operator=True) is not None
