"""The first operator comes by the environment or by a one-time link, and comes once."""

import re
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.services.stack import OPERATOR, Process, Stack

PASSWORD = "a fine long password"


class Fresh:
    """A server that nobody has set up, and its one-time link."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.start()

    def start(self) -> None:
        self.process = Process(["serve", "--port", "0"], {"OWNKEY_DATA_DIR": str(self.data_dir)})
        found = re.search(r"/setup\?token=(\S+)", self.process.log)
        assert found, self.process.log
        self.token = found[1]

    def submit(self, token: str, email: str, password: str = PASSWORD) -> httpx2.Response:
        form = {"token": token, "email": email, "password": password}
        return httpx2.post(self.process.url + "/setup", data=form, timeout=30.0, trust_env=False, verify=False)

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(self.process.url + path, timeout=30.0, trust_env=False, verify=False)

    def sign_in(self, email: str, password: str = PASSWORD) -> httpx2.Response:
        body = {"email": email, "password": password}
        return httpx2.post(
            self.process.url + "/api/v1/auth/login", json=body, timeout=30.0, trust_env=False, verify=False
        )

    def change_database(self, statement: str) -> int:
        connection = sqlite3.connect(self.data_dir / "ownkey.db", timeout=10)
        with connection:
            changed = connection.execute(statement).rowcount
        connection.close()
        return changed


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Fresh]:
    server = Fresh(tmp_path / "data")
    yield server
    server.process.stop()


def test_the_link_survives_mistakes_and_works_once(fresh: Fresh) -> None:
    form = fresh.get(f"/setup?token={fresh.token}")
    assert form.status_code == 200
    assert fresh.token in form.text
    assert "script" not in form.text
    assert form.headers["referrer-policy"] == "no-referrer"

    for email, password, told in [
        ("root@example.com", "short", "10 to 1024"),
        ("root@example.com", "", "10 to 1024"),
        ("no address", PASSWORD, "not an e-mail address"),
        ('"><script>alert(1)</script>', PASSWORD, "not an e-mail address"),
    ]:
        mistaken = fresh.submit(fresh.token, email, password)
        assert mistaken.status_code == 422
        assert told in mistaken.text
        assert "<script>" not in mistaken.text
        assert password not in mistaken.text or not password

    assert fresh.submit("x" * 43, "root@example.com").status_code == 404

    done = fresh.submit(fresh.token, "Root@Example.com")
    assert done.status_code == 200
    assert PASSWORD not in done.text
    signed_in = fresh.sign_in("root@example.com")
    assert signed_in.json()["role"] == "operator"

    assert fresh.submit(fresh.token, "second@example.com").status_code == 404
    assert fresh.get(f"/setup?token={fresh.token}").status_code == 404
    assert fresh.sign_in("second@example.com").status_code == 401
    assert fresh.token not in fresh.process.read_log().replace(f"/setup?token={fresh.token}", "")


def test_an_expired_link_is_refused(fresh: Fresh) -> None:
    assert fresh.change_database("UPDATE setup_tokens SET expires_at = 1") == 1
    refused = fresh.submit(fresh.token, "root@example.com")
    assert refused.status_code == 404
    assert "expired" in refused.text
    assert fresh.sign_in("root@example.com").status_code == 401


def test_submits_at_the_same_time_make_one_operator_whatever_link_they_hold(fresh: Fresh) -> None:
    earlier = fresh.token
    assert fresh.process.stop() == 0
    fresh.start()
    tokens = [earlier, fresh.token] * 4
    start = threading.Barrier(len(tokens))
    answers: list[int] = []

    def submit(number: int) -> None:
        start.wait()
        answers.append(fresh.submit(tokens[number], f"root{number}@example.com").status_code)

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(len(tokens))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [404] * (len(tokens) - 1)
    connection = sqlite3.connect(fresh.data_dir / "ownkey.db")
    assert connection.execute("SELECT count(*) FROM users").fetchone() == (1,)
    connection.close()


def test_the_environment_makes_the_operator_and_leaves_no_link(stack: Stack) -> None:
    assert f"Operator: {OPERATOR[0]}" in stack.ownkey.log
    assert "/setup?token=" not in stack.ownkey.log
    assert OPERATOR[1] not in stack.ownkey.log
    refused = httpx2.get(stack.url + "/setup?token=anything", trust_env=False, verify=False)
    assert refused.status_code == 404
    with stack.session() as operator:
        assert operator.get("/me").json()["role"] == "operator"
