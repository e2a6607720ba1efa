"""Provider keys: several per provider, each with a label of its own, none twice, never shown."""

import threading
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.control.people import is_problem, unique
from tests.services.stack import User

FIELDS = {
    "id", "provider", "label", "scope", "masked_key", "enabled", "status", "status_detail", "is_default", "priority",
    "weight", "base_url", "model", "config", "allowed_models", "allowed_ips", "expires_at",
    "created_at", "last_tested_at", "last_used_at", "test", "hint",
}  # fmt: skip


def key(word: str = "key") -> str:
    return f"sk-test-{unique(word)}-abcdefghijklmnop"


def test_a_stored_key_is_shown_masked_and_never_again(user: User) -> None:
    secret = key("masked")
    stored = user.add_key("openai", secret, label=unique("masked"))
    assert set(stored) == FIELDS
    assert stored["masked_key"] == "sk-test-…mnop"
    assert (stored["status"], stored["test"], stored["last_tested_at"]) == ("untested", None, None)
    assert (stored["enabled"], stored["is_default"], stored["priority"], stored["weight"]) == (True, False, 100, 1)
    path = f"/credentials/{stored['id']}"
    answers = [
        user.api.get(path),
        user.api.get("/credentials"),
        user.api.patch(path, json={"priority": 5}),
        user.api.post(path + "/test"),
        user.api.get(path + "/usage"),
        user.api.post("/credentials", json={"provider": "openai", "api_key": secret}),
        user.api.post("/route/explain", json={"model": "openai/echo"}),
    ]
    assert not [answer for answer in answers if secret in answer.text]
    assert user.api.get(path).json()["priority"] == 5


def test_several_keys_of_a_provider_get_labels_of_their_own(stranger: User) -> None:
    labels = [stranger.add_key("groq", key())["label"] for _ in range(3)]
    assert labels == ["Groq", "Groq 2", "Groq 3"]


def test_a_label_is_used_once(user: User) -> None:
    first = user.add_key("openai", key(), label=unique("label"))
    second = user.add_key("anthropic", key(), label=unique("label"))
    body = {"provider": "openai", "api_key": key(), "label": f" {first['label']} ", "test": False}
    assert is_problem(user.api.post("/credentials", json=body), 409, "conflict")["param"] == "label"
    renamed = user.api.patch(f"/credentials/{second['id']}", json={"label": first["label"]})
    assert is_problem(renamed, 409, "conflict")["param"] == "label"
    as_id = user.api.patch(f"/credentials/{second['id']}", json={"label": first["id"]})
    is_problem(as_id, 409, "conflict")
    assert user.api.patch(f"/credentials/{first['id']}", json={"label": first["label"]}).status_code == 200


def test_a_key_is_stored_once_per_provider_and_address(user: User) -> None:
    secret = key("twice")
    first = user.add_key("openai", secret)
    again = user.api.post("/credentials", json={"provider": "openai", "api_key": f" {secret} "})
    told = is_problem(again, 409, "conflict")
    assert told["param"] == "api_key"
    assert first["label"] in told["detail"]
    assert user.add_key("mistral", secret)["id"] != first["id"], "another provider may have the same"
    other = user.add_key("openai", key())
    changed = user.api.patch(f"/credentials/{other['id']}", json={"api_key": secret})
    is_problem(changed, 409, "conflict")
    assert user.api.get(f"/credentials/{other['id']}").json() == other
    assert user.api.delete(f"/credentials/{first['id']}").status_code == 204
    user.add_key("openai", secret)


def test_the_same_key_of_two_users_is_nobodys_business(user: User, stranger: User) -> None:
    secret = key("shared")
    assert user.add_key("openai", secret)["id"] != stranger.add_key("openai", secret)["id"]


