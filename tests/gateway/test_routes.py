"""Requests by a user's own names: what reaches the provider, and what headers, lists and receipts tell."""

import json
from typing import Any

import httpx2
import pytest
from tests.gateway.conftest import Requests
from tests.services.stack import Stack, User

MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture
def router(user: User, new_key: str) -> User:
    """A user with one key of OpenAI's and no routes."""
    for row in user.api.get("/routes").json()["items"]:
        assert user.api.delete(f"/routes/{row['id']}").status_code == 204
    user.add_key("openai", new_key)
    return user


def route(user: User, name: str, model: str, **more: Any) -> dict[str, Any]:
    made = user.api.post("/routes", json={"name": name, "model": model} | more)
    assert made.status_code == 201, made.text
    return made.json()


def told(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_the_provider_gets_the_real_model_and_the_client_is_told_it(
    router: User, new_key: str, sandbox_requests: Requests
) -> None:
    route(router, "winner", "openai/lorem-3")
    answer = router.chat("winner")
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-ownkey-model"] == "lorem-3"
    assert sandbox_requests(new_key[-4:])[-1]["body"]["model"] == "lorem-3"
    receipt = router.receipt(answer)
    assert (receipt["model"], receipt["upstream_model"], receipt["route"]) == ("openai/lorem-3", "lorem-3", "winner")
    assert router.receipt(router.chat("openai/echo"))["route"] is None


def test_every_format_knows_the_name(router: User) -> None:
    route(router, "winner", "openai/lorem-3")
    anthropic = router.gateway.post("/v1/messages", json={"model": "winner", "max_tokens": 9, "messages": MESSAGES})
    google = router.gateway.post(
        "/v1beta/models/winner:generateContent", json={"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    )
    streamed = router.chat("winner", stream=True)
    for answer in (anthropic, google, streamed):
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-ownkey-model"] == "lorem-3"


def test_a_changed_route_is_followed_by_the_next_request(router: User) -> None:
    made = route(router, "winner", "openai/lorem-3")
    for model in ("lorem-4", "lorem-5"):
        # Asked twice, so that the second finds a plan that was kept.
        for _ in range(2):
            assert router.chat("winner").status_code == 200
        assert router.api.patch(f"/routes/{made['id']}", json={"model": f"openai/{model}"}).status_code == 200
        assert router.chat("winner").headers["x-ownkey-model"] == model
    assert router.api.delete(f"/routes/{made['id']}").status_code == 204
    assert told(router.chat("winner")) == (404, "model_not_found")


def test_explain_tells_the_route_and_its_model(router: User) -> None:
    route(router, "winner", "openai/lorem-3")
    plan = router.api.post("/route/explain", json={"model": "winner"}).json()
    assert (plan["model"], plan["route"], plan["attempts"][0]["upstream_model"]) == (
        "openai/lorem-3",
        "winner",
        "lorem-3",
    )


def test_a_route_with_a_key_is_served_by_it_unless_the_request_names_another(router: User, new_key: str) -> None:
    second = router.add_key("openai", new_key + "-second", label="second", priority=900)
    first = next(row for row in router.api.get("/credentials").json()["items"] if row["id"] != second["id"])
    route(router, "pinned", "openai/lorem-3", credential_id=second["id"])
    assert router.chat("openai/lorem-3").headers["x-ownkey-credential"] == first["id"]
    assert router.chat("pinned").headers["x-ownkey-credential"] == second["id"]
    chosen = router.chat("pinned", headers={"x-ownkey-credential": first["label"]})
    assert chosen.headers["x-ownkey-credential"] == first["id"]


def test_a_route_whose_key_is_deleted_says_so(router: User, new_key: str) -> None:
    second = router.add_key("openai", new_key + "-second")
    made = route(router, "pinned", "openai/lorem-3", credential_id=second["id"])
    assert router.chat("pinned").status_code == 200
    assert router.api.delete(f"/credentials/{second['id']}").status_code == 204
    refused = router.chat("pinned")
    assert told(refused) == (503, "no_healthy_credential")
    assert "'pinned'" in refused.json()["error"]["message"]
    assert router.api.patch(f"/routes/{made['id']}", json={"credential_id": None}).json()["note"] is None
    assert router.chat("pinned").status_code == 200


def test_model_lists_have_the_routes_that_can_be_served(router: User) -> None:
    route(router, "winner", "openai/gpt-5-mini")
    route(router, "keyless", "anthropic/claude-sonnet-4.5")
    listed = [row["id"] for row in router.gateway.get("/v1/models").json()["data"]]
    assert "winner" in listed
    assert "keyless" not in listed
    google = {row["name"]: row for row in router.gateway.get("/v1beta/models").json()["models"]}
    named, real = google["models/winner"], google["models/openai/gpt-5-mini"]
    assert (named["displayName"], named.get("inputTokenLimit")) == ("openai/gpt-5-mini", real.get("inputTokenLimit"))
    assert router.gateway.get("/v1/models/winner").json()["id"] == "winner"


def restricted(user: User, *models: str) -> httpx2.Client:
    made = user.api.post("/api-keys", json={"name": "restricted", "scopes": ["gateway"], "models": list(models)}).json()
    headers = {"authorization": f"Bearer {made['key']}"}
    return httpx2.Client(base_url=user.stack.url, headers=headers, timeout=60.0, trust_env=False)


@pytest.mark.parametrize(
    ("models", "status"),
    [
        (["openai/lorem-*"], 200),
        (["route:winner"], 200),
        (["winner"], 403),
        (["win*", "route:*"], 403),
        (["openai/echo"], 403),
    ],
)
def test_a_restricted_key_reaches_only_what_it_may(router: User, models: list[str], status: int) -> None:
    route(router, "winner", "openai/lorem-3")
    with restricted(router, *models) as client:
        answer = client.post("/v1/chat/completions", json={"model": "winner", "messages": MESSAGES})
        listed = [row["id"] for row in client.get("/v1/models").json()["data"]]
    assert answer.status_code == status, answer.text
    assert ("winner" in listed) is (status == 200)


def test_a_shadowed_model_is_reached_by_its_full_name(router: User) -> None:
    route(router, "gpt-5-mini", "openai/lorem-3", shadow=True)
    assert router.chat("gpt-5-mini").headers["x-ownkey-model"] == "lorem-3"
    assert router.chat("openai/gpt-5-mini").headers["x-ownkey-model"] == "gpt-5-mini"


def test_another_users_name_means_nothing(router: User, workshop: Stack) -> None:
    route(router, "winner", "openai/lorem-3")
    stranger = workshop.user("stranger-of-routes", openai="sk-test-stranger-of-routes")
    assert told(stranger.chat("winner")) == (404, "model_not_found")


def test_the_preferred_model_may_be_a_route(router: User) -> None:
    route(router, "winner", "openai/lorem-3")
    assert router.api.put("/preferences", json={"model": "winner"}).status_code == 200
    answer = router.chat("default")
    assert answer.headers["x-ownkey-model"] == "lorem-3"
    assert router.receipt(answer)["route"] == "winner"


def test_a_response_asked_by_a_route_is_found_after_the_route_is_gone(router: User) -> None:
    made = route(router, "winner", "openai/lorem-3")
    first = router.gateway.post("/v1/responses", json={"model": "winner", "input": "hi"})
    assert first.status_code == 200, first.text
    router.api.delete(f"/routes/{made['id']}")
    found = router.gateway.get(f"/v1/responses/{first.json()['id']}")
    assert found.status_code == 200, found.text
    assert json.loads(found.text)["id"] == first.json()["id"]
