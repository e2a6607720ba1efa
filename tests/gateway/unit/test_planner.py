"""The planner by itself: which plans it keeps, and for how long."""

from typing import Any

import pytest
from tests.domain.values import CATALOGUE, MODEL, NOW, a_key

from ownkey.domain.credential import Holdings
from ownkey.domain.formats import WireFormat
from ownkey.domain.plan import Plan, PlanRequest, Rest
from ownkey.gateway.health import KeyHealth
from ownkey.gateway.plans import Planner
from ownkey.storage import Database


def request(now: float = NOW, **fields: Any) -> PlanRequest:
    wanted: dict[str, Any] = {"model": MODEL, "client_format": WireFormat.OPENAI_CHAT, "now": now} | fields
    return PlanRequest(**wanted)


@pytest.fixture
def health(sqlite_database: Database) -> KeyHealth:
    return KeyHealth(sqlite_database)


def kept(health: KeyHealth, holdings: Holdings, *requests: PlanRequest) -> tuple[Plan, ...]:
    """The plans for `requests`, in turn, by one planner."""
    planner = Planner(CATALOGUE, health)
    return tuple(planner.plan("user_1", each, holdings) for each in requests)


def test_the_same_question_gets_the_same_plan_for_five_seconds(health: KeyHealth) -> None:
    first, second, late = kept(health, Holdings((a_key("mine"),)), request(), request(NOW + 4.9), request(NOW + 5.1))
    assert second is first
    assert late is not first
    assert late == first


def test_the_cached_plan_heeds_the_addresses_a_credential_may_be_used_from(health: KeyHealth) -> None:
    holdings = Holdings((a_key("mine", allowed_ips=("192.0.2.0/24",)),))
    inside, outside = kept(health, holdings, request(peer="192.0.2.7"), request(peer="198.51.100.1"))
    assert [attempt.credential.id for attempt in inside.attempts] == ["mine"]
    assert outside.attempts == ()
    assert outside.refusal is not None


def test_a_plan_is_not_kept_past_the_expiry_of_a_credential(health: KeyHealth) -> None:
    holdings = Holdings((a_key("mine", expires_at=NOW + 2),))
    good, expired = kept(health, holdings, request(), request(NOW + 3))
    assert good.attempts
    assert expired.attempts == ()


def test_holdings_that_were_read_again_get_a_new_plan(health: KeyHealth) -> None:
    planner = Planner(CATALOGUE, health)
    first = planner.plan("user_1", request(), Holdings((a_key("old"),)))
    second = planner.plan("user_1", request(), Holdings((a_key("new"),)))
    assert [plan.attempts[0].credential.id for plan in (first, second)] == ["old", "new"]


@pytest.mark.parametrize(
    "other",
    [
        {"model": "maker/model-2"},
        {"client_format": WireFormat.ANTHROPIC_MESSAGES},
        {"credential": "mine"},
        {"allowed_models": (MODEL,)},
    ],
)
def test_another_question_gets_its_own_plan(health: KeyHealth, other: dict[str, Any]) -> None:
    first, second = kept(health, Holdings((a_key("mine"),)), request(), request(**other))
    assert second is not first


def test_a_resting_key_is_seen_at_once_and_its_plan_is_not_kept(health: KeyHealth) -> None:
    planner, holdings = Planner(CATALOGUE, health), Holdings((a_key("mine"), a_key("spare", priority=200)))
    assert planner.plan("user_1", request(), holdings).attempts[0].credential.id == "mine"
    health.resting[holdings.credentials[0].id, ""] = Rest(NOW + 60, stated=True)
    assert planner.plan("user_1", request(), holdings).attempts[0].credential.id == "spare"
    health.resting.clear()
    assert planner.plan("user_1", request(), holdings).attempts[0].credential.id == "mine"


def test_a_draw_by_weight_is_drawn_for_each_request(health: KeyHealth) -> None:
    holdings = Holdings((a_key("one"), a_key("two")))
    first, second = kept(health, holdings, request(ticket=0), request(ticket=0))
    assert first.drawn
    assert second is not first


def test_a_refusal_is_not_kept(health: KeyHealth) -> None:
    first, second = kept(health, Holdings(), request(), request())
    assert first.refusal is not None
    assert second is not first
