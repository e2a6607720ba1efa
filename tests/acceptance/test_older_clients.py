"""Older majors of the vendors' SDKs, each in its own environment, are answered as the current ones are."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.services.stack import Stack, User

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "clients"
CLIENTS = {"anthropic-0": "0.", "anthropic-1": "1.", "openai-1": "1.", "openai-2": "2."}
STOPS = {"anthropic": ("end_turn", "tool_use"), "openai": ("stop", "tool_calls")}
CLASSES = {
    "400": "BadRequestError",
    "401": "AuthenticationError",
    "403": "PermissionDeniedError",
    "404": "NotFoundError",
    "409": "ConflictError",
    "413": "RequestTooLargeError",
    "422": "UnprocessableEntityError",
    "429": "RateLimitError",
    "500": "InternalServerError",
}


@pytest.fixture(scope="module")
def user(stack: Stack) -> User:
    return stack.user("older-clients", openai="sk-test-openai-0003", anthropic="sk-ant-test-0003")


def run(client: str, user: User, provider: str) -> dict[str, Any]:
    """What the client saw. Its environment is made by `make setup-clients`."""
    python = ROOT / ".venv-clients" / client / "bin" / "python"
    assert python.exists(), f"there is no environment for {client}: run `make setup-clients`"
    script = SCRIPTS / f"{client.partition('-')[0]}_client.py"
    finished = subprocess.run(
        [python, "-W", "ignore", script, user.stack.url, user.key, provider],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={"PATH": "/usr/bin:/bin", "NO_PROXY": "*"},
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
@pytest.mark.parametrize("client", CLIENTS)
def test_an_older_client(user: User, client: str, provider: str) -> None:
    saw = run(client, user, provider)
    family = client.partition("-")[0]
    ended, called = STOPS[family]
    assert saw["version"].startswith(CLIENTS[client])
    assert saw["message"] == {"text": "Hello there", "stop": ended, "output": 2}
    assert saw["stream"]["text"]
    assert (saw["stream"]["same"], saw["stream"]["output"]) == (True, 20)
    assert (saw["tools"]["stop"], saw["tools"]["name"]) == (called, "get_weather")
    assert "city" in saw["tools"]["input"]
    assert "4 degrees" in saw["tools"]["text"]
    assert "anthropic/claude-sonnet-4.5" in saw["models"]
    for status, error in [*saw["errors"].items(), *saw["streamed_errors"].items()]:
        expected = "OverloadedError" if (family, status) == ("anthropic", "529") else CLASSES.get(status)
        assert error["class"] == (expected or "InternalServerError")
        assert error["status"] == int(status)
        assert error["id"]
    assert all(error["class"] for error in saw["broken_streams"].values())
