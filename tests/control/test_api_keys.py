"""Ownkey's own API keys: shown once, bound to their scopes and limits, gone when revoked."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from tests.control.people import browser, database, is_problem, unique
from tests.services.stack import Stack, User

from ownkey.domain.api_key import is_api_key


@pytest.fixture(scope="module")
def session(stack: Stack, user: User) -> Iterator[httpx2.Client]:
    user.add_key("openai", "sk-test-api-keys-0001")
    with browser(stack, user.email) as client:
        yield client


def make(maker: httpx2.Client, **more: Any) -> dict[str, Any]:
    answer = maker.post("/api-keys", json={"name": unique("key")} | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def ask(stack: Stack, key: str, model: str = "openai/echo", **headers: str) -> httpx2.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    headers = {"authorization": f"Bearer {key}"} | headers
    return httpx2.post(
        stack.url + "/v1/chat/completions", json=body, headers=headers, trust_env=False, verify=False, timeout=30.0
    )


def manage(stack: Stack, key: str, method: str = "GET", path: str = "/me", **more: Any) -> httpx2.Response:
    headers = {"authorization": f"Bearer {key}"}
    return httpx2.request(
        method, f"{stack.url}/api/v1{path}", headers=headers, trust_env=False, verify=False, timeout=30.0, **more
    )


def later(**delta: float) -> str:
    return (datetime.now(UTC) + timedelta(**delta)).isoformat()


def test_a_key_is_shown_once(stack: Stack, session: httpx2.Client) -> None:
    made = make(session, name="laptop")
    key = made.pop("key")
    assert is_api_key(key)
    assert made["scopes"] == ["gateway"]
    assert (made["models"], made["allowed_ips"], made["expires_at"], made["last_used_at"]) == (None, None, None, None)
    assert made["limits"] == {"requests_per_minute": None}
    assert made["prefix"] == f"{key[:7]}…{key[-4:]}"
    path = f"/api-keys/{made['id']}"
    changed = session.patch(path, json={"name": "laptop 2"})
    later_answers = [session.get(path), session.get("/api-keys"), changed, session.get("/me")]
    assert not [answer for answer in later_answers if key in answer.text or key[8:40] in answer.text]
    assert session.get(path).json() == made | {"name": "laptop 2"}
    with database(stack) as tables:
        row = tables.execute("SELECT * FROM api_keys WHERE id = ?", (made["id"],)).fetchone()
    assert key not in str(row)
    assert key[8:40] not in str(row)


def test_a_gateway_key_cannot_manage_and_a_managing_one_cannot_call_models(
    stack: Stack, session: httpx2.Client
) -> None:
    calling, managing = make(session)["key"], make(session, scopes=["manage"])["key"]
    assert ask(stack, calling).status_code == 200
    assert manage(stack, managing).status_code == 200
    for method, path in [("GET", "/me"), ("POST", "/api-keys"), ("GET", "/credentials"), ("DELETE", "/me")]:
        is_problem(manage(stack, calling, method, path, json=None if method == "GET" else {}), *REFUSED)
    assert ask(stack, managing).status_code == 403
    with browser(stack) as client:
        answer = client.get("/me", headers={"x-api-key": managing})
        assert answer.json()["signed_in_by"] == "api_key"


REFUSED = (403, "not_allowed")


def test_a_bad_key_is_not_made_good_by_a_cookie(session: httpx2.Client) -> None:
    for headers in ({"authorization": "Bearer nonsense"}, {"authorization": "Bearer"}, {"x-api-key": "ok_x"}):
        is_problem(session.get("/me", headers=headers), 401, "invalid_api_key")


def test_a_revoked_key_stops_at_once_and_looks_absent(stack: Stack, session: httpx2.Client) -> None:
    made = make(session, scopes=["gateway", "manage"])
    assert ask(stack, made["key"]).status_code == 200
    assert session.delete(f"/api-keys/{made['id']}").status_code == 204
    assert ask(stack, made["key"]).status_code == 401
    is_problem(manage(stack, made["key"]), 401, "invalid_api_key")
    for method in ("GET", "PATCH", "DELETE"):
        body = {"name": "x"} if method == "PATCH" else None
        is_problem(session.request(method, f"/api-keys/{made['id']}", json=body), 404, "not_found")
    assert made["id"] not in session.get("/api-keys").text


def test_a_key_ends_when_it_expires(stack: Stack, session: httpx2.Client) -> None:
    made = make(session, scopes=["gateway", "manage"], expires_at=later(hours=1))
    assert ask(stack, made["key"]).status_code == 200
    assert datetime.fromisoformat(made["expires_at"]).timestamp() == pytest.approx(time.time() + 3600, abs=60)
    gone = session.patch(f"/api-keys/{made['id']}", json={"expires_at": later(seconds=-1)})
    assert gone.status_code == 200
    assert ask(stack, made["key"]).status_code == 401
    is_problem(manage(stack, made["key"]), 401, "invalid_api_key")
    assert session.patch(f"/api-keys/{made['id']}", json={"expires_at": None}).json()["expires_at"] is None
    assert ask(stack, made["key"]).status_code == 200


@pytest.mark.parametrize(
    "expires_at",
    [
        "2030-01-01T00:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "yesterday",
        "",
        1e300,
        True,
        -62135596800,
        "99999999999999999999",
    ],
)
def test_what_is_no_usable_time_is_refused(session: httpx2.Client, expires_at: object) -> None:
    answer = session.post("/api-keys", json={"name": "x", "expires_at": expires_at})
    is_problem(answer, 422, "invalid_request")


def test_a_key_works_from_its_addresses_alone(stack: Stack, session: httpx2.Client) -> None:
    home = make(session, scopes=["gateway", "manage"], allowed_ips=["127.0.0.1", "2001:db8::1/32"])
    assert home["allowed_ips"] == ["127.0.0.1/32", "2001:db8::/32"]
    assert ask(stack, home["key"]).status_code == 200
    away = make(session, scopes=["gateway", "manage"], allowed_ips=["10.0.0.0/8"])
    assert ask(stack, away["key"], **{"x-forwarded-for": "10.0.0.1"}).status_code == 403
    is_problem(manage(stack, away["key"]), *REFUSED)
    is_problem(session.post("/api-keys", json={"name": "x", "allowed_ips": ["10.0.0.0/99"]}), 422, "invalid_request")
    nowhere = make(session, allowed_ips=[])
    assert ask(stack, nowhere["key"]).status_code == 403


def test_a_key_calls_its_models_alone(stack: Stack, session: httpx2.Client) -> None:
    made = make(session, models=["openai/ech*"])
    assert ask(stack, made["key"]).status_code == 200
    assert ask(stack, made["key"], "openai/lorem-3").status_code == 403
    session.patch(f"/api-keys/{made['id']}", json={"models": None})
    assert ask(stack, made["key"], "openai/lorem-3").status_code == 200


def test_a_key_has_its_pace(stack: Stack, session: httpx2.Client) -> None:
    made = make(session, limits={"requests_per_minute": 2})
    assert made["limits"] == {"requests_per_minute": 2}
    assert [ask(stack, made["key"]).status_code for _ in range(2)] == [200, 200]
    refused = ask(stack, made["key"])
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    session.patch(f"/api-keys/{made['id']}", json={"limits": {"requests_per_minute": None}})
    assert ask(stack, made["key"]).status_code == 200


def test_other_fields_stay_when_one_changes(session: httpx2.Client) -> None:
    made = make(session, models=["openai/*"], allowed_ips=["127.0.0.1"], limits={"requests_per_minute": 9})
    made.pop("key")
    changed = session.patch(f"/api-keys/{made['id']}", json={"scopes": ["manage", "manage"]}).json()
    assert changed == made | {"scopes": ["manage"]}
    assert session.patch(f"/api-keys/{made['id']}", json={}).json() == changed


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 101},
        {"name": "a\r\nset-cookie: b=c"},
        {"name": "a\u202eb"},
        {"name": "a\u0000b"},
        {"name": 5},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["admin"]},
        {"name": "x", "scopes": "manage"},
        {"name": "x", "models": ["a\nb"]},
        {"name": "x", "models": ["m"] * 201},
        {"name": "x", "limits": {"requests_per_minute": 0}},
        {"name": "x", "limits": {"requests_per_minute": -1}},
        {"name": "x", "limits": {"requests_per_minute": True}},
        {"name": "x", "limits": {"requests_per_minute": 10**30}},
        {"name": "x", "limits": {"tokens": 5}},
        {"name": "x", "key": "ok_mine"},
    ],
)
def test_a_wrong_key_is_not_made(session: httpx2.Client, body: dict[str, Any]) -> None:
    before = len(session.get("/api-keys?limit=200").json()["items"])
    is_problem(session.post("/api-keys", json=body), 422, "invalid_request")
    assert len(session.get("/api-keys?limit=200").json()["items"]) == before


def test_keys_are_listed_newest_first_page_by_page(session: httpx2.Client) -> None:
    made = [make(session)["id"] for _ in range(3)]
    first = session.get("/api-keys?limit=2").json()
    assert [row["id"] for row in first["items"]] == made[:0:-1]
    second = session.get("/api-keys", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [row["id"] for row in second["items"]] == made[:1]
    assert session.get("/api-keys?cursor=x").status_code == 400


def test_a_key_made_by_a_limited_key_has_its_limits(stack: Stack, session: httpx2.Client) -> None:
    limits = {"requests_per_minute": 5}
    until = later(days=1)
    maker = make(
        session, scopes=["manage"], models=["openai/*"], allowed_ips=["127.0.0.0/8"], limits=limits, expires_at=until
    )

    def post(**more: Any) -> httpx2.Response:
        return manage(stack, maker["key"], "POST", "/api-keys", json={"name": "made"} | more)

    made = post().json()
    for field in ("models", "allowed_ips", "limits", "expires_at"):
        assert made[field] == maker[field]
    narrower = {"models": ["openai/gpt-5"], "allowed_ips": ["127.0.0.1"], "limits": {"requests_per_minute": 1}}
    assert post(**narrower, expires_at=later(hours=1)).status_code == 201
    for wider in (
        {"models": None},
        {"models": ["*"]},
        {"models": ["anthropic/claude-sonnet-4.5"]},
        {"allowed_ips": None},
        {"allowed_ips": ["127.0.0.1", "10.0.0.1"]},
        {"allowed_ips": ["::1"]},
        {"allowed_ips": ["0.0.0.0/0"]},
        {"limits": {"requests_per_minute": 6}},
        {"limits": None},
        {"expires_at": None},
        {"expires_at": later(days=2)},
    ):
        is_problem(post(**wider), *REFUSED)
        itself = manage(stack, maker["key"], "PATCH", f"/api-keys/{maker['id']}", json=wider)
        is_problem(itself, *REFUSED)
