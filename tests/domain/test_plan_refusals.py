"""What a caller is told when no key may serve."""

import pytest
from tests.domain.values import NOW, a_key, plan_for, platform_key

from ownkey.domain.credential import CredentialStatus, PaidFallback, Preferences
from ownkey.domain.errors import (
    ModelNotFound,
    NoHealthyCredential,
    NotAllowed,
    OwnkeyError,
    RateLimited,
    ResidencyNotSatisfied,
    SecretUnreadable,
)
from ownkey.domain.plan import Plan, Rest

EU = Preferences(require_eu=True)


def refusal(plan: Plan) -> OwnkeyError:
    assert plan.attempts == ()
    assert plan.refusal is not None
    return plan.refusal


def test_an_unknown_model_is_not_found():
    error = refusal(plan_for(a_key("k"), model="nonsense"))
    assert type(error) is ModelNotFound
    assert error.param == "model"
    assert "'nonsense'" in error.public


@pytest.mark.parametrize("preferred", [None, ""])
def test_default_without_a_preference_is_not_found(preferred: str | None):
    error = refusal(plan_for(a_key("k"), model="default", preferences=Preferences(model=preferred)))
    assert type(error) is ModelNotFound
    assert "default" in error.public


def test_a_model_outside_the_api_keys_list_is_forbidden():
    error = refusal(plan_for(a_key("k"), allowed_models=("other/*",)))
    assert type(error) is NotAllowed


def test_an_api_keys_list_applies_to_the_model_that_default_stands_for():
    plan = plan_for(
        a_key("k"), model="default", allowed_models=("other/*",), preferences=Preferences(model="maker/model-1")
    )
    assert type(refusal(plan)) is NotAllowed


def test_without_a_key_the_text_says_which_to_add():
    error = refusal(plan_for())
    assert type(error) is NoHealthyCredential
    assert "ownkey keys add maker" in error.public


def test_a_vendor_without_an_api_of_its_own_is_not_named_as_a_provider_to_add():
    error = refusal(plan_for(model="elsewhere/model-1"))
    assert type(error) is NoHealthyCredential
    assert "keys add" not in error.public


def test_an_absent_credential_is_named():
    error = refusal(plan_for(a_key("k"), credential="other"))
    assert type(error) is NoHealthyCredential
    assert "'other'" in error.public


def test_keys_told_to_wait_give_the_shortest_wait():
    resting = {(a_key("a").id, ""): Rest(NOW + 9, stated=True), (a_key("b").id, "model-1"): Rest(NOW + 4, stated=True)}
    error = refusal(plan_for(a_key("a"), a_key("b"), resting=resting))
    assert type(error) is RateLimited
    assert error.retry_after == 4.0


def test_a_platform_key_that_lacks_consent_does_not_hide_the_wait():
    resting = {(a_key("a").id, ""): Rest(NOW + 9, stated=True)}
    error = refusal(plan_for(a_key("a"), platform_key(), resting=resting))
    assert type(error) is RateLimited
    assert error.retry_after == 9.0


def test_an_unreadable_key_says_so():
    error = refusal(plan_for(a_key("a", status=CredentialStatus.UNDECRYPTABLE), platform_key()))
    assert type(error) is SecretUnreadable


def test_residency_that_nobody_satisfies_has_its_own_status():
    error = refusal(plan_for(a_key("a", "router"), preferences=EU))
    assert type(error) is ResidencyNotSatisfied
    assert error.status == 451


def test_residency_refusal_mentions_the_platform_key_that_consent_would_allow():
    error = refusal(plan_for(a_key("a", "router"), platform_key(), preferences=EU))
    assert type(error) is ResidencyNotSatisfied
    assert "paid_fallback" in error.public


def test_a_mixture_of_reasons_lists_them_all():
    error = refusal(plan_for(a_key("a", enabled=False), a_key("b", expires_at=NOW - 1)))
    assert type(error) is NoHealthyCredential
    assert "a: the key is disabled" in error.public
    assert "b: the key's expiry date has passed" in error.public


def test_a_platform_that_may_not_pay_says_why():
    error = refusal(plan_for(platform_key(), preferences=Preferences(paid_fallback=PaidFallback.NEVER)))
    assert type(error) is NoHealthyCredential
    assert "paid_fallback" in error.public
