"""Failover: the next key of the same payer answers, the receipt tells why, and a request's own fault stays its own."""

from collections.abc import Callable

import pytest
from tests.gateway.conftest import Workshop
from tests.gateway.upstream import Reply, chat_answer, refusal
from tests.services.stack import User

Add = Callable[..., str]


@pytest.fixture
def add(workshop: Workshop, user: User, new_key: str) -> Add:
    """Store a key at the scripted provider, tried in the order of adding; its id."""
    order = iter(range(1, 10))

    def add(*replies: Reply, **more: object) -> str:
        number = next(order)
        key = f"{new_key}-{number}"
        workshop.upstream.script(key, *replies)
        fields = {"base_url": workshop.upstream.url + "/v1", "priority": number, "label": f"key {number}"} | more
        return user.add_key("custom", key, **fields)["id"]

    return add


@pytest.mark.parametrize("status", [401, 402, 403, 408, 429, 500, 502, 503, 529])
def test_the_second_key_answers_when_the_first_is_refused(user: User, add: Add, status: int) -> None:
    first, second = add(refusal(status)), add(chat_answer("from the second"))
    answered = user.chat("custom/m")
    assert answered.status_code == 200, answered.text
    assert answered.json()["choices"][0]["message"]["content"] == "from the second"
    assert answered.headers["x-ownkey-credential"] == second
    assert answered.headers["x-ownkey-attempts"] == "2"
    made = user.receipt(answered)["attempts_made"]
    assert [(attempt["credential_id"], attempt["status"]) for attempt in made] == [(first, status), (second, 200)]
    assert made[1]["outcome"] == "answered"


@pytest.mark.parametrize("status", [400, 405, 413, 415, 422])
def test_the_requests_own_fault_is_not_tried_elsewhere(
    workshop: Workshop, user: User, add: Add, new_key: str, status: int
) -> None:
    add(refusal(status, "your fault"))
    add(chat_answer())
    answered = user.chat("custom/m")
    assert answered.status_code == status
    assert answered.json()["error"]["message"] == "your fault"
    assert answered.headers["x-ownkey-attempts"] == "1"
    assert not workshop.upstream.seen(f"{new_key}-2")


def test_a_refused_connection_fails_over(workshop: Workshop, user: User, add: Add) -> None:
    add(base_url=workshop.dead + "/v1")
    second = add(chat_answer())
    answered = user.chat("custom/m")
    assert answered.status_code == 200, answered.text
    assert answered.headers["x-ownkey-credential"] == second
    assert [attempt["outcome"] for attempt in user.receipt(answered)["attempts_made"]] == ["upstream_error", "answered"]


def test_a_connection_lost_before_the_answer_fails_over(user: User, add: Add) -> None:
    add(b"")
    add(chat_answer())
    assert user.chat("custom/m").headers["x-ownkey-attempts"] == "2"


def test_the_last_refusal_is_told_when_every_key_fails(user: User, add: Add) -> None:
    add(refusal(500, "first"))
    add(refusal(503, "second"))
    answered = user.chat("custom/m")
    assert (answered.status_code, answered.json()["error"]["message"]) == (503, "second")
    assert answered.headers["x-ownkey-attempts"] == "2"
    receipt = user.receipt(answered)
    assert (receipt["status"], receipt["http_status"], receipt["error"]) == ("failed", 503, "upstream_error")
    assert receipt["usage_reported"] is False
    assert receipt["output_tokens"] == receipt["input_tokens"] == 0


def test_nothing_reached_is_502(workshop: Workshop, user: User, add: Add) -> None:
    add(base_url=workshop.dead + "/v1")
    answered = user.chat("custom/m")
    assert answered.status_code == 502
    assert answered.json()["error"]["code"] == "upstream_error"
    assert user.receipt(answered)["status"] == "failed"


@pytest.mark.parametrize("status", [301, 302, 307, 308, 304])
def test_a_redirect_is_neither_followed_nor_passed_on(
    workshop: Workshop, user: User, add: Add, new_key: str, status: int
) -> None:
    add(refusal(status, "moved", f"location: {workshop.upstream.url}/elsewhere"))
    answered = user.chat("custom/m")
    assert answered.status_code == 502
    assert "location" not in answered.headers
    assert answered.json()["error"]["code"] == "upstream_error"
    assert [seen.path for seen in workshop.upstream.seen(f"{new_key}-1")] == ["/v1/chat/completions"]
    add(chat_answer())
    assert user.chat("custom/m").status_code == 200


