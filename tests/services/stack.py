"""A running Ownkey and a running sandbox, as their own processes, for tests that use them as people do."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

OPERATOR = ("operator@example.com", "correct horse battery")
_READY_SECONDS = 120.0


class Process:
    """A command of ours that prints an address when it is ready."""

    def __init__(self, arguments: list[str], environment: dict[str, str] | None = None) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OWNKEY_")}
        self._log: list[str] = []
        self._read = 0
        # A file and not a pipe: nobody reads while tests run, and a full pipe would stop the server.
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (open until the process is stopped)
        self.popen = subprocess.Popen(
            [sys.executable, "-c", "from ownkey.cli import main; main()", *arguments],
            env=clean | {"PYTHONUNBUFFERED": "1"} | (environment or {}),
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )
        try:
            self.url = self._wait_for_address()
        except AssertionError:
            self.stop(signal.SIGKILL)
            raise

    def _wait_for_address(self) -> str:
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            self.read_log(timeout=0.2)
            found = re.search(r"on (http://\S+)", self.log)
            if found:
                return found[1]
            if self.popen.poll() is not None:
                break
        raise AssertionError(f"the process did not start:\n{self.log}")

    @property
    def log(self) -> str:
        """Everything printed so far, as far as it was read."""
        return "".join(self._log)

    def read_log(self, timeout: float = 0.0) -> str:
        """Read what is new, waiting up to `timeout` seconds for it; everything printed so far."""
        deadline = time.monotonic() + timeout
        while not self._output.closed:
            chunk = os.pread(self._output.fileno(), 1 << 20, self._read)
            if chunk:
                self._read += len(chunk)
                self._log.append(chunk.decode(errors="replace"))
                deadline = 0.0
            elif time.monotonic() >= deadline:
                break
            else:
                time.sleep(0.02)
        return self.log

    def stop(self, number: int = signal.SIGTERM, seconds: float = 40.0) -> int:
        """Send a signal and wait for the end; the exit status."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        try:
            status = self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
            raise
        self.read_log()
        self._output.close()
        return status


class Stack:
    """One Ownkey in front of one sandbox."""

    def __init__(self, data_dir: Path, sandbox: Process, **environment: str) -> None:
        self.data_dir = data_dir
        self.sandbox = sandbox
        self._environment = {
            "OWNKEY_ADMIN_EMAIL": OPERATOR[0],
            "OWNKEY_ADMIN_PASSWORD": OPERATOR[1],
            "OWNKEY_SANDBOX_URL": sandbox.url,
            "OWNKEY_DATA_DIR": str(data_dir),
        } | environment
        self._users: list[User] = []
        self.start()

    def stop(self) -> int:
        """Stop the server as an operator would; its exit status."""
        for user in self._users:
            user.close()
        return self.ownkey.stop()

    def start(self) -> None:
        self.ownkey = Process(["serve", "--port", "0"], self._environment)

    @property
    def url(self) -> str:
        return self.ownkey.url

    @contextmanager
    def session(self, email: str = OPERATOR[0], password: str = OPERATOR[1]) -> Generator[httpx2.Client]:
        """A signed-in browser, as it were."""
        with httpx2.Client(base_url=self.url + "/api/v1", timeout=30.0, trust_env=False) as client:
            answer = client.post("/auth/login", json={"email": email, "password": password})
            assert answer.status_code == 200, answer.text
            yield client

    def user(self, name: str, **credentials: Any) -> "User":
        """A fresh user with an API key for everything and one stored key per provider given."""
        email, password = f"{name}@example.com", "a fine long password"
        with self.session() as operator:
            made = operator.post("/admin/users", json={"email": email, "password": password})
            assert made.status_code == 201, made.text
        with self.session(email, password) as session:
            body = {"name": "all", "scopes": ["gateway", "manage"]}
            key = session.post("/api-keys", json=body).json()["key"]
        user = User(self, made.json()["id"], email, key)
        self._users.append(user)
        for provider, secret in credentials.items():
            user.add_key(provider, secret)
        return user


class User:
    """A user of a stack, by API key."""

    def __init__(self, stack: Stack, id_: str, email: str, key: str) -> None:
        self.stack, self.id, self.email, self.key = stack, id_, email, key
        headers = {"authorization": f"Bearer {key}"}
        self.api = httpx2.Client(base_url=stack.url + "/api/v1", headers=headers, timeout=30.0, trust_env=False)
        self.gateway = httpx2.Client(base_url=stack.url, headers=headers, timeout=60.0, trust_env=False)

    def add_key(self, provider: str, secret: str, **more: Any) -> dict[str, Any]:
        body = {"provider": provider, "api_key": secret, "test": False} | more
        answer = self.api.post("/credentials", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def chat(self, model: str, text: str = "hello", **more: Any) -> httpx2.Response:
        headers = more.pop("headers", {})
        body = {"model": model, "messages": [{"role": "user", "content": text}]} | more
        return self.gateway.post("/v1/chat/completions", json=body, headers=headers)

    def receipt(self, answer: httpx2.Response) -> dict[str, Any]:
        found = self.api.get(f"/requests/{answer.headers['x-ownkey-request-id']}")
        assert found.status_code == 200, found.text
        return found.json()

    def close(self) -> None:
        self.api.close()
        self.gateway.close()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Process]:
    """One sandbox for all tests of a worker."""
    process = Process(["sandbox", "--port", "0"])
    yield process
    process.stop()


@pytest.fixture(scope="session")
def stack(sandbox: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One Ownkey for all tests of a worker: each makes users of its own."""
    running = Stack(tmp_path_factory.mktemp("ownkey"), sandbox)
    yield running
    assert running.stop() == 0


@pytest.fixture
def own_stack(sandbox: Process, tmp_path: Path) -> Iterator[Stack]:
    """An Ownkey for one test alone, which may stop and kill it."""
    running = Stack(tmp_path / "data", sandbox)
    yield running
    running.stop()
