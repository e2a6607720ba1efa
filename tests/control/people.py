"""What the control plane's tests share: unique names, browsers, a look into the database's own file."""

import itertools
import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx2
from tests.services.stack import Stack

PASSWORD = "a fine long password"
"""Of every user that `Stack.user` makes."""
_numbers = itertools.count(1)


def unique(word: str) -> str:
    """A name that no other test of this run uses."""
    return f"{word}-{os.getpid()}-{next(_numbers)}"


@contextmanager
def browser(stack: Stack, email: str = "", password: str = PASSWORD, **options: Any) -> Generator[httpx2.Client]:
    """A client that keeps cookies; signed in when `email` is given."""
    with httpx2.Client(
        base_url=stack.url + "/api/v1", timeout=30.0, trust_env=False, verify=False, **options
    ) as client:
        if email:
            answer = sign_in(client, email, password)
            assert answer.status_code == 200, answer.text
        yield client


def sign_in(client: httpx2.Client, email: str, password: str) -> httpx2.Response:
    return client.post("/auth/login", json={"email": email, "password": password})


@contextmanager
def database(stack: Stack) -> Generator[sqlite3.Connection]:
    """The server's own SQLite file, beside the running server."""
    connection = sqlite3.connect(stack.data_dir / "ownkey.db", timeout=10)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def look(answer: httpx2.Response) -> tuple[int, str, dict[str, str]]:
    """Everything a client can see of an answer but its time."""
    return answer.status_code, answer.text, dict(answer.headers)


def is_problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document, checked to be one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == status
    assert found["code"] == code, found
    assert found["type"] == "about:blank"
    assert found["title"]
    assert found["detail"]
    return found