@pytest.mark.parametrize("same", ["api_key", "label"])
def test_of_identical_creates_at_the_same_time_one_succeeds(user: User, same: str) -> None:
    bodies: list[dict[str, Any]] = [
        {"provider": "openai", "api_key": key(), "label": unique("race"), "test": False} for _ in range(6)
    ]
    for body in bodies:
        body[same] = bodies[0][same]
    start = threading.Barrier(len(bodies))
    statuses: list[int] = []

    def create(body: dict[str, Any]) -> None:
        headers = user.api.headers
        start.wait()
        answer = httpx2.post(
            f"{user.api.base_url}credentials", json=body, headers=headers, trust_env=False, verify=False, timeout=30
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=create, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [409] * 5


def defaults(user: User) -> list[str]:
    return [row["id"] for row in user.api.get("/credentials?limit=200").json()["items"] if row["is_default"]]


def test_at_most_one_key_is_the_default(newcomer: Callable[[], User]) -> None:
    person = newcomer()
    ids = [person.add_key("openai", key())["id"] for _ in range(3)]
    assert defaults(person) == []
    for id_ in (ids[0], ids[2], ids[2], ids[1]):
        assert person.api.patch(f"/credentials/{id_}", json={"is_default": True}).json()["is_default"] is True
        assert defaults(person) == [id_]
    newest = person.add_key("anthropic", key(), is_default=True)["id"]
    assert defaults(person) == [newest]
    assert person.api.patch(f"/credentials/{ids[0]}", json={"is_default": False}).status_code == 200
    assert defaults(person) == [newest]
    for number in range(6):
        threads = [
            threading.Thread(
                target=person.api.patch, args=(f"/credentials/{id_}",), kwargs={"json": {"is_default": True}}
            )
            for id_ in ids
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(defaults(person)) == 1, number
    person.api.delete(f"/credentials/{defaults(person)[0]}")
    assert defaults(person) == []


def test_the_default_key_is_used_first(newcomer: Callable[[], User]) -> None:
    person = newcomer()
    first, second = (person.add_key("openai", key())["id"] for _ in range(2))
    for chosen in (second, first):
        person.api.patch(f"/credentials/{chosen}", json={"is_default": True})
        assert person.chat("openai/echo").headers["x-ownkey-credential"] == chosen


def test_a_disabled_key_is_not_used_until_enabled(newcomer: Callable[[], User]) -> None:
    person = newcomer()
    path = f"/credentials/{person.add_key('openai', key())['id']}"
    assert person.chat("openai/echo").status_code == 200
    assert person.api.patch(path, json={"enabled": False}).json()["enabled"] is False
    assert person.chat("openai/echo").status_code == 503
    assert person.api.patch(path, json={"enabled": True}).json()["enabled"] is True
    assert person.chat("openai/echo").status_code == 200


def test_keys_are_listed_oldest_first_page_by_page(newcomer: Callable[[], User]) -> None:
    person = newcomer()
    ids = [person.add_key("openai", key())["id"] for _ in range(3)]
    first = person.api.get("/credentials?limit=2").json()
    assert [row["id"] for row in first["items"]] == ids[:2]
    second = person.api.get("/credentials", params={"cursor": first["next_cursor"]}).json()
    assert [row["id"] for row in second["items"]] == ids[2:]
    assert second["next_cursor"] is None


def test_the_other_fields_are_kept_and_cleared(user: User) -> None:
    given = {
        "priority": 3,
        "weight": 7,
        "model": "gpt-5",
        "allowed_models": ["gpt-*", "openai/gpt-5"],
        "allowed_ips": ["192.0.2.7/24", "2001:db8::1"],
        "expires_at": "2031-05-06T07:08:09.123+02:00",
        "config": {"organization": "org-1"},
        "enabled": False,
    }
    stored = user.add_key("openai", key(), **given)
    kept = {
        "allowed_ips": ["192.0.2.0/24", "2001:db8::1/128"],
        "expires_at": "2031-05-06T05:08:09.123Z",
    }
    assert {name: stored[name] for name in given} == given | kept
    cleared: dict[str, Any] = dict.fromkeys(("model", "allowed_models", "allowed_ips", "expires_at", "config"))
    after = user.api.patch(f"/credentials/{stored['id']}", json=cleared).json()
    assert after == stored | cleared | {"config": {}}


@pytest.mark.parametrize(
    ("field", "value"), [("monthly_limit_usd", "12.50"), ("monthly_limit_usd", 5), ("team_id", "t")]
)
def test_what_is_not_yet_supported_is_refused_instead_of_ignored(user: User, field: str, value: object) -> None:
    told = is_problem(
        user.api.post("/credentials", json={"provider": "openai", "api_key": key(), field: value}),
        422,
        "invalid_request",
    )
    assert told["errors"] == [{"field": field, "message": "not yet supported: leave it out"}]


def test_a_limit_that_is_not_yet_supported_cannot_be_set_later(user: User) -> None:
    stored = user.add_key("openai", key(), monthly_limit_usd=None)
    told = user.api.patch(f"/credentials/{stored['id']}", json={"monthly_limit_usd": "1"})
    assert "not yet supported" in is_problem(told, 422, "invalid_request")["detail"]


def test_a_header_that_promises_no_second_creation_is_refused(user: User) -> None:
    body = {"provider": "openai", "api_key": key(), "test": False}
    told = user.api.post("/credentials", json=body, headers={"idempotency-key": "once"})
    assert "not yet supported" in is_problem(told, 400, "invalid_request")["detail"]


def test_an_expired_key_says_so_and_is_not_used(newcomer: Callable[[], User]) -> None:
    person = newcomer()
    stored = person.add_key("openai", key(), expires_at="2001-01-01T00:00:00Z")
    assert stored["status"] == "expired"
    assert person.chat("openai/echo").status_code == 503
    path = f"/credentials/{stored['id']}"
    assert person.api.patch(path, json={"expires_at": None}).json()["status"] == "untested"
    assert person.chat("openai/echo").status_code == 200


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, {}),
        (400, {"provider": "openai"}),
        (400, {"provider": "openai", "api_key": ""}),
        (400, {"provider": "openai", "api_key": "   "}),
        (400, {"provider": "nobody", "api_key": "k"}),
        (422, {"provider": 7, "api_key": "k"}),
        (422, {"provider": "openai", "api_key": None}),
        (422, {"provider": "openai", "api_key": "a b"}),
        (422, {"provider": "openai", "api_key": "a\r\nx-admin: 1"}),
        (422, {"provider": "openai", "api_key": "a\u0000"}),
        (422, {"provider": "openai", "api_key": "schlüssel"}),
        (422, {"provider": "openai", "api_key": "k" * 8193}),
        (422, {"provider": "openai", "api_key": "k", "label": "a\nb"}),
        (422, {"provider": "openai", "api_key": "k", "label": "\u202egnp"}),
        (422, {"provider": "openai", "api_key": "k", "label": "x" * 101}),
        (422, {"provider": "openai", "api_key": "k", "label": ""}),
        (422, {"provider": "openai", "api_key": "k", "priority": -1}),
        (422, {"provider": "openai", "api_key": "k", "priority": 1.5}),
        (422, {"provider": "openai", "api_key": "k", "weight": 10**400}),
        (422, {"provider": "openai", "api_key": "k", "weight": True}),
        (422, {"provider": "openai", "api_key": "k", "is_default": "true"}),
        (422, {"provider": "openai", "api_key": "k", "enabled": 1}),
        (422, {"provider": "openai", "api_key": "k", "allowed_ips": ["everywhere"]}),
        (422, {"provider": "openai", "api_key": "k", "allowed_models": "gpt-5"}),
        (422, {"provider": "openai", "api_key": "k", "expires_at": "2030-01-01"}),
        (422, {"provider": "openai", "api_key": "k", "config": {"a": 1}}),
        (422, {"provider": "openai", "api_key": "k", "config": {"A\r\n": "b"}}),
        (422, {"provider": "openai", "api_key": "k", "config": {"organization": "a\r\nx: y"}}),
        (400, {"provider": "openai", "api_key": "k", "config": {"organization": "a b"}}),
        (422, {"provider": "openai", "api_key": "k", "scope": "everyone"}),
        (403, {"provider": "openai", "api_key": "k", "scope": "platform"}),
        (403, {"provider": "openai", "api_key": "k", "scope": "team"}),
        (403, {"provider": "openai", "api_key": "k", "scope": "organization"}),
        (422, {"provider": "openai", "api_key": "k", "status": "valid"}),
        (422, {"provider": "openai", "api_key": "k", "owner_id": "somebody"}),
    ],
)
def test_a_wrong_key_is_not_stored(user: User, status: int, body: dict[str, Any]) -> None:
    def ids() -> list[str]:
        return [row["id"] for row in user.api.get("/credentials?limit=200").json()["items"]]

    before = ids()
    answer = user.api.post("/credentials", json=body | {"test": False})
    is_problem(answer, status, {403: "not_allowed"}.get(status, "invalid_request"))
    assert ids() == before


