"""What providers answer is seen on the key: its state, its rest, its last use."""

import time

import pytest
from tests.gateway.conftest import Workshop, until
from tests.gateway.upstream import chat_answer, refusal
from tests.services.stack import User


def status_of(user: User, credential: str) -> str:
    return user.api.get(f"/credentials/{credential}").json()["status"]


def changes_to(user: User, credential: str, status: str) -> None:
    """Wait until the gateway has written the state it saw."""
    until(lambda: status_of(user, credential) == status, f"the key to be {status}")


@pytest.mark.parametrize(
    ("mood", "status"), [("invalid", "invalid"), ("broke", "quota-exhausted"), ("revoked", "revoked")]
)
def test_a_refused_key_shows_why_and_is_valid_again_after_a_good_answer(
    user: User, new_key: str, mood: str, status: str
) -> None:
    credential = user.add_key("openai", f"{new_key}-{mood}")["id"]
    assert status_of(user, credential) == "untested"
    assert user.chat("openai/echo").status_code >= 400
    changes_to(user, credential, status)
    assert user.api.get(f"/credentials/{credential}").json()["status_detail"]
    assert user.api.patch(f"/credentials/{credential}", json={"api_key": f"{new_key}-mended"}).status_code == 200
    assert user.chat("openai/echo").status_code == 200
    changes_to(user, credential, "valid")
    assert user.api.get(f"/credentials/{credential}").json()["status_detail"] == ""


def test_an_ailing_key_is_tried_again_and_mends_by_itself(workshop: Workshop, user: User, new_key: str) -> None:
    workshop.upstream.script(new_key, refusal(401), chat_answer())
    credential = user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")["id"]
    assert user.chat("custom/m").status_code == 401
    changes_to(user, credential, "invalid")
    assert user.chat("custom/m").status_code == 200
    changes_to(user, credential, "valid")


def test_an_ailing_key_goes_behind_a_healthy_one(workshop: Workshop, user: User, new_key: str) -> None:
    ailing = user.add_key("openai", f"{new_key}-invalid", priority=1)["id"]
    healthy = user.add_key("openai", f"{new_key}-good", priority=2)["id"]
    assert user.chat("openai/echo").headers["x-ownkey-attempts"] == "2"
    changes_to(user, ailing, "invalid")
    for _ in range(3):
        answered = user.chat("openai/echo")
        assert answered.headers["x-ownkey-credential"] == healthy
        assert answered.headers["x-ownkey-attempts"] == "1"


def test_a_permission_or_server_error_says_nothing_about_the_key(workshop: Workshop, user: User, new_key: str) -> None:
    workshop.upstream.script(new_key, refusal(403, "not for you"), refusal(500), refusal(404), chat_answer())
    credential = user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")["id"]
    assert [user.chat("custom/m").status_code for _ in range(4)] == [403, 500, 404, 200]
    changes_to(user, credential, "valid")


def test_a_key_told_to_wait_is_left_alone_until_then(workshop: Workshop, user: User, new_key: str) -> None:
    workshop.upstream.script(new_key, refusal(429, "slow down", "retry-after: 100"), chat_answer())
    credential = user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")["id"]
    first = user.chat("custom/m")
    assert (first.status_code, first.headers["retry-after"]) == (429, "100")
    waiting = user.chat("custom/m")
    assert waiting.status_code == 429
    assert waiting.json()["error"]["code"] == "rate_limited"
    assert 1 <= int(waiting.headers["retry-after"]) <= 100
    assert len(workshop.upstream.seen(new_key)) == 1
    told = user.api.post("/route/explain", json={"model": "custom/m"}).json()
    assert told["refusal"]["status"] == 429
    assert {drop["reason"] for drop in told["dropped"] if drop["credential_id"] == credential} == {"cooling_down"}


def test_a_key_told_to_wait_serves_again_after_that(workshop: Workshop, user: User, new_key: str) -> None:
    workshop.upstream.script(new_key, refusal(429, "slow down", "retry-after: 1"), chat_answer())
    credential = user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")["id"]
    began = time.monotonic()
    assert user.chat("custom/m").status_code == 429
    until(lambda: user.chat("custom/m").status_code == 200, "the wait to be over")
    assert time.monotonic() - began >= 0.9
    assert len(workshop.upstream.seen(new_key)) == 2
    changes_to(user, credential, "valid")


def test_the_other_key_serves_while_the_first_waits(workshop: Workshop, user: User, new_key: str) -> None:
    workshop.upstream.script(f"{new_key}-1", refusal(429, "slow down", "retry-after: 30"))
    url = workshop.upstream.url + "/v1"
    user.add_key("custom", f"{new_key}-1", base_url=url, priority=1)
    second = user.add_key("custom", f"{new_key}-2", base_url=url, priority=2)["id"]
    answers = [user.chat("custom/m") for _ in range(3)]
    assert {answered.headers["x-ownkey-credential"] for answered in answers} == {second}
    assert [answered.headers["x-ownkey-attempts"] for answered in answers] == ["2", "1", "1"]
    assert len(workshop.upstream.seen(f"{new_key}-1")) == 1


def test_a_limit_on_one_model_leaves_the_others_alone(workshop: Workshop, user: User, new_key: str) -> None:
    workshop.upstream.script(new_key, refusal(429, "slow down", "retry-after: 30"), chat_answer())
    user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")
    assert user.chat("custom/busy").status_code == 429
    assert user.chat("custom/busy").status_code == 429
    assert user.chat("custom/other").status_code == 200


def test_changing_a_key_ends_its_rest(workshop: Workshop, user: User, new_key: str) -> None:
    workshop.upstream.script(new_key, refusal(429, "slow down", "retry-after: 600"))
    credential = user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")["id"]
    assert user.chat("custom/m").status_code == 429
    user.api.patch(f"/credentials/{credential}", json={"api_key": f"{new_key}-new"})
    assert user.chat("custom/m").status_code == 200


def test_last_uses_of_both_kinds_of_keys_are_noted(workshop: Workshop, user: User, new_key: str) -> None:
    credential = user.add_key("openai", new_key)["id"]
    assert user.api.get(f"/credentials/{credential}").json()["last_used_at"] is None
    made = user.api.post("/api-keys", json={"name": "used once", "scopes": ["gateway"]}).json()
    headers = {"authorization": f"Bearer {made['key']}"}
    assert user.chat("openai/echo", headers=headers).status_code == 200

    def noted() -> bool:
        listed = user.api.get("/api-keys").json()["items"]
        key_used = next(row["last_used_at"] for row in listed if row["id"] == made["id"])
        return bool(key_used and user.api.get(f"/credentials/{credential}").json()["last_used_at"])

    until(noted, "the last uses")
