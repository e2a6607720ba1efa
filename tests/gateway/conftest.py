"""An Ownkey that may reach the test's own provider, and platform keys to be paid by."""

import socket
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import httpx2
import pytest
from tests.gateway.upstream import ScriptedUpstream
from tests.services.stack import Process, Stack, User

PLATFORM_KEY = "sk-platform-pays"
"""Its last four characters are no other key's: the sandbox finds requests by them."""


class Workshop(Stack):
    """A stack with a scripted provider; `dead` is an address where nobody listens."""

    upstream: ScriptedUpstream
    dead: str


@pytest.fixture(scope="session")
def upstream() -> Iterator[ScriptedUpstream]:
    server = ScriptedUpstream()
    yield server
    server.close()


@pytest.fixture(scope="session")
def workshop(
    sandbox: Process, upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workshop]:
    with socket.socket() as reserved:
        # Bound and never listening: connections are refused, and nobody else gets the port.
        reserved.bind(("127.0.0.1", 0))
        dead = f"127.0.0.1:{reserved.getsockname()[1]}"
        allowed = [upstream.address, dead, sandbox.url.removeprefix("http://")]
        running = Workshop(
            tmp_path_factory.mktemp("workshop"),
            sandbox,
            OWNKEY_ALLOW_PRIVATE_ENDPOINTS=",".join(allowed),
            OWNKEY_PLATFORM_KEY_OPENAI=PLATFORM_KEY,
            OWNKEY_LOG_FORMAT="json",
        )
        running.upstream = upstream
        running.dead = f"http://{dead}"
        yield running
        assert running.stop() == 0


_numbers = count(1)


def until(true: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Poll for what another process does in its own time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def bare(user: User) -> User:
    """The user without keys and with the default preferences: cheaper than a new one."""
    for row in user.api.get("/credentials").json()["items"]:
        assert user.api.delete(f"/credentials/{row['id']}").status_code == 204
    assert user.api.put("/preferences", json={}).status_code == 200
    return user


@pytest.fixture(scope="module")
def workshop_user(workshop: Workshop) -> User:
    return workshop.user(f"worker-{next(_numbers)}")


@pytest.fixture
def user(workshop_user: User) -> User:
    """A user of the workshop without keys."""
    return bare(workshop_user)


@pytest.fixture
def new_key() -> str:
    """A provider key that no other test uses; extend it to choose the sandbox's mood."""
    return f"sk-test-key-{next(_numbers):04d}"


Requests = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def sandbox_requests(sandbox: Process) -> Iterator[Requests]:
    """What the sandbox received with keys that end so, the newest last."""
    with httpx2.Client(base_url=sandbox.url, trust_env=False) as client:

        def received(key_suffix: str) -> list[dict[str, Any]]:
            return client.get("/__sandbox/requests", params={"key_suffix": key_suffix}).json()["requests"]

        yield received