def test_platform_keys_are_the_operators_affair(user: User, operator: httpx2.Client) -> None:
    body = {"provider": "cohere", "api_key": key("platform"), "scope": "platform", "test": False}
    stored = operator.post("/credentials", json=body).json()
    try:
        assert stored["scope"] == "platform"
        path = f"/credentials/{stored['id']}"
        absent = user.api.get("/credentials/cred_none")
        for answer in (user.api.get(path), user.api.patch(path, json={}), user.api.delete(path)):
            assert (answer.status_code, answer.text) == (404, absent.text)
        assert stored["id"] not in user.api.get("/credentials?limit=200").text
        assert stored["id"] in operator.get("/credentials?limit=200").text
        assert operator.patch(path, json={"label": unique("platform")}).status_code == 200
    finally:
        assert operator.delete(f"/credentials/{stored['id']}").status_code == 204


def test_a_label_with_letters_of_any_script_chooses_nothing_else(user: User) -> None:
    label = f"Schlüssel {unique('ключ')} 🔑"
    stored = user.add_key("openai", key(), label=label)
    assert stored["label"] == label
    assert user.api.get(f"/credentials/{stored['id']}").json()["label"] == label


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"', '"'),
        ("GROQ_API_KEY=", "\n"),
        ("export GROQ_API_KEY='", "'"),
        ("Authorization: Bearer ", ""),
        ("\u200b", ","),
    ],
)
def test_what_a_key_is_pasted_with_is_taken_off(user: User, before: str, after: str) -> None:
    secret = f"gsk_{unique('pasted')}0123456789"
    stored = user.add_key("groq", before + secret + after)
    again = user.api.post("/credentials", json={"provider": "groq", "api_key": secret})
    assert stored["label"] in is_problem(again, 409, "conflict")["detail"], "the key alone was stored"
    changed = user.api.patch(f"/credentials/{stored['id']}", json={"api_key": f"'{secret}x'", "test": False})
    assert changed.status_code == 200
    again = user.api.post("/credentials", json={"provider": "groq", "api_key": f"{secret}x"})
    is_problem(again, 409, "conflict")


