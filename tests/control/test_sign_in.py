"""Signing in and out, sessions, and the throttle on guesses."""

import time
from collections.abc import Callable
from datetime import datetime

import httpx2
import pytest
from tests.control.people import PASSWORD, browser, database, is_problem, look, sign_in, unique
from tests.services.stack import Stack, User

NEW_PASSWORD = "an even finer password"


def test_a_session_lasts_two_hours_in_a_guarded_cookie(stack: Stack, user: User) -> None:
    with browser(stack) as client:
        before = time.time()
        answer = sign_in(client, user.email, PASSWORD)
        body = answer.json()
        assert body["user_id"] == user.id
        assert body["email"] == user.email
        until = datetime.fromisoformat(body["expires_at"]).timestamp()
        assert until - before == pytest.approx(7200, abs=60)
        cookie = answer.headers["set-cookie"]
        name, _, rest = cookie.partition("=")
        assert name == "ownkey"
        flags = {part.strip().lower() for part in rest.split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/", "max-age=7200"} <= flags
        assert not any(flag.startswith("domain") for flag in flags)
        token = rest.partition(";")[0]
        assert token not in answer.text
        assert client.get("/me").json()["signed_in_by"] == "session"
    with database(stack) as tables:
        hashes = [row[0] for row in tables.execute("SELECT token_hash FROM sessions")]
        assert token.encode() not in hashes
        assert {len(each) for each in hashes} == {32}


def test_signing_out_ends_the_session(stack: Stack, user: User) -> None:
    with browser(stack, user.email) as client:
        token = client.cookies["ownkey"]
        answer = client.post("/auth/logout")
        assert answer.status_code == 204
        assert "max-age=0" in answer.headers["set-cookie"].lower()
        assert "ownkey" not in client.cookies
        is_problem(client.get("/me", headers={"cookie": f"ownkey={token}"}), 401, "invalid_api_key")


def test_an_expired_session_is_none(stack: Stack, user: User) -> None:
    with browser(stack, user.email) as client:
        id_ = next(row["id"] for row in client.get("/me/sessions").json()["items"] if row["current"])
        with database(stack) as tables:
            tables.execute("UPDATE sessions SET expires_at = ? WHERE id = ?", (time.time() - 1, id_))
        is_problem(client.get("/me"), 401, "invalid_api_key")
        assert id_ not in {row["id"] for row in user.api.get("/me/sessions").json()["items"]}


def test_sessions_are_listed_recognised_and_ended_one_by_one(stack: Stack, newcomer: Callable[[], User]) -> None:
    person = newcomer()
    agent = {"user-agent": "Lap\x85top/1.0 ".encode("latin-1") + b"x" * 400}
    with browser(stack, person.email, headers=agent) as first, browser(stack, person.email) as second:
        rows = first.get("/me/sessions").json()["items"]
        current = [row for row in rows if row["current"]]
        assert len(current) == 1
        assert current[0]["address"] == "127.0.0.1"
        assert current[0]["user_agent"].startswith("Laptop/1.0 x")
        assert len(current[0]["user_agent"]) <= 300
        other = next(row["id"] for row in second.get("/me/sessions").json()["items"] if row["current"])
        assert first.delete(f"/me/sessions/{other}").status_code == 204
        assert second.get("/me").status_code == 401
        assert first.get("/me").status_code == 200
        is_problem(first.delete(f"/me/sessions/{other}"), 404, "not_found")
        pages = first.get("/me/sessions?limit=1").json()
        assert len(pages["items"]) == 1
        following = first.get("/me/sessions", params={"limit": 200, "cursor": pages["next_cursor"]}).json()
        assert pages["items"][0]["id"] not in {row["id"] for row in following["items"]}


def test_use_is_noted_at_most_once_a_minute(stack: Stack, user: User) -> None:
    with browser(stack, user.email) as client:
        row = next(row for row in client.get("/me/sessions").json()["items"] if row["current"])
        assert row["last_seen_at"] == row["created_at"]
        with database(stack) as tables:
            tables.execute("UPDATE sessions SET last_seen_at = last_seen_at - 61 WHERE id = ?", (row["id"],))
        assert client.get("/me").status_code == 200
        again = next(row for row in client.get("/me/sessions").json()["items"] if row["current"])
        assert again["last_seen_at"] > row["last_seen_at"]


def test_a_new_password_ends_all_other_sessions(stack: Stack, newcomer: Callable[[], User]) -> None:
    person = newcomer()
    with browser(stack, person.email) as here, browser(stack, person.email) as there:
        for wrong in ({}, {"current_password": "not the password"}, {"current_password": ""}):
            is_problem(here.patch("/me", json={"password": NEW_PASSWORD} | wrong), 403, "not_allowed")
        weak = here.patch("/me", json={"password": "short", "current_password": PASSWORD})
        is_problem(weak, 400, "invalid_request")
        assert there.get("/me").status_code == 200
        changed = here.patch("/me", json={"password": NEW_PASSWORD, "current_password": PASSWORD})
        assert changed.status_code == 200
        assert NEW_PASSWORD not in changed.text
        assert here.get("/me").status_code == 200
        assert there.get("/me").status_code == 401
        assert sign_in(there, person.email, PASSWORD).status_code == 401
        assert sign_in(there, person.email, NEW_PASSWORD).status_code == 200


def test_an_api_key_changes_the_password_only_with_the_present_one_and_ends_every_session(
    stack: Stack, newcomer: Callable[[], User]
) -> None:
    person = newcomer()
    with browser(stack, person.email) as session:
        is_problem(person.api.patch("/me", json={"password": NEW_PASSWORD}), 403, "not_allowed")
        body = {"password": NEW_PASSWORD, "current_password": PASSWORD}
        assert person.api.patch("/me", json=body).status_code == 200
        assert session.get("/me").status_code == 401


def test_a_new_address_takes_the_password_and_is_taken_once(stack: Stack, newcomer: Callable[[], User]) -> None:
    person, other = newcomer(), newcomer()
    wanted = f"{unique('renamed')}@example.com"
    is_problem(person.api.patch("/me", json={"email": wanted}), 403, "not_allowed")
    taken = person.api.patch("/me", json={"email": other.email.upper(), "current_password": PASSWORD})
    is_problem(taken, 409, "conflict")
    changed = person.api.patch("/me", json={"email": wanted.upper(), "current_password": PASSWORD})
    assert changed.json()["email"] == wanted
    with browser(stack, wanted) as session:
        assert session.get("/me").json()["id"] == person.id
        assert sign_in(session, person.email, PASSWORD).status_code == 401


def test_leaving_takes_the_password_and_everything_with_it(stack: Stack, newcomer: Callable[[], User]) -> None:
    person = newcomer()
    person.add_key("openai", "sk-test-leaving-0001")
    is_problem(person.api.request("DELETE", "/me", json={}), 403, "not_allowed")
    gone = person.api.request("DELETE", "/me", json={"current_password": PASSWORD})
    assert gone.status_code == 204
    is_problem(person.api.get("/me"), 401, "invalid_api_key")
    with browser(stack) as client:
        assert sign_in(client, person.email, PASSWORD).status_code == 401
    with database(stack) as tables:
        for table in ("api_keys", "sessions", "credentials", "requests", "preferences"):
            found = tables.execute(f"SELECT count(*) FROM {table} WHERE user_id = ?", (person.id,)).fetchone()
            assert found == (0,), table


def test_every_way_to_fail_looks_the_same(stack: Stack, user: User) -> None:
    with browser(stack) as client:
        wrong = look(sign_in(client, user.email, "not the password"))
        assert wrong[0] == 401
        assert look(sign_in(client, f"{unique('nobody')}@example.com", PASSWORD)) == wrong
        assert look(sign_in(client, "", "")) == wrong
        assert sign_in(client, user.email, PASSWORD).status_code == 200


def test_guesses_are_slowed_and_the_owner_elsewhere_is_not(stack: Stack, newcomer: Callable[[], User]) -> None:
    person = newcomer()
    elsewhere = httpx2.HTTPTransport(local_address="127.0.0.2")
    with browser(stack) as guesser, browser(stack, transport=elsewhere) as owner:

        def guess(times: int) -> list[int]:
            return [sign_in(guesser, person.email, f"guess {each}").status_code for each in range(times)]

        assert guess(3) == [401] * 3
        assert sign_in(guesser, person.email, PASSWORD).status_code == 200, "which forgets the failures before"
        assert guess(10) == [401] * 10
        refused = sign_in(guesser, person.email, PASSWORD)
        is_problem(refused, 429, "rate_limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 900
        assert sign_in(owner, person.email, PASSWORD).status_code == 200
        assert owner.get("/me").json()["id"] == person.id
        # Nor can the password be guessed on through a session or key at hand.
        body = {"password": NEW_PASSWORD, "current_password": PASSWORD}
        is_problem(person.api.patch("/me", json=body), 429, "rate_limited")
        assert owner.patch("/me", json=body).status_code == 200


def test_nobody_is_told_to_sign_in_with_what_was_sent(stack: Stack) -> None:
    with browser(stack) as client:
        for headers in ({}, {"authorization": "Bearer ok_canary_7c1e"}, {"cookie": "ownkey=canary_7c1e"}):
            answer = client.get("/me", headers=headers)
            is_problem(answer, 401, "invalid_api_key")
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "canary_7c1e" not in answer.text
