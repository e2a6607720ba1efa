"""Keys are tried with their providers: before saving and after, five times a minute."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.control.people import database, is_problem, unique
from tests.services.stack import Stack, User


def key(word: str = "good") -> str:
    return f"sk-test-{word}-{unique('x')}-abcdefgh"


STATES = [
    ("fine", "valid", True),
    ("invalid", "invalid", False),
    ("limited", "rate-limited", False),
    ("broke", "quota-exhausted", False),
    ("revoked", "revoked", False),
]


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_test_tells_what_is_wrong_with_a_key(tester: User, provider: str) -> None:
    before = tester.api.get("/credentials").json()
    for word, status, success in STATES:
        secret = key(word)
        answer = tester.api.post("/credentials/test", json={"provider": provider, "api_key": secret})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert (found["status"], found["success"]) == (status, success)
        assert found["message"]
        assert found["latency_ms"] >= 0
        step = {"name": "key check", "ok": success, "message": found["message"], "ms": found["latency_ms"]}
        assert found["steps"] == [step]
        assert secret not in answer.text
    assert tester.api.get("/credentials").json() == before


def test_a_key_is_tested_when_it_is_stored_and_stored_whatever_is_found(tester: User) -> None:
    for word, status, success in STATES:
        answer = tester.api.post("/credentials", json={"provider": "openai", "api_key": key(word)})
        assert answer.status_code == 201
        stored = answer.json()
        assert stored["status"] == stored["test"]["status"] == status
        assert stored["test"]["success"] is success
        assert bool(stored["status_detail"]) is not success
        assert stored["last_tested_at"] is not None
        again = tester.api.get(f"/credentials/{stored['id']}").json()
        assert again == stored | {"test": None}
    sixth = tester.api.post("/credentials", json={"provider": "openai", "api_key": key()}).json()
    assert (sixth["status"], sixth["test"]) == ("untested", None), "the minute's tests are used up; storing goes on"


def test_five_tests_a_minute_then_wait(tester: User, stranger: User) -> None:
    stored = tester.add_key("openai", key())
    path = f"/credentials/{stored['id']}/test"
    unsaved = {"provider": "openai", "api_key": key()}
    answers = [tester.api.post(path) for _ in range(3)]
    answers += [tester.api.post("/credentials/test", json=unsaved) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200] * 5
    for refused in (tester.api.post(path), tester.api.post("/credentials/test", json=unsaved)):
        is_problem(refused, 429, "rate_limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert stranger.api.post("/credentials/test", json=unsaved).status_code == 200


def test_what_cannot_be_tested_costs_no_test(tester: User) -> None:
    for _ in range(6):
        for body in (
            {"provider": "nobody", "api_key": "k"},
            {"provider": "openai"},
            {"provider": "openai", "api_key": ""},
        ):
            is_problem(tester.api.post("/credentials/test", json=body), 400, "invalid_request")
        assert tester.api.post("/credentials/cred_none/test").status_code == 404
    assert tester.api.post("/credentials/test", json={"provider": "openai", "api_key": key()}).status_code == 200


def test_testing_a_stored_key_records_its_health(tester: User) -> None:
    stored = tester.add_key("openai", key("invalid"))
    assert stored["status"] == "untested"
    found = tester.api.post(f"/credentials/{stored['id']}/test").json()
    after = tester.api.get(f"/credentials/{stored['id']}").json()
    assert after["status"] == found["status"] == "invalid"
    assert after["status_detail"] == found["message"]
    assert after["last_tested_at"] is not None


def test_a_new_key_is_tested_and_used_at_once(newcomer: Callable[[], User]) -> None:
    person = newcomer()
    stored = person.api.post("/credentials", json={"provider": "openai", "api_key": key("revoked")}).json()
    path = f"/credentials/{stored['id']}"
    assert person.chat("openai/echo").status_code == 403
    good = key()
    changed = person.api.patch(path, json={"api_key": good})
    assert good not in changed.text
    body = changed.json()
    assert body["status"] == body["test"]["status"] == "valid"
    assert (body["id"], body["label"], body["status_detail"]) == (stored["id"], stored["label"], "")
    assert person.chat("openai/echo").status_code == 200
    untested = person.api.patch(path, json={"api_key": key("limited"), "test": False}).json()
    assert (untested["status"], untested["test"], untested["last_tested_at"]) == ("untested", None, None)


def test_a_key_that_does_not_decrypt_says_so(stack: Stack, newcomer: Callable[[], User]) -> None:
    person = newcomer()
    stored = person.add_key("openai", key())
    with database(stack) as tables:
        (sealed,) = tables.execute("SELECT sealed FROM credentials WHERE id = ?", (stored["id"],)).fetchone()
        broken = sealed[:-1] + bytes([sealed[-1] ^ 1])
        tables.execute("UPDATE credentials SET sealed = ? WHERE id = ?", (broken, stored["id"]))
    found = person.api.post(f"/credentials/{stored['id']}/test")
    assert found.status_code == 200
    assert (found.json()["status"], found.json()["success"]) == ("undecryptable", False)
    assert person.api.get(f"/credentials/{stored['id']}").json()["status"] == "undecryptable"
    assert person.chat("openai/echo").status_code == 503
    healed = person.api.patch(f"/credentials/{stored['id']}", json={"api_key": key()}).json()
    assert healed["status"] == "valid"
    assert person.chat("openai/echo").status_code == 200


def seen_by_provider(stack: Stack, suffix: str) -> list[dict[str, Any]]:
    url = stack.sandbox.url + "/__sandbox/requests"
    return httpx2.get(url, params={"key_suffix": suffix}, trust_env=False, verify=False).json()["requests"]


def test_a_duplicate_costs_no_call(stack: Stack, tester: User) -> None:
    secret = key()
    stored = tester.add_key("openai", secret)
    assert tester.api.post("/credentials", json={"provider": "openai", "api_key": secret}).status_code == 409
    taken = {"provider": "openai", "api_key": key() + secret[-4:], "label": stored["label"]}
    assert tester.api.post("/credentials", json=taken).status_code == 409
    assert seen_by_provider(stack, secret) == []
    assert seen_by_provider(stack, taken["api_key"]) == []
