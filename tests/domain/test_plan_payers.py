"""Whose money a plan may spend, and where data may go: never further than was agreed to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.values import (
    NOW,
    ORGANIZATION,
    TEAM,
    USER,
    a_key,
    names,
    plan_for,
    platform_key,
    reasons,
)

from ownkey.domain.credential import (
    DEFAULT_KEY_ORDER,
    Credential,
    CredentialStatus,
    KeySource,
    Mode,
    PaidFallback,
    Preferences,
)
from ownkey.domain.plan import Rest, RestKey
from ownkey.domain.tenancy import PLATFORM, Owner, Scope

ALWAYS = Preferences(paid_fallback=PaidFallback.ALWAYS)
NEVER = Preferences(paid_fallback=PaidFallback.NEVER)
TOLD = {(a_key("mine").id, ""): Rest(NOW + 30, stated=True)}

EXISTING_BUT_UNFIT: list[tuple[dict[str, Any], dict[RestKey, Rest], dict[str, Any]]] = [
    ({"expires_at": NOW - 1}, {}, {}),
    ({"status": CredentialStatus.UNDECRYPTABLE}, {}, {}),
    ({"allowed_ips": ("203.0.113.1",)}, {}, {"peer": "198.51.100.1"}),
    ({}, TOLD, {}),
]


def test_the_platform_pays_when_the_user_has_no_key():
    plan = plan_for(platform_key())
    assert [attempt.payer for attempt in plan.attempts] == [Scope.PLATFORM]


def test_the_platform_pays_when_the_users_keys_are_for_other_models():
    assert names(plan_for(a_key("mine", "claude"), platform_key())) == ["platform"]


def test_a_users_key_keeps_the_platform_out():
    plan = plan_for(a_key("mine"), platform_key())
    assert names(plan) == ["mine"]
    assert reasons(plan) == {"platform": "payer_needs_consent"}


def test_an_ailing_own_key_still_keeps_the_platform_out():
    assert names(plan_for(a_key("mine", status=CredentialStatus.INVALID), platform_key())) == ["mine"]


@pytest.mark.parametrize(("fields", "resting", "asked"), EXISTING_BUT_UNFIT)
def test_an_own_key_that_cannot_serve_now_blocks_the_platform(
    fields: dict[str, Any], resting: dict[RestKey, Rest], asked: dict[str, Any]
):
    plan = plan_for(a_key("mine", **fields), platform_key(), resting=resting, **asked)
    assert names(plan) == []
    assert reasons(plan)["platform"] == "payer_needs_consent"


@pytest.mark.parametrize(("fields", "resting", "asked"), EXISTING_BUT_UNFIT)
def test_consent_lets_the_platform_pay_instead(
    fields: dict[str, Any], resting: dict[RestKey, Rest], asked: dict[str, Any]
):
    plan = plan_for(a_key("mine", **fields), platform_key(), preferences=ALWAYS, resting=resting, **asked)
    assert names(plan) == ["platform"]


def test_a_key_switched_off_by_its_owner_blocks_nothing():
    assert names(plan_for(a_key("mine", enabled=False), platform_key())) == ["platform"]


def test_with_consent_the_platform_comes_after_the_users_keys():
    assert names(plan_for(platform_key(), a_key("mine"), preferences=ALWAYS)) == ["mine", "platform"]


def test_without_any_consent_the_platform_never_pays():
    plan = plan_for(platform_key(), preferences=NEVER)
    assert reasons(plan) == {"platform": "payer_needs_consent"}


def test_a_user_who_puts_the_platform_first_is_served_by_it_alone():
    order = (KeySource.PLATFORM, KeySource.OWN_PROVIDER)
    plan = plan_for(a_key("mine"), platform_key(), preferences=Preferences(key_order=order))
    assert names(plan) == ["platform"]
    assert reasons(plan) == {"mine": "payer_needs_consent"}


def test_the_teams_key_needs_consent_after_the_users():
    assert names(plan_for(a_key("mine"), a_key("ours", owner=TEAM))) == ["mine"]
    assert names(plan_for(a_key("ours", owner=TEAM), platform_key())) == ["ours"]


def test_a_platform_key_chosen_by_name_is_consent_enough():
    assert names(plan_for(a_key("mine"), platform_key(), credential="platform")) == ["platform"]


EU = Preferences(require_eu=True)


def test_residency_lets_only_providers_in_the_eu_serve():
    plan = plan_for(a_key("eu"), a_key("us", "router"), preferences=EU)
    assert names(plan) == ["eu"]
    assert reasons(plan) == {"us": "residency"}


def test_an_own_address_is_not_covered_by_the_providers_promise():
    plan = plan_for(a_key("mine", base_url="https://elsewhere.test/v1"), preferences=EU)
    assert reasons(plan) == {"mine": "residency"}


def test_an_own_key_outside_the_eu_does_not_turn_into_the_platforms_bill():
    plan = plan_for(a_key("mine", "router"), platform_key(), preferences=EU)
    assert names(plan) == []
    assert reasons(plan) == {"mine": "residency", "platform": "payer_needs_consent"}


OWNERS = st.sampled_from([USER, TEAM, ORGANIZATION, PLATFORM])
PREFERENCES = st.builds(
    Preferences,
    mode=st.sampled_from(Mode),
    require_eu=st.booleans(),
    key_order=st.permutations(DEFAULT_KEY_ORDER).map(tuple),
    paid_fallback=st.sampled_from(PaidFallback),
)


@st.composite
def credentials(draw: st.DrawFn) -> tuple[Credential, ...]:
    def one(number: int) -> Credential:
        owner: Owner = draw(OWNERS)
        return a_key(
            f"key{number}",
            draw(st.sampled_from(["maker", "router", "own", "claude"])),
            owner,
            enabled=draw(st.integers(0, 4)) > 0,
            status=draw(st.sampled_from(CredentialStatus)),
            is_default=draw(st.booleans()),
            priority=draw(st.integers(0, 2)),
            weight=draw(st.integers(0, 3)),
            base_url=draw(st.sampled_from([None, None, "https://own.test/v1"])),
            allowed_models=draw(st.sampled_from([None, None, ("maker/*",), ()])),
            expires_at=draw(st.sampled_from([None, None, NOW - 1, NOW + 1])),
        )

    return tuple(one(number) for number in range(draw(st.integers(0, 6))))


RESTS = st.dictionaries(
    st.tuples(st.sampled_from([a_key(f"key{number}").id for number in range(6)]), st.sampled_from(["", "model-1"])),
    st.builds(Rest, until=st.floats(NOW - 5, NOW + 5), stated=st.booleans()),
    max_size=4,
)


@given(credentials(), PREFERENCES, RESTS, st.integers(0, 1000))
def test_every_plan_keeps_its_promises(
    keys: tuple[Credential, ...], preferences: Preferences, resting: dict[RestKey, Rest], ticket: int
):
    plan = plan_for(*keys, preferences=preferences, resting=resting, ticket=ticket)

    again = plan_for(*keys, preferences=preferences, resting=resting, ticket=ticket)
    assert repr(plan) == repr(again), "the same question, another answer"
    assert (plan.refusal is None) == bool(plan.attempts)
    tried = [attempt.credential.id for attempt in plan.attempts]
    left_out = [drop.credential.id for drop in plan.dropped]
    assert sorted(tried + left_out) == sorted(key.id for key in keys), "every key is tried or its absence explained"

    payers = {attempt.payer for attempt in plan.attempts}
    if preferences.paid_fallback is not PaidFallback.ALWAYS:
        assert len(payers) <= 1, "a second payer without consent"
    if preferences.paid_fallback is PaidFallback.NEVER or preferences.mode is not Mode.PLATFORM:
        assert Scope.PLATFORM not in payers
    for attempt in plan.attempts:
        key = attempt.credential
        assert key.enabled
        assert key.status is not CredentialStatus.UNDECRYPTABLE
        assert key.expires_at is None or key.expires_at > NOW
        assert attempt.payer is key.owner.scope
        own_address = key.base_url is not None and key.owner.scope is not Scope.PLATFORM
        assert attempt.trusted is not own_address
        if preferences.require_eu:
            assert attempt.provider.eu == "yes"
            assert not own_address
        for rest_key in ((key.id, attempt.upstream_model), (key.id, "")):
            rest = resting.get(rest_key)
            assert rest is None or not rest.stated or rest.until <= NOW
