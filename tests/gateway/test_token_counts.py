"""Token counts pass where a provider counts, and are estimated where none does."""

from typing import Any

import pytest
from tests.gateway.conftest import Workshop
from tests.gateway.upstream import answer, refusal
from tests.services.stack import User

PATH = "/v1/messages/count_tokens"
TALK: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def claude(workshop: Workshop, user: User, new_key: str) -> str:
    workshop.upstream.script(new_key, answer(200, {"input_tokens": 42}))
    user.add_key("anthropic", new_key, base_url=workshop.upstream.url)
    return new_key


def test_a_count_passes_with_all_that_belongs_to_it(workshop: Workshop, user: User, claude: str) -> None:
    body = TALK | {"model": "anthropic/claude-x", "new_thing": {"deep": [1]}}
    headers = {"anthropic-version": "2026-10-21", "anthropic-beta": "one-2026"}
    answered = user.gateway.post(PATH + "?beta=true", json=body, headers=headers)
    assert answered.json() == {"input_tokens": 42}
    assert "x-ownkey-estimated" not in answered.headers
    seen = workshop.upstream.seen(claude)[-1]
    assert seen.path == "/v1/messages/count_tokens"
    assert seen.json() == body | {"model": "claude-x"}
    assert (seen.headers["anthropic-version"], seen.headers["anthropic-beta"]) == ("2026-10-21", "one-2026")
    receipt = user.receipt(answered)
    assert (receipt["input_tokens"], receipt["provider"], receipt["status"]) == (0, "anthropic", "completed")


def test_preferences_do_not_touch_a_count(workshop: Workshop, user: User, claude: str) -> None:
    assert user.api.put("/preferences", json={"temperature": 0.5, "max_tokens": 321}).status_code == 200
    body = TALK | {"model": "anthropic/claude-x"}
    assert user.gateway.post(PATH, json=body).status_code == 200
    assert workshop.upstream.seen(claude)[-1].json() == body | {"model": "claude-x"}


def test_a_key_that_counts_is_asked_before_one_that_does_not(workshop: Workshop, user: User, claude: str) -> None:
    router = f"{claude}-router"
    user.add_key("openrouter", router, base_url=workshop.upstream.url + "/api/v1")
    answered = user.gateway.post(PATH, json=TALK | {"model": "anthropic/claude-sonnet-4.5"})
    assert answered.json() == {"input_tokens": 42}
    assert not workshop.upstream.seen(router)


def test_an_estimate_is_made_without_calling_anybody(workshop: Workshop, user: User, new_key: str) -> None:
    user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")
    answered = user.gateway.post(PATH, json=TALK | {"model": "custom/m"})
    assert answered.status_code == 200
    assert 0 < answered.json()["input_tokens"] < 20
    assert answered.headers["x-ownkey-estimated"] == "true"
    assert answered.headers["x-ownkey-attempts"] == "0"
    assert answered.headers["request-id"]
    assert not workshop.upstream.seen(new_key)
    receipt = user.receipt(answered)
    assert (receipt["input_tokens"], receipt["attempts_made"], receipt["list_cost_usd"]) == (0, [], "0")


def test_errors_speak_anthropics_language(workshop: Workshop, user: User, claude: str) -> None:
    workshop.upstream.script(claude, refusal(529))
    refused = user.gateway.post(PATH, json=TALK | {"model": "anthropic/claude-x"})
    assert refused.status_code == 529
    unknown = user.gateway.post(PATH, json=TALK | {"model": "nobody/knows"})
    assert (unknown.status_code, unknown.json()["type"]) == (404, "error")
    malformed = user.gateway.post(PATH, json={"model": "anthropic/claude-x"})
    assert (malformed.status_code, malformed.json()["error"]["type"]) == (400, "invalid_request_error")


def test_an_estimate_refuses_what_the_message_would_be_refused_for(
    workshop: Workshop, user: User, new_key: str
) -> None:
    user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")
    talk = {"messages": [{"role": "user", "content": [{"type": "search_result"}]}]}
    refused = user.gateway.post(PATH, json=TALK | talk | {"model": "custom/m"})
    assert (refused.status_code, refused.json()["type"]) == (400, "error")
    assert user.receipt(refused)["status"] == "failed"
