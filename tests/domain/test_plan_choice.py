"""Which keys may serve a request, and in which order they are tried."""

from collections import Counter
from itertools import permutations

import pytest
from tests.domain.values import (
    CLAUDE,
    MODEL,
    NOW,
    ORGANIZATION,
    TEAM,
    a_key,
    names,
    plan_for,
    platform_key,
    reasons,
)

from ownkey.domain.credential import CredentialStatus, KeySource, Mode, PaidFallback, Preferences
from ownkey.domain.formats import WireFormat
from ownkey.domain.plan import Rest, choose_format

ALWAYS = Preferences(paid_fallback=PaidFallback.ALWAYS)


def test_an_attempt_says_everything_that_sending_needs():
    (attempt,) = plan_for(a_key("k")).attempts
    assert attempt.base_url == "https://maker.test/v1"
    assert attempt.path == "/chat/completions"
    assert attempt.upstream_model == "model-1"
    assert attempt.format is WireFormat.OPENAI_CHAT
    assert (attempt.payer.value, attempt.trusted, attempt.priced, attempt.rates.output) == ("user", True, True, 20)


def test_an_own_address_replaces_the_providers_and_is_not_trusted():
    (attempt,) = plan_for(a_key("k", base_url="https://proxy.test/v1")).attempts
    assert (attempt.base_url, attempt.trusted) == ("https://proxy.test/v1", False)


def test_the_operators_address_on_a_platform_key_is_trusted():
    (attempt,) = plan_for(platform_key(base_url="https://proxy.test/v1")).attempts
    assert attempt.trusted


def test_a_provider_without_an_address_needs_one_from_the_key():
    assert reasons(plan_for(a_key("k", "own", model="llama"), model="llama")) == {"k": "no_address"}
    served = plan_for(a_key("k", "own", model="llama", base_url="http://h/v1"), model="llama")
    assert served.attempts[0].upstream_model == "llama"


def test_a_key_bound_to_a_model_serves_that_model_only():
    bound = a_key("k", "own", model="llama", base_url="http://h/v1")
    assert names(plan_for(bound, model="own/llama")) == ["k"]
    assert reasons(plan_for(bound)) == {"k": "model_not_served"}


def test_the_clients_format_is_kept_where_the_provider_speaks_it():
    assert choose_format(CLAUDE.endpoints, WireFormat.ANTHROPIC_MESSAGES) is WireFormat.ANTHROPIC_MESSAGES


def test_another_format_of_the_same_operation_is_translated_to():
    assert choose_format(CLAUDE.endpoints, WireFormat.OPENAI_CHAT) is WireFormat.ANTHROPIC_MESSAGES


def test_an_operation_that_the_provider_lacks_drops_the_key():
    plan = plan_for(a_key("k"), client_format=WireFormat.OPENAI_EMBEDDINGS)
    assert reasons(plan) == {"k": "operation_not_served"}


def test_a_provider_that_left_the_catalogue_drops_its_keys():
    assert reasons(plan_for(a_key("k", "gone"))) == {"k": "unknown_provider"}


def test_the_chosen_credential_is_the_only_one_tried():
    plan = plan_for(a_key("a"), a_key("b"), credential="b")
    assert names(plan) == ["b"]
    assert reasons(plan) == {"a": "not_chosen"}


def test_a_chosen_key_is_sent_the_model_literally_when_the_catalogue_knows_no_offer():
    plan = plan_for(a_key("k", "router"), model="anything-new", credential="k")
    assert plan.attempts[0].upstream_model == "anything-new"


def test_the_users_default_key_comes_first_whatever_the_order_says():
    plan = plan_for(a_key("a", priority=1), a_key("b", "router"), a_key("c", priority=9, is_default=True))
    assert names(plan)[0] == "c"


def test_a_default_of_the_platform_does_not_precede_the_users_keys():
    plan = plan_for(a_key("mine"), platform_key(is_default=True), preferences=ALWAYS)
    assert names(plan) == ["mine", "platform"]


@pytest.mark.parametrize("order", list(permutations(KeySource)))
def test_the_key_order_ranks_the_sources(order: tuple[KeySource, ...]):
    keys = [a_key("own_router", "router"), a_key("own_provider"), platform_key("platform")]
    plan = plan_for(*keys, preferences=Preferences(key_order=order, paid_fallback=PaidFallback.ALWAYS))
    assert names(plan) == [source.value for source in order]


def test_a_source_that_the_order_leaves_out_comes_last():
    preferences = Preferences(key_order=(KeySource.OWN_PROVIDER,))
    assert names(plan_for(a_key("r", "router"), a_key("p"), preferences=preferences)) == ["p", "r"]


def test_nearer_scopes_come_first():
    keys = (a_key("o", owner=ORGANIZATION), a_key("t", owner=TEAM), a_key("u"))
    assert names(plan_for(*keys, preferences=ALWAYS)) == ["u", "t", "o"]


def test_lower_priority_numbers_come_first():
    assert names(plan_for(a_key("a", priority=2), a_key("b", priority=1), a_key("c", priority=3))) == ["b", "a", "c"]


@pytest.mark.parametrize("prefix", ["a", "cred_019ab3f2c1d04e5f6071829304a5b6c7"])
@pytest.mark.parametrize(("left", "right"), [(1, 1), (1, 3), (1, 9)])
def test_weights_split_the_traffic_in_proportion(prefix: str, left: int, right: int):
    keys = (a_key(f"{prefix}1", weight=left), a_key(f"{prefix}2", weight=right))
    drawn = 3000
    first = Counter(names(plan_for(*keys, ticket=ticket))[0] for ticket in range(drawn))
    expected = right / (left + right)
    deviation = (expected * (1 - expected) / drawn) ** 0.5
    assert abs(first[f"{prefix}2"] / drawn - expected) < 4 * deviation


