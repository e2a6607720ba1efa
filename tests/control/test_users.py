"""Users are made, changed and deleted by operators alone."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from tests.control.people import PASSWORD, browser, is_problem, look, sign_in, unique
from tests.services.stack import OPERATOR, Stack, User


def make(operator: httpx2.Client, **more: object) -> dict[str, Any]:
    answer = operator.post("/admin/users", json={"email": f"{unique('made')}@example.com"} | more)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/admin/users", None),
        ("POST", "/admin/users", {"email": "x@example.com"}),
        ("GET", "/admin/users/{id}", None),
        ("PATCH", "/admin/users/{id}", {"role": "operator"}),
        ("DELETE", "/admin/users/{id}", None),
    ],
)
@pytest.mark.parametrize("whose", ["own", "absent"])
def test_a_user_may_not_administer(user: User, method: str, path: str, body: dict[str, Any] | None, whose: str) -> None:
    path = path.format(id=user.id if whose == "own" else "user_none")
    is_problem(user.api.request(method, path, json=body), 403, "not_allowed")


def test_an_operator_makes_reads_changes_and_deletes_a_user(stack: Stack, operator: httpx2.Client) -> None:
    email = f"{unique('Mixed.Case')}@Example.com"
    made = operator.post("/admin/users", json={"email": f"  {email} ", "password": PASSWORD}).json()
    assert made["email"] == email.lower()
    assert (made["role"], made["tier"], made["disabled_at"]) == ("user", "default", None)
    assert "password" not in made
    path = f"/admin/users/{made['id']}"
    assert operator.get(path).json() == made
    changed = operator.patch(path, json={"role": "operator"}).json()
    assert changed == made | {"role": "operator"}
    with browser(stack, email.upper()) as session:
        assert session.get("/me").json()["id"] == made["id"]
    assert operator.delete(path).status_code == 204
    absent = operator.get("/admin/users/user_none")
    for gone in (operator.get(path), operator.patch(path, json={"role": "user"}), operator.delete(path)):
        assert look(gone) == look(absent)
    is_problem(absent, 404, "not_found")


def test_a_tier_is_not_yet_supported(operator: httpx2.Client) -> None:
    told = operator.post("/admin/users", json={"email": f"{unique('tier')}@example.com", "tier": "pro"})
    assert "not yet supported" in is_problem(told, 422, "invalid_request")["detail"]
    told = operator.patch(f"/admin/users/{make(operator)['id']}", json={"tier": "pro"})
    assert "not yet supported" in is_problem(told, 422, "invalid_request")["detail"]


def test_an_address_is_taken_once_whatever_its_case(operator: httpx2.Client) -> None:
    made = make(operator)
    again = operator.post("/admin/users", json={"email": made["email"].upper()})
    assert is_problem(again, 409, "conflict")["param"] == "email"


@pytest.mark.parametrize(
    "email", ["", "nobody", "a b@example.com", "a@", "@b", "a@b\r\nx: y", "a" * 300 + "@b.c", 7, None]
)
def test_what_is_no_address_is_refused(operator: httpx2.Client, email: object) -> None:
    is_problem(operator.post("/admin/users", json={"email": email}), 422, "invalid_request")


@pytest.mark.parametrize("password", ["", "short", "123456789", "x" * 1025])
def test_a_weak_or_enormous_password_is_refused(operator: httpx2.Client, password: str) -> None:
    email = f"{unique('weak')}@example.com"
    refused = operator.post("/admin/users", json={"email": email, "password": password})
    assert is_problem(refused, 400, "invalid_request")["param"] == "password"
    assert not password or password not in refused.text
    made = make(operator)
    is_problem(operator.patch(f"/admin/users/{made['id']}", json={"password": password}), 400, "invalid_request")


def test_an_account_without_a_password_cannot_be_signed_in_to(stack: Stack, operator: httpx2.Client) -> None:
    made = make(operator)
    with browser(stack) as client:
        for password in ("", "None", "null"):
            assert sign_in(client, made["email"], password).status_code == 401


def test_users_are_listed_page_by_page(operator: httpx2.Client) -> None:
    made = [make(operator)["id"] for _ in range(3)]
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = operator.get("/admin/users", params=query).json()
        assert len(page["items"]) <= 2
        seen += [row["id"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert [id_ for id_ in seen if id_ in made] == made


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=%00", "cursor=bm9uZQ", "cursor=WzEsIm"])
def test_a_bad_page_is_told(operator: httpx2.Client, query: str) -> None:
    assert operator.get(f"/admin/users?{query}").status_code in (400, 422)


def test_a_disabled_user_stops_at_once_and_comes_back_when_enabled(
    stack: Stack, operator: httpx2.Client, newcomer: Callable[[], User]
) -> None:
    person = newcomer()
    person.add_key("openai", "sk-test-disabled-0001")
    with browser(stack, person.email) as session:
        assert person.chat("openai/echo").status_code == 200
        disabled = operator.patch(f"/admin/users/{person.id}", json={"disabled": True}).json()
        assert disabled["disabled_at"] is not None
        is_problem(session.get("/me"), 401, "invalid_api_key")
        is_problem(person.api.get("/me"), 401, "invalid_api_key")
        assert person.chat("openai/echo").status_code == 401
        wrong = sign_in(session, person.email, "not the password")
        assert look(sign_in(session, person.email, PASSWORD)) == look(wrong)
        assert operator.patch(f"/admin/users/{person.id}", json={"disabled": False}).json()["disabled_at"] is None
        assert person.chat("openai/echo").status_code == 200
        assert session.get("/me").status_code == 401, "its sessions ended for good"


def test_a_new_role_ends_the_sessions_and_holds_for_api_keys(
    stack: Stack, operator: httpx2.Client, newcomer: Callable[[], User]
) -> None:
    person = newcomer()
    path = f"/admin/users/{person.id}"
    with browser(stack, person.email) as session:
        assert operator.patch(path, json={"role": "operator"}).json()["role"] == "operator"
        assert session.get("/me").status_code == 401
    assert person.api.get("/admin/users").status_code == 200
    assert operator.patch(path, json={"role": "user"}).status_code == 200
    is_problem(person.api.get("/admin/users"), 403, "not_allowed")


def test_a_password_set_by_an_operator_ends_the_sessions(
    stack: Stack, operator: httpx2.Client, newcomer: Callable[[], User]
) -> None:
    person = newcomer()
    with browser(stack, person.email) as session:
        assert (
            operator.patch(f"/admin/users/{person.id}", json={"password": "another fine password"}).status_code == 200
        )
        assert session.get("/me").status_code == 401
        assert sign_in(session, person.email, PASSWORD).status_code == 401
        assert sign_in(session, person.email, "another fine password").status_code == 200


def test_the_last_operator_who_can_act_stays(stack: Stack, operator: httpx2.Client) -> None:
    me = operator.get("/me").json()
    other = make(operator, role="operator", password=PASSWORD)
    # A disabled operator is none: with only such a one beside it, the acting operator is the last.
    assert operator.patch(f"/admin/users/{other['id']}", json={"disabled": True}).status_code == 200
    try:
        for change in ({"role": "user"}, {"disabled": True}):
            is_problem(operator.patch(f"/admin/users/{me['id']}", json=change), 409, "conflict")
        is_problem(operator.delete(f"/admin/users/{me['id']}"), 409, "conflict")
        leave = operator.request("DELETE", "/me", json={"current_password": OPERATOR[1]})
        is_problem(leave, 409, "conflict")
        assert operator.get("/me").json()["role"] == "operator"
    finally:
        assert operator.delete(f"/admin/users/{other['id']}").status_code == 204
