"""Making, changing and deleting routes."""

from typing import Any

import httpx2
import pytest
from tests.control.people import is_problem, unique
from tests.services.stack import Stack, User


@pytest.fixture(scope="module")
def caller(user: User) -> User:
    user.add_key("openai", "sk-test-routes-0001-abcdefgh", label="first")
    return user


def make(user: User, name: str = "", model: str = "openai/gpt-5-mini", **more: Any) -> httpx2.Response:
    return user.api.post("/routes", json={"name": name or unique("route"), "model": model} | more)


def made(user: User, *arguments: str, **more: Any) -> dict[str, Any]:
    answer = make(user, *arguments, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_route_comes_back_as_it_was_made(caller: User) -> None:
    key = caller.api.get("/credentials").json()["items"][0]["id"]
    route = made(caller, credential_id=key)
    assert set(route) == {"id", "name", "model", "credential_id", "created_at", "note"}
    assert route["id"].startswith("route_")
    assert (route["model"], route["credential_id"], route["note"]) == ("openai/gpt-5-mini", key, None)
    kept = caller.api.get(f"/routes/{route['id']}").json()
    assert kept | {"note": None} == route
    assert kept in caller.api.get("/routes").json()["items"]


def test_routes_are_listed_newest_first_page_by_page(caller: User) -> None:
    ids = [made(caller)["id"] for _ in range(3)]
    first = caller.api.get("/routes?limit=2").json()
    assert [row["id"] for row in first["items"]] == ids[:0:-1]
    second = caller.api.get("/routes", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [row["id"] for row in second["items"]] == ids[:1]


def test_a_taken_name_is_a_conflict_and_free_for_others(caller: User, stranger: User) -> None:
    name = made(caller)["name"]
    assert is_problem(make(caller, name), 409, "conflict")["param"] == "name"
    other = made(caller)
    assert is_problem(caller.api.patch(f"/routes/{other['id']}", json={"name": name}), 409, "conflict")
    assert caller.api.get(f"/routes/{other['id']}").json()["name"] == other["name"]
    made(stranger, name)


def test_only_the_fields_that_are_sent_change(caller: User) -> None:
    key = caller.api.get("/credentials").json()["items"][0]["id"]
    route = made(caller, credential_id=key)
    path = f"/routes/{route['id']}"
    changed = caller.api.patch(path, json={"model": "openai/gpt-5"}).json()
    assert changed == route | {"model": "openai/gpt-5"}
    assert caller.api.patch(path, json={}).json() == changed
    renamed = caller.api.patch(path, json={"name": unique("renamed"), "credential_id": None}).json()
    assert (renamed["model"], renamed["credential_id"]) == ("openai/gpt-5", None)
    assert caller.api.delete(path).status_code == 204
    is_problem(caller.api.get(path), 404, "not_found")
    is_problem(caller.api.patch(path, json={"model": "openai/gpt-5"}), 404, "not_found")
    is_problem(caller.api.delete(path), 404, "not_found")


def test_a_models_own_name_is_shadowed_only_knowingly(caller: User) -> None:
    assert is_problem(make(caller, "gpt-5"), 409, "conflict")["param"] == "name"
    caller.add_key("vllm", "", base_url="https://llm.example.com/v1", model="house-model")
    is_problem(make(caller, "house-model"), 409, "conflict")
    other = made(caller)
    is_problem(caller.api.patch(f"/routes/{other['id']}", json={"name": "gpt-5"}), 409, "conflict")
    route = made(caller, "gpt-5", shadow=True)
    assert caller.api.patch(f"/routes/{route['id']}", json={"model": "openai/o3"}).status_code == 200
    assert caller.api.delete(f"/routes/{route['id']}").status_code == 204


def test_a_route_points_to_a_model_and_not_to_a_route(caller: User) -> None:
    first, second = made(caller), made(caller)
    name = unique("itself")
    for answer in (
        make(caller, model=first["name"]),
        make(caller, name, name),
        make(caller, model="default"),
        caller.api.patch(f"/routes/{second['id']}", json={"model": first["name"]}),
        caller.api.patch(f"/routes/{second['id']}", json={"model": second["name"]}),
    ):
        assert is_problem(answer, 400, "invalid_request")["param"] == "model"


def test_a_model_that_nobody_knows_is_refused_as_a_slip(caller: User) -> None:
    assert is_problem(make(caller, model="gtp-5-mini"), 400, "invalid_request")["param"] == "model"


def test_a_route_may_be_made_before_its_key_and_says_what_is_missing(caller: User) -> None:
    note = made(caller, model="anthropic/claude-sonnet-4.5")["note"]
    assert "anthropic" in note


def test_a_model_that_only_embeds_needs_no_note(caller: User) -> None:
    assert made(caller, model="openai/text-embedding-3-small")["note"] is None


def test_a_strangers_key_is_as_absent_as_none(caller: User, stranger: User) -> None:
    foreign = stranger.add_key("openai", f"sk-test-{unique('foreign')}-abcdefgh")["id"]
    absent = foreign[:-4] + "0000"
    answers = [make(caller, credential_id=id_) for id_ in (foreign, absent)]
    assert is_problem(answers[0], 404, "not_found") == is_problem(answers[1], 404, "not_found")
    route = made(caller)
    for id_ in (foreign, absent):
        is_problem(caller.api.patch(f"/routes/{route['id']}", json={"credential_id": id_}), 404, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a"},
        {"model": "openai/gpt-5"},
        {"name": "default", "model": "openai/gpt-5"},
        {"name": "a/b", "model": "openai/gpt-5"},
        {"name": "a b", "model": "openai/gpt-5"},
        {"name": "*", "model": "openai/gpt-5"},
        {"name": "", "model": "openai/gpt-5"},
        {"name": "x" * 65, "model": "openai/gpt-5"},
        {"name": "a", "model": ""},
        {"name": "a", "model": "x" * 257},
        {"name": "a", "model": "openai/gpt-5", "credential_id": ""},
        {"name": "a", "model": "openai/gpt-5", "shadow": "yes"},
        {"name": "a", "model": "openai/gpt-5", "id": "route_1"},
    ],
)
def test_a_wrong_route_is_not_made(caller: User, body: dict[str, Any]) -> None:
    before = caller.api.get("/routes?limit=200").json()
    is_problem(caller.api.post("/routes", json=body), 422, "invalid_request")
    assert caller.api.get("/routes?limit=200").json() == before


def limited(stack: Stack, user: User, *models: str) -> httpx2.Client:
    body = {"name": "limited", "scopes": ["manage"], "models": list(models)}
    key = user.api.post("/api-keys", json=body).json()["key"]
    headers = {"authorization": f"Bearer {key}"}
    return httpx2.Client(base_url=stack.url + "/api/v1", headers=headers, timeout=30.0, trust_env=False)


def test_a_limited_key_makes_no_way_to_a_model_beyond_its_limits(stack: Stack, caller: User) -> None:
    listed, beyond = unique("listed"), made(caller, model="openai/gpt-5")
    with limited(stack, caller, "openai/gpt-5-mini", f"route:{listed}") as client:
        route = client.post("/routes", json={"name": listed, "model": "openai/gpt-5-mini"})
        assert route.status_code == 201, route.text
        is_problem(client.post("/routes", json={"name": unique("r"), "model": "openai/gpt-5"}), 403, "not_allowed")
        path = f"/routes/{route.json()['id']}"
        is_problem(client.patch(path, json={"model": "openai/gpt-5"}), 403, "not_allowed")
        assert client.delete(path).status_code == 204
        is_problem(client.patch(f"/routes/{beyond['id']}", json={"name": listed}), 403, "not_allowed")


def test_a_limited_key_lists_no_route_that_only_its_patterns_name(stack: Stack, caller: User) -> None:
    with limited(stack, caller, "*bot*", "route:mine") as client:
        for models, status in ((["route:mine"], 201), (["a-bot"], 201), (["route:a-bot"], 403)):
            assert client.post("/api-keys", json={"name": "made", "models": models}).status_code == status


def test_there_is_a_most(stack: Stack, stranger: User) -> None:
    have = len(stranger.api.get("/routes?limit=200").json()["items"])
    for _ in range(200 - have):
        made(stranger)
    is_problem(make(stranger), 409, "conflict")
