"""Endpoints of people that misbehave, over REST: each failure is told at its place, and the session is intact."""

import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.control.visitors import KEY, Visitor, visitor
from tests.services.stack import Stack


@pytest.fixture
def guest(stack: Stack) -> Iterator[Visitor]:
    with visitor(stack) as made:
        yield made


def works_on(guest: Visitor) -> None:
    """Another model of the same session runs as if nothing had been."""
    body = {"preset": "openai", "api_key": KEY, "model": "echo"}
    added = guest.api.post(f"/sessions/{guest.session['id']}/targets", json=body)
    assert added.status_code == 201, added.text
    ended = guest.finished(guest.run(limit=1, targets=[added.json()["id"]])["id"])
    assert ended["status"] == "completed"


@pytest.mark.parametrize(
    ("model", "kind", "words"),
    [
        ("hang", "timeout", "time"),
        ("hang-3", "timeout", "time"),
        ("garbage", "malformed_response", ""),
        ("html", "malformed_response", ""),
        ("empty", "malformed_response", "empty"),
        ("redirect", "malformed_response", "not followed"),
        ("cut", "network", ""),
        ("error-200", "", ""),
        ("error-401", "auth", "401"),
        ("error-404", "model_not_found", "404"),
        ("error-429", "rate_limit", "429"),
        ("error-500", "server_error", "500"),
        ("error-echo-key", "", ""),
        ("stream-echo-key", "", ""),
        ("stream-error", "", ""),
        ("filter", "content_filter", ""),
        ("small-context-1", "context_length", ""),
    ],
)
def test_a_bad_endpoint_fails_by_kind_with_advice(guest: Visitor, model: str, kind: str, words: str) -> None:
    guest.begin(model)
    # Only what hangs may run out of time: elsewhere a busy machine has as long as it needs.
    hanging: dict[str, Any] = {"timeout_ms": 700} if kind == "timeout" else {}
    ended = guest.finished(guest.run(limit=2, retries=0, **hanging)["id"])
    assert ended["status"] == "failed", ended
    assert "Every prompt failed" in ended["detail"]
    for result in ended["results"]:
        failure = result["failure"]
        assert failure["kind"] == (kind or failure["kind"])
        assert words in failure["message"]
        assert failure["advice"]
    (told,) = ended["metrics"]["targets"][0]["failures"]
    assert (told["count"], bool(told["advice"])) == (2, True)
    assert KEY not in str(ended)
    works_on(guest)


@pytest.mark.parametrize("model", ["garbage", "html", "redirect", "cut", "error-200", "error-401", "error-echo-key"])
def test_the_connection_test_says_at_which_step_it_ends_and_what_to_do(guest: Visitor, model: str) -> None:
    session = guest.begin(model)
    found = guest.api.post(f"/sessions/{session['id']}/test").json()
    assert found["success"] is False
    assert found["advice"]
    assert [step["ok"] for step in found["steps"]][-1] is False
    assert all(step["ok"] for step in found["steps"][:-1])
    assert KEY not in str(found)
    works_on(guest)


def test_a_model_that_lies_about_its_usage_is_told_on(guest: Visitor) -> None:
    guest.begin("liar-1000")
    ended = guest.finished(guest.run(limit=2)["id"])
    assert ended["status"] == "completed"
    assert all(result["cautions"] for result in ended["results"])


@contextmanager
def listening() -> Generator[tuple[int, list[bytes]]]:
    """A port on every address of this machine, and what it hears."""
    heard: list[bytes] = []
    with socket.create_server(("", 0)) as server:

        def accept() -> None:
            try:
                while True:
                    connection, _ = server.accept()
                    with connection:
                        heard.append(connection.recv(1000))
            except OSError:
                return

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1], heard
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_name_that_leads_to_a_private_address_is_blocked_before_anything_is_sent(guest: Visitor) -> None:
    """The text tells nothing; the addresses are looked at when a connection is made."""
    name = socket.gethostname()
    if not name.replace("-", "").isalnum():
        pytest.skip("this machine's name is no plain one")
    with listening() as (port, heard):
        session = guest.begin("m", preset=None, endpoint_url=f"http://{name}:{port}/v1")
        found = guest.api.post(f"/sessions/{session['id']}/test").json()
        assert (found["success"], found["steps"][-1]["name"]) == (False, "address"), found
        assert found["advice"]
        ended = guest.finished(guest.run(limit=1)["id"])
        assert ended["results"][0]["failure"]["kind"] == "blocked_address"
        assert heard == []
    works_on(guest)


def test_a_name_that_nobody_has(guest: Visitor) -> None:
    guest.begin("m", preset=None, endpoint_url="https://nobody.invalid/v1")
    ended = guest.finished(guest.run(limit=1, retries=0, timeout_ms=500)["id"])
    assert ended["results"][0]["failure"]["kind"] in ("network", "timeout", "blocked_address")
    works_on(guest)


@pytest.mark.parametrize(
    "body",
    [
        {"endpoint_url": "file:///etc/passwd"},
        {"endpoint_url": "https://user:secret@llm.example.com/v1"},
        {"endpoint_url": "https://llm.example.com/v1?key=" + KEY},
        {"endpoint_url": "gopher://llm.example.com/"},
        {"endpoint_url": "https://"},
        {"endpoint_url": "http://[::ffff:169.254.169.254]/v1"},
        {"endpoint_url": "http://metadata.google.internal.:80/v1", "api_key": "k\r\nx: y"},
        {"preset": "no-such-preset"},
        {"preset": "openai", "credential": "mine"},
        {},
    ],
)
def test_what_is_no_endpoint_is_refused_and_takes_no_session(guest: Visitor, body: dict[str, Any]) -> None:
    answer = guest.api.post("/sessions", json={"model": "m", "api_key": KEY} | body)
    assert answer.status_code in (400, 422), answer.text
    assert KEY not in answer.text
    guest.begin()
    works_on(guest)
