"""What limited API keys can and cannot do with the workbench, and what happens to work whose rights end."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from tests.control.people import database, unique
from tests.control.visitors import followed
from tests.services.stack import Stack, User

_RUN = {"suite_id": "qa-easy", "limit": 1}


@pytest.fixture(scope="module")
def owner(make_user: Callable[[str], User]) -> User:
    user = make_user("bounded")
    user.add_key("openai", f"sk-proj-{unique('narrow')}-0123456789", label="mine")
    return user


@contextmanager
def limited(owner: User, **rights: Any) -> Generator[tuple[str, httpx2.Client]]:
    """A key of the owner's with these rights; its id, and a client that uses it."""
    body = {"name": unique("narrow"), "scopes": ["gateway", "manage"]} | rights
    made = owner.api.post("/api-keys", json=body)
    assert made.status_code == 201, made.text
    headers = {"authorization": f"Bearer {made.json()['key']}"}
    with httpx2.Client(base_url=owner.api.base_url, headers=headers, timeout=30, trust_env=False) as api:
        yield made.json()["id"], api


def begin(api: httpx2.Client, **target: Any) -> dict[str, Any]:
    answer = api.post("/workbench/sessions", json={"model": "openai/echo"} | target)
    assert answer.status_code == 201, answer.text
    return answer.json()


def run(api: httpx2.Client, session: dict[str, Any], **fields: Any) -> dict[str, Any]:
    made = api.post(f"/workbench/sessions/{session['id']}/runs", json=_RUN | fields)
    assert made.status_code == 201, made.text
    return followed(api, made.json()["id"], "/workbench")


def test_a_key_for_calls_alone_has_no_workbench(owner: User) -> None:
    with limited(owner, scopes=["gateway"]) as (_, api):
        assert api.post("/workbench/sessions", json={"model": "openai/echo"}).status_code == 403


def test_a_key_without_the_right_to_call_runs_nothing_through_the_gateway(owner: User) -> None:
    with limited(owner, scopes=["manage"]) as (_, api):
        ended = run(api, begin(api))
    assert ended["status"] == "failed"
    assert ended["results"][0]["failure"]["kind"] == "auth"
    assert "gateway" in ended["results"][0]["failure"]["message"]


def test_a_keys_models_bound_its_runs_its_tests_and_its_judges(owner: User) -> None:
    with limited(owner, models=["openai/echo"]) as (_, api):
        session = begin(api)
        assert run(api, session)["status"] == "completed"
        ended = run(api, session, compare_with="openai/parrot")
        kinds = {result["target"]: result["failure"] for result in ended["results"]}
        assert kinds[0] is None
        assert kinds[1]["kind"] in ("auth", "model_not_found")
        other = api.post(f"/workbench/sessions/{session['id']}/targets", json={"model": "openai/parrot"}).json()
        found = api.post(f"/workbench/sessions/{session['id']}/test", json={"target_id": other["id"]}).json()
        assert found["success"] is False


def test_a_limited_key_does_not_get_its_users_rights_back_by_their_session(owner: User) -> None:
    whole = begin(owner.api)
    with limited(owner, models=["openai/echo"]) as (_, api):
        mine = begin(api)
        path = f"/workbench/sessions/{whole['id']}"
        for answer in (api.get(path), api.post(f"{path}/runs", json=_RUN), api.delete(path)):
            assert answer.status_code == 404
        listed = {each["id"] for each in api.get("/workbench/sessions").json()["items"]}
        assert listed == {mine["id"]}
        # The other way round nothing is gained: the session's work keeps the limits it was made with.
        ended = run(owner.api, mine, compare_with="openai/parrot")
        assert {result["target"] for result in ended["results"] if result["failure"]} == {1}


