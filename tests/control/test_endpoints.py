"""A user's own endpoint: where a key may be sent, and that a stored key follows to no new address."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from tests.control.people import is_problem, unique
from tests.services.stack import Process, Stack, User

FORBIDDEN = [
    "http://127.0.0.1:8080/v1",
    "http://localhost/v1",
    "http://sub.localhost/v1",
    "http://[::1]/v1",
    "http://0.0.0.0/v1",
    "http://10.1.2.3/v1",
    "http://192.168.0.1/v1",
    "http://172.16.0.1/v1",
    "http://100.64.0.1/v1",
    "http://169.254.169.254/latest",
    "http://168.63.129.16/v1",
    "http://[fd00:ec2::254]/v1",
    "http://[fe80::1]/v1",
    "http://[::ffff:127.0.0.1]/v1",
    "http://[::ffff:a9fe:a9fe]/v1",
    "http://[64:ff9b::a9fe:a9fe]/v1",
    "http://[2002:a9fe:a9fe::1]/v1",
    "http://2130706433/v1",
    "http://0x7f.1/v1",
    "http://0177.0.0.1/v1",
    "http://127.1/v1",
    "http://１２７.0.0.1/v1",
    "http://127。0.0.1/v1",
    "http://api.example.com@127.0.0.1/v1",
    "http://user:secret@api.example.com/v1",
    "http://api.example.com\\@127.0.0.1/v1",
    "http://api.example.com#@127.0.0.1/v1",
    "http://api.example.com/v1#x",
    "http://api.example.com/v1?key=secret",
    "http://api.example.com/../admin",
    "http://api.example.com:0/v1",
    "http://api.example.com:99999/v1",
    "http:///v1",
    "//api.example.com/v1",
    "file:///etc/passwd",
    "gopher://api.example.com/",
    "unix:///run/docker.sock",
    "api.example.com/v1",
    "http://api.example.com/v1\r\nx: y",
    "http://api.example.com /v1",
    "",
    "x" * 2049,
]


@pytest.mark.parametrize("url", FORBIDDEN)
def test_a_user_cannot_point_a_key_there(user: User, url: str) -> None:
    body = {"provider": "custom", "api_key": "sk-canary-9d31", "base_url": url}
    stored = user.add_key("openai", f"sk-test-{unique('move')}-abcdefgh")
    for answer in (
        user.api.post("/credentials", json=body | {"test": False}),
        user.api.post("/credentials", json=body),
        user.api.post("/credentials/test", json=body),
        user.api.patch(f"/credentials/{stored['id']}", json={"base_url": url, "api_key": "sk-canary-9d31"}),
    ):
        assert answer.status_code in (400, 422), answer.text
        is_problem(answer, answer.status_code, "invalid_request")
        assert "canary" not in answer.text
        assert "secret" not in answer.text
    assert user.api.get(f"/credentials/{stored['id']}").json() == stored
    user.api.delete(f"/credentials/{stored['id']}")


def test_a_stored_key_does_not_follow_to_another_host(user: User) -> None:
    secret = f"sk-test-{unique('stay')}-abcdefgh"
    stored = user.add_key("custom", secret, base_url="https://llm.example.com/v1")
    path = f"/credentials/{stored['id']}"
    for elsewhere in ("https://evil.example/v1", "http://llm.example.com/v1", "https://llm.example.com:8443/v1"):
        told = is_problem(user.api.patch(path, json={"base_url": elsewhere}), 400, "invalid_request")
        assert told["param"] == "api_key"
    ours = user.add_key("openai", f"sk-test-{unique('stay')}-abcdefgh")
    is_problem(
        user.api.patch(f"/credentials/{ours['id']}", json={"base_url": "https://evil.example"}), 400, "invalid_request"
    )
    moved = user.api.patch(path, json={"base_url": "https://llm.example.com/v2/"})
    assert moved.json()["base_url"] == "https://llm.example.com/v2"
    body = {"base_url": "https://other.example/v1", "api_key": secret, "test": False}
    assert user.api.patch(path, json=body).json()["base_url"] == "https://other.example/v1"


def test_a_name_that_leads_inside_is_stopped_at_the_connection(user: User) -> None:
    """The name passes as text; what it resolves to does not."""
    body = {"provider": "custom", "api_key": "k" * 20, "base_url": "http://localtest.invalid/v1"}
    answer = user.api.post("/credentials", json=body)
    assert answer.status_code == 201
    assert answer.json()["status"] == "untested"
    assert "Not reached" in answer.json()["test"]["message"]


@pytest.fixture(scope="module")
def opened(sandbox: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A server at the providers' real addresses, whose operator lets users reach the sandbox's host and port."""
    data_dir: Path = tmp_path_factory.mktemp("opened")
    opening = urlsplit(sandbox.url).netloc
    stack = Stack(data_dir, sandbox, OWNKEY_SANDBOX_URL="", OWNKEY_ALLOW_PRIVATE_ENDPOINTS=opening)
    yield stack
    assert stack.stop() == 0


def test_the_operator_opens_one_private_host_and_port(opened: Stack) -> None:
    person = opened.user("opened")
    base_url = opened.sandbox.url + "/openai/v1"
    stored = person.api.post("/credentials", json={"provider": "custom", "base_url": base_url, "api_key": "k" * 20})
    assert stored.status_code == 201, stored.text
    assert stored.json()["status"] == "valid"
    other_port = "http://127.0.0.1:9/v1"
    is_problem(
        person.api.post("/credentials", json={"provider": "custom", "base_url": other_port, "api_key": "k" * 20}),
        400,
        "invalid_request",
    )
    for call in ("/credentials", "/credentials/test"):
        nowhere = person.api.post(call, json={"provider": "custom", "api_key": "k" * 20})
        assert is_problem(nowhere, 400, "invalid_request")["param"] == "base_url"
    is_problem(person.api.patch(f"/credentials/{stored.json()['id']}", json={"base_url": None}), 400, "invalid_request")
    keyless = person.add_key("vllm", "", base_url=base_url)
    assert keyless["masked_key"] == "(no key)"
    moved = person.api.patch(f"/credentials/{keyless['id']}", json={"base_url": opened.sandbox.url + "/mistral/v1"})
    assert moved.status_code == 200, "an endpoint without a key may move: no key follows"


def test_an_operators_platform_endpoint_may_be_private(
    operator: httpx2.Client, newcomer: Callable[[], User], stack: Stack
) -> None:
    body = {
        "provider": "vllm",
        "scope": "platform",
        "api_key": f"sk-test-{unique('house')}-abcdefgh",
        "base_url": stack.sandbox.url + "/openai/v1",
        "model": unique("house-model"),
    }
    stored = operator.post("/credentials", json=body)
    assert stored.status_code == 201, stored.text
    try:
        answer = newcomer().chat(body["model"], "hello")
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-ownkey-payer"] == "platform"
    finally:
        operator.delete(f"/credentials/{stored.json()['id']}")
