"""Each user's defaults: checked when they are set, followed when the client is silent, beaten by what it says."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.control.people import is_problem
from tests.services.stack import User

DEFAULTS = {
    "mode": "platform",
    "model": None,
    "temperature": None,
    "max_tokens": None,
    "require_eu": False,
    "key_order": ["own_router", "own_provider", "platform"],
    "paid_fallback": "when_no_key",
}


@pytest.fixture(scope="module")
def caller(user: User) -> User:
    user.add_key("openai", SECRET)
    return user


SECRET = "sk-test-preferences-0001"


def sent(caller: User, **body: Any) -> dict[str, Any]:
    """What reached the provider."""
    answer = caller.chat(body.pop("model", "openai/echo"), **body)
    assert answer.status_code == 200, answer.text
    query = {"key_suffix": SECRET[-8:], "limit": "1"}
    url = caller.stack.sandbox.url + "/__sandbox/requests"
    return httpx2.get(url, params=query, trust_env=False, verify=False).json()["requests"][-1]["body"]


def test_defaults_are_there_before_anything_is_set(stranger: User) -> None:
    assert stranger.api.get("/preferences").json() == DEFAULTS


def test_what_is_left_out_returns_to_its_default(caller: User) -> None:
    wanted = {
        "mode": "own_key",
        "model": "openai/echo",
        "temperature": 0.7,
        "max_tokens": 500,
        "require_eu": True,
        "key_order": ["platform", "own_provider", "own_router"],
        "paid_fallback": "never",
    }
    assert caller.api.put("/preferences", json=wanted).json() == wanted
    assert caller.api.get("/preferences").json() == wanted
    assert caller.api.put("/preferences", json={}).json() == DEFAULTS
    assert caller.api.get("/preferences").json() == DEFAULTS


@pytest.mark.parametrize("chosen", [0, 0.0, 0.7, 2])
def test_a_temperature_is_kept_and_followed_zero_included(caller: User, chosen: float) -> None:
    assert caller.api.put("/preferences", json={"temperature": chosen}).json()["temperature"] == chosen
    assert caller.api.get("/preferences").json()["temperature"] == chosen
    assert sent(caller)["temperature"] == chosen


@pytest.mark.parametrize("value", [0, 0.0, 1.5])
def test_the_clients_temperature_wins_zero_included(caller: User, value: float) -> None:
    caller.api.put("/preferences", json={"temperature": 1})
    assert sent(caller, temperature=value)["temperature"] == value


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_the_clients_limit_wins_and_silence_gets_the_default(caller: User, field: str) -> None:
    caller.api.put("/preferences", json={"max_tokens": 200})
    silent = sent(caller)
    assert 200 in (silent.get("max_tokens"), silent.get("max_completion_tokens"))
    spoken = sent(caller, **{field: 7})
    assert spoken[field] == 7
    assert {spoken.get("max_tokens"), spoken.get("max_completion_tokens")} == {7, None}


def test_no_preference_adds_nothing(caller: User) -> None:
    caller.api.put("/preferences", json={})
    assert not {"temperature", "max_tokens", "max_completion_tokens"} & set(sent(caller))


def test_default_names_the_preferred_model(caller: User) -> None:
    caller.api.put("/preferences", json={"model": "openai/lorem-3"})
    assert sent(caller, model="default")["model"] == "lorem-3"
    caller.api.put("/preferences", json={})
    assert caller.chat("default").status_code == 404


def test_own_key_mode_and_paid_fallback_keep_the_platform_from_paying(
    operator: httpx2.Client, newcomer: Callable[[], User]
) -> None:
    person = newcomer()
    body = {"provider": "mistral", "api_key": "platform-preferences-0001", "scope": "platform", "test": False}
    stored = operator.post("/credentials", json=body)
    assert stored.status_code == 201, stored.text
    try:
        answer = person.chat("mistral/echo")
        assert answer.status_code == 200
        assert answer.headers["x-ownkey-payer"] == "platform"
        for wish in ({"mode": "own_key"}, {"mode": "custom"}, {"paid_fallback": "never"}):
            person.api.put("/preferences", json=wish)
            assert person.chat("mistral/echo").status_code == 503, wish
    finally:
        assert operator.delete(f"/credentials/{stored.json()['id']}").status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        {"mode": "Platform"},
        {"mode": None},
        {"temperature": -0.1},
        {"temperature": 2.1},
        {"temperature": True},
        {"temperature": "0.5"},
        {"max_tokens": 99},
        {"max_tokens": 128_001},
        {"max_tokens": -1},
        {"max_tokens": 10**40},
        {"max_tokens": 100.5},
        {"max_tokens": "200"},
        {"require_eu": "yes"},
        {"require_eu": 1},
        {"key_order": []},
        {"key_order": ["platform"]},
        {"key_order": ["platform", "platform", "own_router"]},
        {"key_order": ["platform", "own_provider", "own_router", "platform"]},
        {"paid_fallback": "sometimes"},
        {"model": ""},
        {"model": "a\nb"},
        {"model": "x" * 257},
        {"model": "default"},
        {"modell": "gpt-5"},
    ],
)
def test_a_wrong_preference_changes_nothing(caller: User, body: dict[str, Any]) -> None:
    caller.api.put("/preferences", json={"temperature": 0.5})
    is_problem(caller.api.put("/preferences", json=body), 422, "invalid_request")
    assert caller.api.get("/preferences").json() == DEFAULTS | {"temperature": 0.5}
