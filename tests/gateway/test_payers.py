"""Who pays is never a surprise: the platform's key serves exactly as the user's preferences allow."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.gateway.conftest import PLATFORM_KEY, Requests, Workshop, until
from tests.gateway.upstream import refusal
from tests.services.stack import Process, Stack, User

PLATFORM_CREDENTIAL = "cred_environment_openai"


def prefer(user: User, **preferences: object) -> None:
    answered = user.api.put("/preferences", json=preferences)
    assert answered.status_code == 200, answered.text


def test_without_a_key_of_ones_own_the_platform_pays(user: User) -> None:
    answered = user.chat("openai/gpt-5-mini")
    assert answered.status_code == 200
    assert answered.headers["x-ownkey-payer"] == "platform"
    assert answered.headers["x-ownkey-credential"] == PLATFORM_CREDENTIAL
    assert float(answered.headers["x-ownkey-credits-charged"]) > 0
    receipt = user.receipt(answered)
    assert receipt["payer"] == "platform"
    assert receipt["charged_usd"] == receipt["list_cost_usd"] == answered.headers["x-ownkey-credits-charged"]


def test_never_means_never(user: User) -> None:
    prefer(user, paid_fallback="never")
    answered = user.chat("openai/gpt-5-mini")
    assert answered.status_code == 503
    assert answered.json()["error"]["code"] == "no_healthy_credential"
    assert "x-ownkey-payer" not in answered.headers


@pytest.mark.parametrize("mode", ["own_key", "custom"])
def test_other_modes_leave_the_platforms_key_alone(user: User, mode: str) -> None:
    prefer(user, mode=mode, paid_fallback="always")
    assert user.chat("openai/gpt-5-mini").status_code == 503


def test_the_mode_custom_uses_own_endpoints_only(workshop: Workshop, user: User, new_key: str) -> None:
    user.add_key("openai", new_key)
    prefer(user, mode="custom")
    assert user.chat("openai/gpt-5-mini").status_code == 503
    own = user.add_key("openai", f"{new_key}-own", base_url=workshop.upstream.url + "/v1")["id"]
    answered = user.chat("openai/gpt-5-mini")
    assert answered.status_code == 200
    assert answered.headers["x-ownkey-credential"] == own


@pytest.mark.parametrize("mood", ["invalid", "limited", "broke", "revoked"])
def test_a_failing_own_key_is_not_silently_replaced_by_the_platforms(
    user: User, sandbox_requests: Requests, new_key: str, mood: str
) -> None:
    user.add_key("openai", f"{new_key}-{mood}")
    before = len(sandbox_requests(PLATFORM_KEY[-4:]))
    for _ in range(3):
        answered = user.chat("openai/gpt-5-mini")
        assert answered.status_code in (401, 403, 429)
        assert answered.headers.get("x-ownkey-payer", "user") == "user"
    assert len(sandbox_requests(PLATFORM_KEY[-4:])) == before


def test_a_disabled_own_key_does_not_make_the_platform_pay_for_what_it_may_not_serve(user: User, new_key: str) -> None:
    credential = user.add_key("openai", new_key)["id"]
    user.api.patch(f"/credentials/{credential}", json={"expires_at": "2020-01-01T00:00:00Z"})
    answered = user.chat("openai/gpt-5-mini")
    assert answered.status_code == 503
    assert "expiry" in answered.json()["error"]["message"]


def test_always_lets_the_platform_pay_after_the_own_key_failed(user: User, new_key: str) -> None:
    own = user.add_key("openai", f"{new_key}-invalid")["id"]
    prefer(user, paid_fallback="always")
    answered = user.chat("openai/gpt-5-mini")
    assert answered.status_code == 200
    assert answered.headers["x-ownkey-payer"] == "platform"
    assert answered.headers["x-ownkey-attempts"] == "2"
    receipt = user.receipt(answered)
    assert [(made["credential_id"], made["payer"]) for made in receipt["attempts_made"]] == [
        (own, "user"),
        (PLATFORM_CREDENTIAL, "platform"),
    ]


def test_with_always_the_own_key_still_comes_first(user: User, new_key: str) -> None:
    user.add_key("openai", new_key)
    prefer(user, paid_fallback="always")
    answered = user.chat("openai/gpt-5-mini")
    assert (answered.headers["x-ownkey-payer"], answered.headers["x-ownkey-credits-charged"]) == ("user", "0")


def test_eu_processing_can_be_required(user: User, new_key: str) -> None:
    user.add_key("openai", new_key)
    user.add_key("mistral", f"{new_key}-eu")
    prefer(user, require_eu=True)
    refused = user.chat("openai/gpt-5-mini")
    assert refused.status_code == 451
    assert refused.json()["error"]["code"] == "residency_not_satisfied"
    told = user.api.post("/route/explain", json={"model": "openai/gpt-5-mini"}).json()
    assert told["refusal"]["status"] == 451
    assert user.chat("mistral/mistral-large-latest").status_code == 200
    as_message = user.gateway.post("/v1/messages", json={"model": "openai/gpt-5-mini", "max_tokens": 5, "messages": []})
    assert as_message.status_code == 451
    assert as_message.json()["error"]["type"] == "permission_error"


def test_an_unknown_endpoint_promises_no_eu_processing(workshop: Workshop, user: User, new_key: str) -> None:
    user.add_key("mistral", new_key, base_url=workshop.upstream.url + "/v1")
    prefer(user, require_eu=True)
    assert user.chat("mistral/mistral-large-latest").status_code == 451
    assert not workshop.upstream.seen(new_key)


def test_a_failing_own_endpoint_does_not_hand_its_key_to_another_address(
    workshop: Workshop, user: User, sandbox_requests: Requests, new_key: str
) -> None:
    workshop.upstream.script(new_key, refusal(500))
    user.add_key("openai", new_key, base_url=workshop.upstream.url + "/v1")
    assert user.chat("openai/gpt-5-mini").status_code == 500
    assert not sandbox_requests(new_key[-9:])


@pytest.fixture(scope="module")
def vandalised(sandbox: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with a platform key, for tests that damage the database."""
    running = Stack(tmp_path_factory.mktemp("vandalised"), sandbox, OWNKEY_PLATFORM_KEY_OPENAI=PLATFORM_KEY)
    yield running
    running.stop()