@pytest.mark.parametrize("path", ["/credentials", "/credentials/test"])
@pytest.mark.parametrize(
    "text",
    ["gsk_canary1\ngsk_canary2", "gsk_\u200bcanary", "gsk_canary\U0001f600", "gsk_\x00canary", "$GROQ_KEY", '{"a": '],
)
def test_what_is_not_plainly_one_key_is_rejected_and_not_stored(user: User, path: str, text: str) -> None:
    before = len(user.api.get("/credentials").json()["items"])
    rejected = user.api.post(path, json={"provider": "groq", "api_key": text})
    problem = is_problem(rejected, 422, "invalid_request")
    assert problem["errors"][0]["field"] == "api_key"
    assert "canary" not in rejected.text
    assert len(user.api.get("/credentials").json()["items"]) == before


def test_a_key_of_another_provider_gets_a_hint_and_is_stored(user: User) -> None:
    stored = user.add_key("openai", f"gsk_{unique('hinted')}0123456789")
    assert "Groq" in stored["hint"]
    assert user.api.get(f"/credentials/{stored['id']}").json()["hint"] is None
    changed = user.api.patch(f"/credentials/{stored['id']}", json={"api_key": key(), "test": False})
    assert changed.json()["hint"] is None
    tested = user.api.post("/credentials/test", json={"provider": "openai", "api_key": "gsk_canary0123456789"})
    assert "Groq" in tested.json()["hint"]


def test_a_provider_is_known_by_its_other_name_too(user: User) -> None:
    stored = user.add_key("google", "AIza" + "x" * 35)
    assert stored["provider"] == "gemini"
    assert user.api.get("/providers/google/logo.svg").status_code == 200
    query = {"filter": "provider:google"}
    assert (
        user.api.get("/models", params=query).json()
        == user.api.get("/models", params={"filter": "provider:gemini"}).json()
    )
    wrong = is_problem(
        user.api.post("/credentials", json={"provider": "goggle", "api_key": "k"}), 400, "invalid_request"
    )
    assert "google" in wrong["detail"]