def test_a_redirecting_key_fails_over(user: User, add: Add) -> None:
    add(refusal(302))
    add(chat_answer())
    assert user.chat("custom/m").headers["x-ownkey-attempts"] == "2"


def test_a_log_in_page_is_no_answer_and_proves_nothing_about_the_key(user: User, add: Add) -> None:
    page = b"<html>please log in</html>"
    first = add(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n%b" % (len(page), page))
    alone = user.chat("custom/m")
    assert alone.status_code == 502
    assert alone.json()["error"]["code"] == "upstream_error"
    add(chat_answer())
    assert user.chat("custom/m").status_code == 200
    assert user.api.get(f"/credentials/{first}").json()["status"] == "untested"


def test_priorities_order_the_keys(user: User, add: Add) -> None:
    add(chat_answer(), priority=7)
    favourite = add(chat_answer(), priority=2)
    assert {user.chat("custom/m").headers["x-ownkey-credential"] for _ in range(5)} == {favourite}


def test_the_default_key_comes_first(user: User, add: Add) -> None:
    add(chat_answer(), priority=1)
    default = add(chat_answer(), priority=9, is_default=True)
    assert user.chat("custom/m").headers["x-ownkey-credential"] == default


def test_weights_split_the_traffic(user: User, add: Add) -> None:
    heavy = add(chat_answer(), priority=1, weight=9)
    light = add(chat_answer(), priority=1, weight=1)
    never = add(chat_answer(), priority=1, weight=0)
    chosen = [user.chat("custom/m").headers["x-ownkey-credential"] for _ in range(80)]
    assert chosen.count(heavy) > chosen.count(light)
    assert chosen.count(heavy) > 50
    assert chosen.count(never) == 0


def test_a_key_is_chosen_by_id_and_by_label_and_by_nothing_else(user: User, add: Add) -> None:
    add(chat_answer(), label="erste")
    second = add(chat_answer(), label="zweite Wahl")
    for name in (second, "zweite Wahl"):
        answered = user.chat("custom/m", headers={"x-ownkey-credential": name})
        assert answered.headers["x-ownkey-credential"] == second
    unknown = user.chat("custom/m", headers={"x-ownkey-credential": "zweite"})
    assert unknown.status_code == 503
    assert unknown.json()["error"]["code"] == "no_healthy_credential"
    assert unknown.headers["x-should-retry"] == "false"


def test_a_chosen_key_is_not_left_for_another(user: User, add: Add) -> None:
    add(chat_answer())
    broken = add(refusal(500, "broken"))
    answered = user.chat("custom/m", headers={"x-ownkey-credential": broken})
    assert (answered.status_code, answered.json()["error"]["message"]) == (500, "broken")


def test_a_disabled_key_is_not_used(user: User, add: Add) -> None:
    first = add(chat_answer())
    assert user.api.patch(f"/credentials/{first}", json={"enabled": False}).status_code == 200
    answered = user.chat("custom/m")
    assert answered.status_code == 503
    assert "disabled" in answered.json()["error"]["message"]


def test_a_refused_plan_is_recorded_too(user: User) -> None:
    answered = user.chat("anthropic/claude-sonnet-4.5")
    assert answered.status_code == 503
    receipt = user.receipt(answered)
    assert (receipt["status"], receipt["error"]) == ("failed", "no_healthy_credential")
    assert (receipt["provider"], receipt["attempts"]) == ("", 0)


def test_explain_says_what_then_happens(user: User, add: Add) -> None:
    first, second = add(refusal(500)), add(chat_answer())
    told = user.api.post("/route/explain", json={"model": "custom/m"}).json()
    assert [attempt["credential_id"] for attempt in told["attempts"]] == [first, second]
    answered = user.chat("custom/m")
    made = user.receipt(answered)["attempts_made"]
    assert [attempt["credential_id"] for attempt in made] == [first, second]
    # The first has failed just now and goes last.
    told = user.api.post("/route/explain", json={"model": "custom/m"}).json()
    assert [attempt["credential_id"] for attempt in told["attempts"]] == [second, first]
    assert user.chat("custom/m").headers["x-ownkey-credential"] == second


def test_explain_tells_the_refusal_that_then_comes(user: User) -> None:
    told = user.api.post("/route/explain", json={"model": "no-such-thing"}).json()["refusal"]
    answered = user.chat("no-such-thing")
    assert answered.status_code == told["status"] == 404
    assert answered.json()["error"]["code"] == told["code"] == "model_not_found"
    assert answered.json()["error"]["message"] == told["message"]
