"""Requests that must stay in the EU: where they go, and that nothing else is sent anywhere."""

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.values import CHAT, SmallCatalogue, a_key, names, plan_for, platform_key, reasons

from ownkey.domain.address import base_url_of
from ownkey.domain.catalogue import Host, Provider
from ownkey.domain.credential import PaidFallback, Preferences
from ownkey.domain.errors import ResidencyNotSatisfied
from ownkey.domain.price import Rates, surcharged
from ownkey.domain.residency import unknown_region

EU = Host("https://eu.maker.test/v1", eu=True, surcharge_percent=10, surcharge_models=("model-*",))
US = Host("https://us.maker.test/v1")
EU_ONLY = Preferences(require_eu=True)
ANYWHERE = Preferences()
GLOBAL = "https://maker.test/v1"


def maker(promise: Literal["yes", "no", "regional", "unknown"], /, **hosts: Host) -> SmallCatalogue:
    row = Provider(
        name="maker",
        title="Maker",
        base_url=GLOBAL,
        endpoints=CHAT,
        vendor_prefixes=("maker",),
        eu=promise,
        hosts=hosts,
    )
    return SmallCatalogue(row)


@pytest.mark.parametrize(
    ("catalogue", "region", "preferences", "address"),
    [
        (maker("yes"), None, EU_ONLY, GLOBAL),
        (maker("yes", us=US, eu=EU), None, EU_ONLY, EU.base_url),
        (maker("yes", us=US, eu=EU), None, ANYWHERE, GLOBAL),
        (maker("yes", us=US, eu=EU), "eu", ANYWHERE, EU.base_url),
        (maker("yes", us=US, eu=EU), "us", ANYWHERE, US.base_url),
        (maker("yes", us=US, eu=EU), "us", EU_ONLY, None),
        (maker("regional", eu=EU), None, EU_ONLY, None),
        (maker("regional", eu=EU), "eu", EU_ONLY, EU.base_url),
        (maker("regional", eu=EU), "eu", ANYWHERE, EU.base_url),
        (maker("regional", us=US), "us", EU_ONLY, None),
        (maker("regional"), None, EU_ONLY, None),
        (maker("regional"), "eu", EU_ONLY, None),
        (maker("no"), None, EU_ONLY, None),
        (maker("no", us=US), None, EU_ONLY, None),
        (maker("unknown"), None, EU_ONLY, None),
        (maker("no", us=US), "us", ANYWHERE, US.base_url),
    ],
)
def test_a_request_goes_where_its_key_and_the_promise_allow(
    catalogue: SmallCatalogue, region: str | None, preferences: Preferences, address: str | None
):
    key = a_key("k", config={"region": region} if region else {})
    plan = plan_for(key, catalogue=catalogue, preferences=preferences)
    assert [attempt.base_url for attempt in plan.attempts] == ([address] if address else [])
    if address is None:
        assert reasons(plan) == {"k": "residency"}
        assert isinstance(plan.refusal, ResidencyNotSatisfied)


def test_the_refusal_says_how_the_owner_of_a_key_opens_it_to_the_eu():
    plan = plan_for(a_key("k"), catalogue=maker("regional", eu=EU), preferences=EU_ONLY)
    assert plan.refusal is not None
    assert "set its config to region = eu" in plan.refusal.public


def test_a_region_that_the_provider_has_not_is_sent_nowhere():
    plan = plan_for(a_key("k", config={"region": "moon"}), catalogue=maker("yes", eu=EU))
    assert reasons(plan) == {"k": "no_address"}


def test_an_own_address_of_a_user_proves_no_region():
    key = a_key("k", base_url="https://eu.maker.test/v1", config={"region": "eu"})
    assert reasons(plan_for(key, catalogue=maker("yes", eu=EU), preferences=EU_ONLY)) == {"k": "residency"}


def test_the_eu_address_is_trusted_as_the_catalogue_is():
    (attempt,) = plan_for(a_key("k"), catalogue=maker("yes", eu=EU), preferences=EU_ONLY).attempts
    assert attempt.trusted


def test_a_dearer_region_is_priced_as_such_and_only_for_the_models_that_are_dearer():
    def rates(model: str, **more: Any) -> int:
        (attempt,) = plan_for(a_key("k"), catalogue=maker("yes", eu=EU), model=model, **more).attempts
        return attempt.rates.input

    assert (rates("maker/model-1"), rates("maker/model-1", preferences=EU_ONLY)) == (10, 11)
    assert (rates("maker/old-1"), rates("maker/old-1", preferences=EU_ONLY)) == (10, 10)


def test_a_surcharge_is_on_every_token_rate_and_rounds_up():
    rates = Rates(input=1, output=20, cached_input=None, cache_write=105, per_request=7, tiers=((9, Rates(input=40)),))
    assert surcharged(rates, 10) == Rates(
        input=2, output=22, cached_input=None, cache_write=116, per_request=7, tiers=((9, Rates(input=44)),)
    )


def test_a_default_model_and_the_keys_that_come_after_the_first_stay_in_the_eu_too():
    preferences = Preferences(require_eu=True, model="maker/model-1", paid_fallback=PaidFallback.ALWAYS)
    catalogue = maker("regional", eu=EU, us=US)
    keys = [
        a_key("plain"),
        a_key("open", config={"region": "eu"}, priority=200),
        a_key("american", config={"region": "us"}),
        platform_key("paid", config={"region": "eu"}),
        platform_key("paid-plain"),
    ]
    plan = plan_for(*keys, catalogue=catalogue, preferences=preferences, model="default")
    assert names(plan) == ["open", "paid"]
    assert {attempt.base_url for attempt in plan.attempts} == {EU.base_url}


REGIONS = st.sampled_from([None, "eu", "us", "moon"])
CATALOGUES = st.sampled_from(
    [
        maker(eu, **hosts)
        for eu in ("yes", "no", "regional", "unknown")
        for hosts in ({}, {"eu": EU}, {"us": US, "eu": EU})
    ]
)


@given(CATALOGUES, st.lists(st.tuples(REGIONS, st.booleans()), max_size=4), st.sampled_from(PaidFallback))
def test_whatever_the_keys_nothing_leaves_the_eu(
    catalogue: SmallCatalogue, keys: list[tuple[str | None, bool]], paid_fallback: PaidFallback
):
    held = [
        (platform_key if paid else a_key)(f"k{number}", config={"region": region} if region else {})
        for number, (region, paid) in enumerate(keys)
    ]
    preferences = Preferences(require_eu=True, paid_fallback=paid_fallback)
    row = catalogue.provider("maker")
    assert row is not None
    promised = {EU.base_url} if row.hosts else {GLOBAL} if row.eu == "yes" else set[str]()
    for attempt in plan_for(*held, catalogue=catalogue, preferences=preferences).attempts:
        assert attempt.base_url in promised


def test_a_key_is_tested_where_it_is_used():
    row = maker("regional", eu=EU).provider("maker")
    assert row is not None
    assert base_url_of(row, None, {"region": "eu"}) == EU.base_url
    assert base_url_of(row, None, {}) == GLOBAL


def test_a_region_is_checked_only_where_regions_have_addresses():
    row, without = maker("yes", eu=EU, us=US).provider("maker"), maker("yes").provider("maker")
    assert row is not None
    assert without is not None
    assert unknown_region(row, {"region": "mars"}) == "Maker has no region 'mars'; it has eu, us."
    assert unknown_region(row, {"region": "eu"}) is unknown_region(row, {}) is None
    assert unknown_region(without, {"region": "eu-central-1"}) is None