def damage(stack: Stack, credential: str) -> None:
    with sqlite3.connect(stack.data_dir / "ownkey.db", timeout=10) as database:
        row = database.execute("SELECT sealed FROM credentials WHERE id = ?", (credential,)).fetchone()
        sealed = bytearray(row[0])
        sealed[-1] ^= 1
        database.execute("UPDATE credentials SET sealed = ? WHERE id = ?", (bytes(sealed), credential))
    database.close()


@pytest.mark.parametrize("paid_fallback", ["when_no_key", "always"])
def test_an_unreadable_key_fails_closed_and_nobody_else_pays(vandalised: Stack, paid_fallback: str) -> None:
    user = vandalised.user(f"owner-{paid_fallback}")
    credential = user.add_key("openai", "sk-own-0001")["id"]
    prefer(user, paid_fallback=paid_fallback)
    damage(vandalised, credential)
    fails_closed(user, user.chat("openai/gpt-5-mini"))
    until(lambda: user.api.get(f"/credentials/{credential}").json()["status"] == "undecryptable", "the state")
    if paid_fallback == "when_no_key":
        until(lambda: not explain(user)["attempts"], "the plan to leave the key out")
        assert explain(user)["refusal"]["code"] == "secret_unreadable"
        fails_closed(user, user.chat("openai/gpt-5-mini"))


def explain(user: User) -> dict[str, Any]:
    return user.api.post("/route/explain", json={"model": "openai/gpt-5-mini"}).json()


def fails_closed(user: User, answered: httpx2.Response) -> None:
    assert answered.status_code == 503, answered.text
    assert answered.json()["error"]["code"] == "secret_unreadable"
    assert answered.headers["x-should-retry"] == "false"
    receipt = user.receipt(answered)
    assert (receipt["status"], receipt["error"], receipt["charged_usd"]) == ("failed", "secret_unreadable", "0")
    assert all(made["payer"] == "user" for made in receipt["attempts_made"])
