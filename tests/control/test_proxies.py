"""Behind a proxy: lists of allowed addresses, sign-in limits and sessions know the client, and nobody can lie."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from tests.control.people import browser, is_problem, sign_in
from tests.services.stack import Process, Stack, User

CLIENT = "203.0.113.9"
ELSEWHERE = httpx2.HTTPTransport(local_address="127.0.0.2")


@pytest.fixture(scope="module")
def behind(sandbox: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A server that trusts 127.0.0.1 to be its proxy, and no other address."""
    stack = Stack(tmp_path_factory.mktemp("behind"), sandbox, OWNKEY_TRUSTED_PROXIES="127.0.0.1, 2001:db8:1::/48")
    yield stack
    assert stack.stop() == 0


@pytest.fixture(scope="module")
def person(behind: Stack) -> User:
    return behind.user("behind", openai="sk-test-behind-0001-abcdefgh")


@pytest.fixture(scope="module")
def fenced(person: User) -> str:
    """An API key for the client's address alone."""
    body = {"name": "fenced", "scopes": ["gateway", "manage"], "allowed_ips": [CLIENT]}
    return person.api.post("/api-keys", json=body).json()["key"]


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [
        ([CLIENT], 200),
        ([f"198.51.100.1, {CLIENT}"], 200),
        (["198.51.100.1", CLIENT], 200),
        ([f"{CLIENT}, 2001:db8:1::7"], 200),
        ([f"{CLIENT}, 198.51.100.1"], 403),
        ([f"{CLIENT}, garbage"], 403),
        ([], 403),
    ],
)
def test_both_planes_compare_the_clients_address(behind: Stack, fenced: str, forwarded: list[str], status: int) -> None:
    headers = [("authorization", f"Bearer {fenced}"), *(("x-forwarded-for", value) for value in forwarded)]
    with httpx2.Client(base_url=behind.url, headers=headers, trust_env=False, timeout=30.0) as client:
        assert client.get("/api/v1/me").status_code == status
        chat: dict[str, Any] = {"model": "openai/echo", "messages": [{"role": "user", "content": "hi"}]}
        # Twice: the second finds the key in memory.
        for _ in range(2):
            assert client.post("/v1/chat/completions", json=chat).status_code == status


def test_a_header_that_the_client_itself_sends_is_ignored(behind: Stack, fenced: str) -> None:
    headers = {"authorization": f"Bearer {fenced}", "x-forwarded-for": CLIENT}
    with httpx2.Client(base_url=behind.url, headers=headers, transport=ELSEWHERE, trust_env=False) as client:
        is_problem(client.get("/api/v1/me"), 403, "not_allowed")
        assert client.get("/v1/models").status_code == 403


def test_without_trusted_proxies_the_header_is_ignored(stack: Stack, user: User) -> None:
    body = {"name": "fenced", "scopes": ["gateway", "manage"], "allowed_ips": [CLIENT]}
    key = user.api.post("/api-keys", json=body).json()["key"]
    headers = {"authorization": f"Bearer {key}", "x-forwarded-for": CLIENT}
    with httpx2.Client(base_url=stack.url, headers=headers, trust_env=False) as client:
        is_problem(client.get("/api/v1/me"), 403, "not_allowed")
        assert client.get("/v1/models").status_code == 403


def test_sessions_show_the_clients_address(behind: Stack, person: User) -> None:
    with browser(behind, person.email, headers={"x-forwarded-for": CLIENT}) as session:
        rows = session.get("/me/sessions").json()["items"]
    assert CLIENT in {row["address"] for row in rows}


def test_one_clients_guesses_do_not_slow_another_behind_the_same_proxy(behind: Stack, person: User) -> None:
    with (
        browser(behind, headers={"x-forwarded-for": "203.0.113.66"}) as guesser,
        browser(behind, headers={"x-forwarded-for": CLIENT}) as owner,
    ):
        for _ in range(10):
            assert sign_in(guesser, person.email, "a guess").status_code == 401
        is_problem(sign_in(guesser, person.email, "a guess"), 429, "rate_limited")
        assert sign_in(owner, person.email, "a fine long password").status_code == 200
