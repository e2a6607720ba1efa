"""Requests that must stay in the EU, as the providers see them arrive: at the EU address, or not at all."""

from decimal import Decimal
from typing import Any

import pytest
from tests.gateway.conftest import Requests, Workshop
from tests.services.stack import User


def prefer(user: User, **preferences: Any) -> None:
    answer = user.api.put("/preferences", json=preferences)
    assert answer.status_code == 200, answer.text


def test_a_vendor_with_an_eu_address_for_every_key_is_called_there_and_priced_as_there(
    user: User, sandbox_requests: Requests, new_key: str
) -> None:
    user.add_key("mistral", new_key)
    anywhere = user.chat("mistralai/mistral-medium-3.1")
    prefer(user, require_eu=True)
    inside = user.chat("mistralai/mistral-medium-3.1")
    assert [request["path"] for request in sandbox_requests(new_key)] == [
        "/mistral/v1/chat/completions",
        "/mistral/eu/v1/chat/completions",
    ]
    costs = [Decimal(user.receipt(answer)["list_cost_usd"]) for answer in (anywhere, inside)]
    assert costs[1] == pytest.approx(costs[0] * Decimal("1.1"), rel=Decimal("0.001"))


@pytest.mark.parametrize(
    ("provider", "model"), [("openai", "openai/gpt-5-mini"), ("openrouter", "openrouter/openai/gpt-5")]
)
def test_a_key_that_must_be_opened_to_the_eu_is_used_only_when_its_owner_says_it_is(
    user: User, sandbox_requests: Requests, new_key: str, provider: str, model: str
) -> None:
    stored = user.add_key(provider, new_key)
    prefer(user, require_eu=True)
    refused = user.chat(model)
    assert (refused.status_code, refused.json()["error"]["code"]) == (451, "residency_not_satisfied")
    assert "region = eu" in refused.json()["error"]["message"]
    assert sandbox_requests(new_key) == []
    assert user.api.patch(f"/credentials/{stored['id']}", json={"config": {"region": "eu"}}).status_code == 200
    assert user.chat(model).status_code == 200
    assert user.api.post(f"/credentials/{stored['id']}/test").json()["status"] == "valid"
    assert {request["path"].split("/")[2] for request in sandbox_requests(new_key)} == {"eu"}


def test_a_default_model_and_a_paid_fallback_do_not_leave_the_eu(
    workshop: Workshop, user: User, sandbox_requests: Requests, new_key: str
) -> None:
    user.add_key("mistral", f"{new_key}-broke-mistral")
    user.add_key("openai", f"{new_key}-openai")
    user.add_key("openrouter", f"{new_key}-openrouter")
    everything = {"require_eu": True, "model": "mistralai/mistral-medium-3.1", "paid_fallback": "always"}
    prefer(user, **everything)
    failed = user.chat("default")
    assert failed.status_code in (402, 429)
    assert failed.headers["x-ownkey-attempts"] == "1"
    assert [request["path"] for request in sandbox_requests(f"{new_key}-broke-mistral")] == [
        "/mistral/eu/v1/chat/completions"
    ]
    assert sandbox_requests(f"{new_key}-openrouter") == sandbox_requests(f"{new_key}-openai") == []
    # The platform has a key for OpenAI, which nobody has opened to the EU.
    assert user.chat("openai/gpt-5-mini").status_code == 451


def test_a_region_that_the_provider_has_not_is_refused_when_a_key_is_stored(user: User, new_key: str) -> None:
    body = {"provider": "openai", "api_key": new_key, "config": {"region": "moon"}, "test": False}
    answer = user.api.post("/credentials", json=body)
    assert (answer.status_code, answer.json()["param"]) == (400, "config.region")
    assert "eu, us" in answer.json()["detail"]