def test_three_equal_weights_give_every_order_its_share():
    keys = tuple(a_key(f"key_{name}") for name in "abc")
    orders = Counter(tuple(names(plan_for(*keys, ticket=ticket))) for ticket in range(3000))
    assert len(orders) == 6
    assert min(orders.values()) > 380


def test_a_weight_of_zero_is_a_last_resort():
    keys = (a_key("spare", weight=0), a_key("main"))
    assert all(names(plan_for(*keys, ticket=ticket)) == ["main", "spare"] for ticket in range(50))


@pytest.mark.parametrize(
    "status",
    [
        CredentialStatus.INVALID,
        CredentialStatus.REVOKED,
        CredentialStatus.QUOTA_EXHAUSTED,
        CredentialStatus.EXPIRED,
    ],
)
def test_ailing_keys_are_tried_last_but_tried(status: CredentialStatus):
    ailing = a_key("ailing", status=status, is_default=True, priority=1)
    assert names(plan_for(ailing, a_key("well", "router"))) == ["well", "ailing"]


@pytest.mark.parametrize("model", ["", "model-1"])
def test_a_key_that_failed_lately_is_tried_last(model: str):
    resting = {(a_key("tired").id, model): Rest(NOW + 5)}
    assert names(plan_for(a_key("tired", priority=1), a_key("fresh"), resting=resting)) == ["fresh", "tired"]


def test_a_rest_that_is_over_or_for_another_model_changes_nothing():
    resting = {(a_key("a").id, "model-1"): Rest(NOW), (a_key("a").id, "model-2"): Rest(NOW + 9, stated=True)}
    assert names(plan_for(a_key("a", priority=1), a_key("b"), resting=resting)) == ["a", "b"]


def test_a_key_told_to_wait_is_left_out_and_says_for_how_long():
    resting = {(a_key("a").id, ""): Rest(NOW + 7.5, stated=True)}
    plan = plan_for(a_key("a"), a_key("b"), resting=resting)
    assert names(plan) == ["b"]
    (drop,) = plan.dropped
    assert (drop.reason.value, drop.retry_after) == ("cooling_down", 7.5)


def test_a_disabled_key_is_left_out():
    assert reasons(plan_for(a_key("k", enabled=False))) == {"k": "disabled"}


def test_an_expiry_date_ends_a_key_at_that_instant():
    assert reasons(plan_for(a_key("k", expires_at=NOW))) == {"k": "expired"}
    assert names(plan_for(a_key("k", expires_at=NOW + 0.1))) == ["k"]


def test_mode_own_key_never_uses_the_platforms_keys():
    plan = plan_for(platform_key(), preferences=Preferences(mode=Mode.OWN_KEY, paid_fallback=PaidFallback.ALWAYS))
    assert reasons(plan) == {"platform": "mode"}


def test_mode_custom_uses_own_endpoints_only():
    endpoint = a_key("endpoint", "own", model=MODEL, base_url="http://h/v1")
    proxy = a_key("proxy", base_url="http://h/v1")
    plan = plan_for(a_key("k"), platform_key(), endpoint, proxy, preferences=Preferences(mode=Mode.CUSTOM))
    assert set(names(plan)) == {"endpoint", "proxy"}
    assert reasons(plan) == {"k": "mode", "platform": "mode"}


@pytest.mark.parametrize(
    ("patterns", "allowed"),
    [
        (None, True),
        ((), False),
        (("maker/*",), True),
        (("model-1",), True),
        (("other/*", "maker/model-?"), True),
        (("Maker/*",), False),
    ],
)
def test_a_keys_allowed_models_match_the_asked_or_the_upstream_name(patterns: tuple[str, ...] | None, allowed: bool):
    plan = plan_for(a_key("k", allowed_models=patterns))
    assert names(plan) == (["k"] if allowed else [])
    assert reasons(plan) == ({} if allowed else {"k": "model_not_allowed"})


@pytest.mark.parametrize(
    ("networks", "peer", "allowed"),
    [
        (None, None, True),
        (None, "203.0.113.9", True),
        ((), "203.0.113.9", False),
        (("203.0.113.9",), "203.0.113.9", True),
        (("203.0.113.0/24",), "203.0.113.9", True),
        (("203.0.113.7/24",), "203.0.113.9", True),
        (("203.0.113.0/24",), "198.51.100.1", False),
        (("203.0.113.0/24",), None, False),
        (("203.0.113.0/24",), "::ffff:203.0.113.9", True),
        (("203.0.113.0/24",), "2001:db8::1", False),
        (("2001:db8::/32",), "2001:db8::1", True),
        (("2001:db8::/32",), "203.0.113.9", False),
        (("no network", "203.0.113.9"), "203.0.113.9", True),
        (("no network",), "203.0.113.9", False),
        (("",), "203.0.113.9", False),
        (("203.0.113.0/99",), "203.0.113.9", False),
        (("0.0.0.0/0",), "no address", False),
    ],
)
def test_a_keys_allowed_ips(networks: tuple[str, ...] | None, peer: str | None, allowed: bool):
    plan = plan_for(a_key("k", allowed_ips=networks), peer=peer)
    assert reasons(plan) == ({} if allowed else {"k": "address_not_allowed"})


def test_default_means_the_preferred_model():
    plan = plan_for(a_key("k"), model="default", preferences=Preferences(model=MODEL))
    assert plan.model == MODEL
    assert names(plan) == ["k"]


def test_a_preferred_model_does_not_replace_one_that_is_named():
    assert plan_for(a_key("k"), model="maker/model-2", preferences=Preferences(model=MODEL)).model == "maker/model-2"
