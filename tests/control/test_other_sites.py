"""Another site's page cannot write with a visitor's cookie."""

from collections.abc import Iterator

import httpx2
import pytest
from tests.control.people import PASSWORD, browser, is_problem
from tests.services.stack import Stack, User


@pytest.fixture(scope="module")
def session(stack: Stack, user: User) -> Iterator[httpx2.Client]:
    with browser(stack, user.email) as client:
        yield client


FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1.evil.example"},
    {"sec-fetch-site": "same-origin", "origin": "https://evil.example"},
    {"sec-fetch-site": "cross-site", "origin": "OWN"},
]


def of(stack: Stack, headers: dict[str, str]) -> dict[str, str]:
    return {name: stack.url if value == "OWN" else value for name, value in headers.items()}


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/preferences"), ("POST", "/api-keys"), ("DELETE", "/credentials/none"), ("POST", "/auth/logout")],
)
def test_a_write_from_elsewhere_is_refused(
    stack: Stack, session: httpx2.Client, headers: dict[str, str], method: str, path: str
) -> None:
    body = {"name": "x"} if path == "/api-keys" else {}
    is_problem(session.request(method, path, json=body, headers=of(stack, headers)), 403, "not_allowed")
    assert session.get("/me").status_code == 200


@pytest.mark.parametrize("headers", FOREIGN)
def test_signing_a_visitor_in_from_elsewhere_is_refused(stack: Stack, user: User, headers: dict[str, str]) -> None:
    with browser(stack) as client:
        body = {"email": user.email, "password": PASSWORD}
        refused = client.post("/auth/login", json=body, headers=of(stack, headers))
        is_problem(refused, 403, "not_allowed")
        assert "set-cookie" not in refused.headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "OWN"},
        {"sec-fetch-site": "same-origin", "origin": "OWN"},
    ],
)
def test_ones_own_page_writes(stack: Stack, session: httpx2.Client, headers: dict[str, str]) -> None:
    answer = session.put("/preferences", json={}, headers=of(stack, headers))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("headers", FOREIGN)
def test_reading_and_api_keys_need_no_origin(
    stack: Stack, session: httpx2.Client, user: User, headers: dict[str, str]
) -> None:
    assert session.get("/me", headers=of(stack, headers)).status_code == 200
    assert user.api.put("/preferences", json={}, headers=of(stack, headers)).status_code == 200


def test_no_answer_invites_other_sites(stack: Stack, session: httpx2.Client) -> None:
    answer = session.get("/me", headers={"origin": "https://evil.example"})
    assert not any(name.startswith("access-control-") for name in answer.headers)
    preflight = session.request("OPTIONS", "/me", headers={"origin": "https://evil.example"})
    assert preflight.status_code == 405
    assert not any(name.startswith("access-control-") for name in preflight.headers)
