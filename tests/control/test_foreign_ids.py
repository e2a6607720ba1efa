"""What belongs to somebody else looks exactly like what does not exist: same status, same headers, same body."""

from typing import Any

import pytest
from tests.control.people import browser, look
from tests.services.stack import Stack, User


@pytest.fixture(scope="module")
def foreign(stack: Stack, stranger: User) -> dict[str, str]:
    """An id of each kind, of a stranger's."""
    credential = stranger.add_key("openai", "sk-test-foreign-0001", label="foreign")
    answer = stranger.chat("openai/echo")
    with browser(stack, stranger.email) as session:
        rows = session.get("/me/sessions").json()["items"]
    route = stranger.api.post("/routes", json={"name": "foreign", "model": "openai/echo"}).json()
    key = stranger.api.get("/api-keys").json()["items"][0]
    request = stranger.receipt(answer)
    return {
        "credential": credential["id"],
        "api_key": key["id"],
        "session": rows[0]["id"],
        "request": request["id"],
        "route": route["id"],
    }


CALLS = [
    ("GET", "/credentials/{credential}", None),
    ("PATCH", "/credentials/{credential}", {"label": "mine"}),
    ("PATCH", "/credentials/{credential}", {"api_key": "sk-test-foreign-0002"}),
    ("PATCH", "/credentials/{credential}", {"is_default": True}),
    ("DELETE", "/credentials/{credential}", None),
    ("POST", "/credentials/{credential}/test", None),
    ("GET", "/credentials/{credential}/usage", None),
    ("GET", "/api-keys/{api_key}", None),
    ("PATCH", "/api-keys/{api_key}", {"name": "mine"}),
    ("DELETE", "/api-keys/{api_key}", None),
    ("GET", "/routes/{route}", None),
    ("PATCH", "/routes/{route}", {"name": "mine"}),
    ("DELETE", "/routes/{route}", None),
    ("POST", "/routes", {"name": "theirs", "model": "openai/echo", "credential_id": "{credential}"}),
    ("DELETE", "/me/sessions/{session}", None),
    ("GET", "/requests/{request}", None),
    ("GET", "/requests?credential_id={credential}", None),
    ("POST", "/route/explain", {"model": "openai/echo", "credential": "{credential}"}),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_a_foreign_id_looks_like_an_absent_one(
    user: User, foreign: dict[str, str], method: str, path: str, body: dict[str, Any] | None
) -> None:
    def answer(ids: dict[str, str]) -> tuple[int, str, dict[str, str]]:
        filled = {key: value.format(**ids) if isinstance(value, str) else value for key, value in (body or {}).items()}
        seen = look(user.api.request(method, path.format(**ids), json=filled if body else None))
        # A message may repeat the id that was asked for; ids have all the same form and length.
        return seen[0], seen[1].replace(ids["credential"], "ID"), seen[2]

    absent = {name: id_[:-4] + "0000" for name, id_ in foreign.items()}
    assert answer(foreign) == answer(absent)
    if "{" in path and "?" not in path:
        assert answer(foreign)[0] == 404


def test_nothing_of_a_stranger_is_listed(user: User, foreign: dict[str, str]) -> None:
    listed = "".join(
        user.api.get(path).text
        for path in (
            "/credentials",
            "/api-keys",
            "/routes",
            "/me/sessions",
            "/requests",
            "/usage",
            "/usage/export?format=json",
        )
    )
    assert not [id_ for id_ in foreign.values() if id_ in listed]


def test_the_stranger_still_has_it_all(stranger: User, foreign: dict[str, str]) -> None:
    assert stranger.api.get(f"/credentials/{foreign['credential']}").json()["label"] == "foreign"
    assert stranger.api.get(f"/api-keys/{foreign['api_key']}").json()["name"] == "all"
    assert stranger.api.get(f"/requests/{foreign['request']}").status_code == 200
    assert stranger.chat("openai/echo").status_code == 200


@pytest.mark.parametrize("id_", ["%00", "%F0%9F%94%91", "a" * 300, "cred_%E2%80%AE", "'%20OR%201=1", "*", "%25"])
@pytest.mark.parametrize("path", ["/credentials/{}", "/api-keys/{}", "/requests/{}", "/credentials/{}/usage"])
def test_an_odd_id_is_absent_or_refused(user: User, path: str, id_: str) -> None:
    assert user.api.get(path.format(id_)).status_code in (400, 404)
