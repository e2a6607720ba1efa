"""A user's own names in planning: what they stand for, whose key serves, and who may use them."""

import pytest
from tests.domain.values import CATALOGUE, MODEL, NOW, a_key, names, platform_key

from ownkey.domain.credential import Credential, Holdings, PaidFallback, Preferences
from ownkey.domain.errors import ModelNotFound, NoHealthyCredential, NotAllowed, ResidencyNotSatisfied
from ownkey.domain.formats import WireFormat
from ownkey.domain.ids import CredentialId
from ownkey.domain.meaning import names_a_model
from ownkey.domain.plan import Plan, PlanRequest, make_plan
from ownkey.domain.route import Route, name_problem

WINNER = Route("winner", MODEL)
PINNED = Route("pinned", MODEL, CredentialId("second"))
TWO_KEYS = (a_key("first"), a_key("second", priority=200))


def plan(
    model: str,
    *routes: Route,
    keys: tuple[Credential, ...] = TWO_KEYS,
    preferences: Preferences | None = None,
    credential: str | None = None,
    allowed: tuple[str, ...] | None = None,
) -> Plan:
    request = PlanRequest(
        model=model, client_format=WireFormat.OPENAI_CHAT, now=NOW, credential=credential, allowed_models=allowed
    )
    holdings = Holdings(keys, preferences or Preferences(), {route.name: route for route in routes})
    return make_plan(request, holdings, CATALOGUE, {})


def test_a_route_becomes_its_model_and_the_plan_tells_both() -> None:
    made = plan("winner", WINNER)
    assert (made.model, made.route, names(made)) == (MODEL, "winner", ["first", "second"])
    assert made.attempts[0].upstream_model == "model-1"


def test_a_model_asked_by_its_own_name_has_no_route() -> None:
    assert plan(MODEL, WINNER).route is None


def test_a_route_with_a_key_is_served_by_that_key_alone() -> None:
    assert names(plan("pinned", PINNED)) == ["second"]


def test_the_key_that_the_request_names_wins() -> None:
    assert names(plan("pinned", PINNED, credential="first")) == ["first"]


def test_a_model_is_not_looked_up_among_the_routes_again() -> None:
    made = plan("one", Route("one", "two"), Route("two", MODEL))
    assert made.model == "two"
    assert isinstance(made.refusal, ModelNotFound)


def test_the_preferred_model_may_be_a_route() -> None:
    made = plan("default", WINNER, preferences=Preferences(model="winner"))
    assert (made.model, made.route) == (MODEL, "winner")


def test_a_route_does_not_stand_for_the_preferred_model() -> None:
    made = plan("loop", Route("loop", "default"), preferences=Preferences(model="loop"))
    assert isinstance(made.refusal, ModelNotFound)


def test_a_key_that_is_gone_is_told_with_the_routes_name() -> None:
    made = plan("pinned", PINNED, keys=(a_key("first"),))
    assert isinstance(made.refusal, NoHealthyCredential)
    assert "'pinned'" in made.refusal.public
    assert made.route == "pinned"


def test_a_key_that_is_gone_and_that_the_request_named_is_told_as_its_mistake() -> None:
    refusal = plan("pinned", PINNED, credential="absent").refusal
    assert refusal is not None
    assert "x-ownkey-credential" in refusal.public


@pytest.mark.parametrize("allowed", [(MODEL,), ("maker/*",), ("route:winner",), ("other", "route:winner")])
def test_a_restricted_key_may_use_a_route_of_its_models_or_one_it_lists(allowed: tuple[str, ...]) -> None:
    assert plan("winner", WINNER, allowed=allowed).attempts


@pytest.mark.parametrize("allowed", [("winner",), ("win*",), ("route:*",), ("route:win*",), ("*winner",), ()])
def test_no_pattern_and_no_models_name_lets_a_restricted_key_use_a_route(allowed: tuple[str, ...]) -> None:
    made = plan("winner", WINNER, allowed=allowed)
    assert isinstance(made.refusal, NotAllowed)
    assert not made.attempts


def test_a_key_that_may_use_a_shadowed_name_reaches_no_other_model_by_it() -> None:
    assert isinstance(plan("small", Route("small", MODEL), allowed=("small",)).refusal, NotAllowed)


def test_what_a_stored_key_may_serve_is_asked_of_the_real_model() -> None:
    assert not plan("winner", WINNER, keys=(a_key("k", allowed_models=("winner",)),)).attempts
    assert plan("winner", WINNER, keys=(a_key("k", allowed_models=(MODEL,)),)).attempts


def test_eu_processing_is_required_of_a_route_too() -> None:
    made = plan(
        "router", Route("router", MODEL), keys=(a_key("k", "router"),), preferences=Preferences(require_eu=True)
    )
    assert isinstance(made.refusal, ResidencyNotSatisfied)


def test_a_route_does_not_change_who_pays() -> None:
    route = Route("house", MODEL, CredentialId("platform"))
    assert names(plan("house", route, keys=(a_key("own"), platform_key()))) == ["platform"]
    never = Preferences(paid_fallback=PaidFallback.NEVER)
    assert names(plan("house", route, keys=(platform_key(),), preferences=never)) == []
    assert names(plan("winner", WINNER, keys=(a_key("own"), platform_key()))) == ["own"]


@pytest.mark.parametrize("name", ["winner", "gpt-4o", "a", "v1.2_x:latest", "9", "x" * 64])
def test_a_name_a_route_may_have(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize("name", ["", "default", "a/b", "a b", "a\tb", "a\n", "*", "a?", "[a]", "-a", "ä", "x" * 65])
def test_a_name_a_route_may_not_have(name: str) -> None:
    assert name_problem(name)


def test_a_name_is_a_models_in_the_catalogue_or_at_an_own_endpoint() -> None:
    holdings = Holdings((a_key("k", "own", model="llama"),), routes={"winner": WINNER})
    known = [name for name in (MODEL, "llama", "winner", "other") if names_a_model(name, holdings, CATALOGUE)]
    assert known == [MODEL, "llama"]
