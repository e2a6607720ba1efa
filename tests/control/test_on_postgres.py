"""The heart of the control plane once more on Postgres, races above all: there, transactions really run together."""

import asyncio
import csv
import io
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from tests.control.people import PASSWORD, browser, is_problem, look, sign_in, unique
from tests.services.postgres import Cluster
from tests.services.stack import Process, Stack, User


@pytest.fixture(scope="module")
def database_url(postgres_cluster: Cluster, postgres_template: str) -> Iterator[str]:
    name = asyncio.run(postgres_cluster.create(postgres_template))
    yield postgres_cluster.url(name)
    asyncio.run(postgres_cluster.drop(name))


@pytest.fixture(scope="module")
def stack(sandbox: Process, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A server on Postgres in place of the worker's."""
    running = Stack(tmp_path_factory.mktemp("on-postgres"), sandbox, OWNKEY_DATABASE_URL=database_url)
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def operator(stack: Stack) -> Iterator[httpx2.Client]:
    with stack.session() as client:
        yield client


def together(calls: list[Callable[[], httpx2.Response]]) -> list[int]:
    """Make calls at the same time; their statuses, sorted."""
    start = threading.Barrier(len(calls))
    statuses: list[int] = []

    def run(call: Callable[[], httpx2.Response]) -> None:
        start.wait()
        statuses.append(call().status_code)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(statuses)


def key(word: str = "key") -> str:
    return f"sk-test-{unique(word)}-abcdefgh"


def rows(url: str, statement: str, *values: object) -> list[Any]:
    async def fetch() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    return asyncio.run(fetch())


def test_a_key_is_stored_used_and_deleted(user: User, database_url: str) -> None:
    secret = key()
    stored = user.api.post("/credentials", json={"provider": "openai", "api_key": secret}).json()
    assert stored["status"] == "valid"
    answer = user.chat("openai/gpt-5-mini")
    assert user.receipt(answer)["credential_id"] == stored["id"]
    assert user.api.get("/usage").json()["total"]["requests"] == 1
    assert len(list(csv.DictReader(io.StringIO(user.api.get("/usage/export").text)))) == 1
    assert rows(database_url, "SELECT id FROM credentials WHERE id = $1", stored["id"])
    assert user.api.delete(f"/credentials/{stored['id']}").status_code == 204
    assert rows(database_url, "SELECT id FROM credentials WHERE id = $1", stored["id"]) == []
    assert user.chat("openai/gpt-5-mini").status_code == 503


@pytest.mark.parametrize("same", ["api_key", "label"])
def test_of_identical_creates_one_succeeds(user: User, same: str) -> None:
    bodies: list[dict[str, Any]] = [
        {"provider": "openai", "api_key": key("race"), "label": unique("race"), "test": False} for _ in range(6)
    ]
    for body in bodies:
        body[same] = bodies[0][same]
    statuses = together([lambda body=body: user.api.post("/credentials", json=body) for body in bodies])
    assert statuses == [201] + [409] * 5


def test_of_identical_renames_one_succeeds(user: User) -> None:
    label = unique("wanted")
    ids = [user.add_key("mistral", key())["id"] for _ in range(4)]
    statuses = together([lambda id_=id_: user.api.patch(f"/credentials/{id_}", json={"label": label}) for id_ in ids])
    assert statuses == [200] + [409] * 3


def test_one_default_is_left_of_many_chosen_together(user: User) -> None:
    ids = [user.add_key("groq", key())["id"] for _ in range(4)]
    choose = [lambda id_=id_: user.api.patch(f"/credentials/{id_}", json={"is_default": True}) for id_ in ids]
    for _ in range(5):
        assert together(choose) == [200] * 4
        listed = user.api.get("/credentials?limit=200").json()["items"]
        assert len([row for row in listed if row["is_default"]]) == 1


def test_two_operators_cannot_end_each_other(operator: httpx2.Client, stack: Stack) -> None:
    email = f"{unique('second')}@example.com"
    body = {"email": email, "password": PASSWORD, "role": "operator"}
    other = operator.post("/admin/users", json=body).json()
    me = operator.get("/me").json()
    with browser(stack, email) as session:
        calls = [
            lambda: operator.patch(f"/admin/users/{other['id']}", json={"disabled": True}),
            lambda: session.patch(f"/admin/users/{me['id']}", json={"disabled": True}),
        ]
        statuses = together(calls)
        assert 200 in statuses
        assert set(statuses) <= {200, 401, 409}
        left = operator if operator.get("/me").status_code == 200 else session
        assert left.get("/me").json()["role"] == "operator"
        left.patch(f"/admin/users/{me['id']}", json={"disabled": False})
    assert sign_in(operator, "operator@example.com", "correct horse battery").status_code == 200
    assert operator.delete(f"/admin/users/{other['id']}").status_code == 204


def test_guesses_at_the_same_time_are_all_counted(stack: Stack, user: User) -> None:
    def guess() -> httpx2.Response:
        with browser(stack) as client:
            return sign_in(client, user.email, "not the password")

    assert together([guess] * 14) == [401] * 10 + [429] * 4


def test_tests_at_the_same_time_are_all_counted(stack: Stack) -> None:
    person = stack.user(unique("tester"))
    body = {"provider": "openai", "api_key": key()}
    statuses = together([lambda: person.api.post("/credentials/test", json=body)] * 9)
    assert statuses == [200] * 5 + [429] * 4


def test_foreign_and_odd_ids_are_absent(user: User, stranger: User) -> None:
    foreign = stranger.add_key("openai", key())["id"]
    absent = foreign[:-4] + "0000"
    for path in ("/credentials/{}", "/credentials/{}/usage", "/api-keys/{}", "/requests/{}"):
        assert look(user.api.get(path.format(foreign))) == look(user.api.get(path.format(absent)))
        for odd in ("%F0%9F%94%91", "'%20OR%201=1", "x" * 500):
            is_problem(user.api.get(path.format(odd)), 404, "not_found")


def test_deleting_a_user_leaves_nothing(stack: Stack, operator: httpx2.Client, database_url: str) -> None:
    person = stack.user(unique("leaving"), openai=key())
    assert person.chat("openai/echo").status_code == 200
    assert operator.delete(f"/admin/users/{person.id}").status_code == 204
    assert person.chat("openai/echo").status_code == 401
    for table in ("credentials", "api_keys", "sessions", "requests", "preferences"):
        assert rows(database_url, f"SELECT 1 FROM {table} WHERE user_id = $1", person.id) == []


def test_two_links_used_at_the_same_time_make_one_operator(
    postgres_cluster: Cluster, postgres_template: str, tmp_path: Path
) -> None:
    name = asyncio.run(postgres_cluster.create(postgres_template))
    environment = {"OWNKEY_DATA_DIR": str(tmp_path), "OWNKEY_DATABASE_URL": postgres_cluster.url(name)}
    tokens: list[str] = []
    server = Process(["serve", "--port", "0"], environment)
    tokens += re.findall(r"/setup\?token=(\S+)", server.log)
    assert server.stop() == 0
    server = Process(["serve", "--port", "0"], environment)
    tokens += re.findall(r"/setup\?token=(\S+)", server.log)
    assert len(tokens) == 2

    def submit(number: int) -> httpx2.Response:
        form = {"token": tokens[number % 2], "email": f"root{number}@example.com", "password": PASSWORD}
        return httpx2.post(server.url + "/setup", data=form, trust_env=False, verify=False, timeout=30)

    assert together([lambda number=number: submit(number) for number in range(6)]) == [200] + [404] * 5
    assert server.stop() == 0
    asyncio.run(postgres_cluster.drop(name))