def test_a_keys_addresses_hold_for_the_runs_that_are_asked_for_from_elsewhere(stack: Stack, owner: User) -> None:
    """All of 127.0.0.0/8 is this host."""
    with limited(owner, allowed_ips=["127.0.0.1"]) as (_, api):
        session = begin(api)
        ended = run(api, session)
        assert ended["status"] == "completed", ended
        assert "peer" not in ended["plan"]
    elsewhere = httpx2.HTTPTransport(local_address="127.77.0.9")
    headers = {"authorization": f"Bearer {session['token']}"}
    with httpx2.Client(
        base_url=stack.url + "/api/v1", transport=elsewhere, headers=headers, timeout=30, trust_env=False
    ) as api:
        ended = run(api, session)
    assert ended["status"] == "failed"
    assert ended["results"][0]["failure"]["kind"] == "auth"


def test_a_stored_keys_addresses_are_compared_with_who_asked_for_the_run(owner: User) -> None:
    bound = unique("bound")
    owner.add_key("openai", f"sk-proj-{bound}-0123456789", label=bound, allowed_ips=["127.0.0.1"])
    assert run(owner.api, begin(owner.api, credential=bound))["status"] == "completed"
    away = unique("away")
    owner.add_key("openai", f"sk-proj-{away}-0123456789", label=away, allowed_ips=["192.0.2.1"])
    assert run(owner.api, begin(owner.api, credential=away))["status"] == "failed"


@pytest.mark.parametrize("target", [{"model": "openai/slow-1000"}, {"model": "slow-1000", "preset": "openai"}])
def test_a_key_that_is_revoked_in_mid_run_ends_the_run_within_seconds(owner: User, target: dict[str, str]) -> None:
    """A run through the gateway, and one that goes to an endpoint with a key of its own."""
    own = {"api_key": "sk-withdrawn-1234567"} if "preset" in target else {}
    with limited(owner) as (key_id, api):
        session = begin(api, **target, **own)
        made = api.post(f"/workbench/sessions/{session['id']}/runs", json={"suite_id": "qa-easy", "repeats": 50}).json()
        path = f"/workbench/runs/{made['id']}"
        with owner.api.stream("GET", f"{path}/events", timeout=30) as events:
            lines = events.iter_lines()
            assert any(line.startswith("id: ") for line in lines)
            with httpx2.Client(base_url=owner.api.base_url, headers=owner.api.headers, trust_env=False) as second:
                assert second.delete(f"/api-keys/{key_id}").status_code == 204
            for _ in lines:
                pass
        ended = owner.api.get(path).json()
        assert ended["status"] == "failed"
        assert "revoked" in ended["detail"]
        assert ended["progress"]["done"] < 60
        # The session's token has ended with it; its owner still sees it.
        headers = {"authorization": f"Bearer {session['token']}"}
        assert httpx2.get(f"{owner.stack.url}/api/v1{path}", headers=headers, trust_env=False).status_code == 401
        assert owner.api.get(f"/workbench/sessions/{session['id']}").status_code == 200


def test_a_disabled_users_token_opens_nothing(stack: Stack, newcomer: Callable[[], User]) -> None:
    user = newcomer()
    session = begin(user.api, preset="openai", api_key="sk-parted-1234567", model="echo")
    headers = {"authorization": f"Bearer {session['token']}"}
    url = f"{stack.url}/api/v1/workbench/sessions/{session['id']}"
    assert httpx2.get(url, headers=headers, trust_env=False).status_code == 200
    with stack.session() as operator:
        assert operator.patch(f"/admin/users/{user.id}", json={"disabled": True}).status_code == 200
    assert httpx2.get(url, headers=headers, trust_env=False).status_code == 401


def test_a_users_deletion_takes_sessions_runs_and_their_jobs(own_stack: Stack) -> None:
    user = own_stack.user("leaver")
    session = begin(user.api, preset="openai", api_key="sk-leaver-1234567", model="echo")
    ended = run(user.api, session)
    with own_stack.session() as operator:
        assert operator.delete(f"/admin/users/{user.id}").status_code in (200, 204)
    with database(own_stack) as tables:
        for table in ("workbench_sessions", "workbench_targets", "workbench_runs", "workbench_results"):
            assert tables.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    # A job that finds its run gone ends, and leaves no row.
    with database(own_stack) as tables:
        deadline = time.monotonic() + 20
        while tables.execute("SELECT count(*) FROM jobs WHERE key LIKE ?", (f"{ended['id']}%",)).fetchone() != (0,):
            assert time.monotonic() < deadline
