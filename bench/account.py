"""Ownkey as it is tested: a user with an API key and stored provider keys, everything on."""

import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2

from bench.machine import ownkey_command
from bench.processes import BenchFailed, Running, environment
from bench.questions import PROVIDER_KEY

_OPERATOR = ("operator@example.com", "correct horse battery")
_USER = ("bench@example.com", "a fine long password")
_DRAIN_SECONDS = 15.0
_REQUESTS_PER_MINUTE = 1_000_000


class Ownkey:
    """A running server. `addresses` move single providers, the rest answer from `sandbox_url`."""

    def __init__(
        self,
        folder: Path,
        core: int,
        sandbox_url: str,
        addresses: Mapping[str, str] | None = None,
    ) -> None:
        moved = {f"OWNKEY_PROVIDER_{name.upper()}_BASE_URL": url for name, url in (addresses or {}).items()}
        env = {
            "OWNKEY_ADMIN_EMAIL": _OPERATOR[0],
            "OWNKEY_ADMIN_PASSWORD": _OPERATOR[1],
            "OWNKEY_SANDBOX_URL": sandbox_url,
            "OWNKEY_DATA_DIR": str(folder),
        }
        command = [str(ownkey_command()), "serve", "--port", "0"]
        log = folder.with_suffix(".log")
        self._running = Running(command, core, environment(env | moved), log)
        self.url = self._running.wait_for(r"on (http://\S+)")
        self._client = httpx2.Client(base_url=self.url, timeout=20.0, trust_env=False)

    @property
    def pids(self) -> tuple[int, ...]:
        return (self._running.pid,)

    def make_user(self, providers: Iterable[str], scopes: Sequence[str] = ("gateway",)) -> str:
        """An API key without limits, of a new user who owns a key for each of these providers."""
        with self._session(*_OPERATOR) as operator:
            _ok(operator.post("/admin/users", json={"email": _USER[0], "password": _USER[1]}))
        with self._session(*_USER) as session:
            for provider in providers:
                body = {"provider": provider, "api_key": PROVIDER_KEY, "test": False}
                _ok(session.post("/credentials", json=body))
        return self._make_key({"name": "bench", "scopes": list(scopes)})

    def make_limited_key(self) -> str:
        """Another API key of that user, whose requests are counted by the minute; the limit is out of reach."""
        return self._make_key(
            {"name": "limited", "scopes": ["gateway"], "limits": {"requests_per_minute": _REQUESTS_PER_MINUTE}}
        )

    def _make_key(self, body: dict[str, object]) -> str:
        with self._session(*_USER) as session:
            return str(_ok(session.post("/api-keys", json=body)).json()["key"])

    def pending(self) -> int:
        """How many requests have ended and are not in the database yet."""
        text = _ok(self._client.get("/metrics")).text
        for line in text.splitlines():
            if line.startswith("ownkey_usage_pending"):
                return int(float(line.split()[1]))
        raise BenchFailed("/metrics does not tell ownkey_usage_pending")

    def check(self) -> None:
        """Raise BenchFailed when it has ended."""
        self._running.check()

    def settle(self) -> None:
        """Wait until the usage of all requests is in the database, so that the next round has the core."""
        deadline = time.monotonic() + _DRAIN_SECONDS
        while self.pending():
            self._running.check()
            if time.monotonic() > deadline:
                raise BenchFailed(f"usage is not written within {_DRAIN_SECONDS:.0f} s")
            time.sleep(0.05)

    def stop(self) -> None:
        self._client.close()
        self._running.stop()

    @contextmanager
    def _session(self, email: str, password: str) -> Generator[httpx2.Client]:
        with httpx2.Client(base_url=self.url + "/api/v1", timeout=20.0, trust_env=False) as client:
            _ok(client.post("/auth/login", json={"email": email, "password": password}))
            yield client


def _ok(answer: httpx2.Response) -> httpx2.Response:
    if answer.status_code >= 300:
        raise BenchFailed(f"{answer.request.url}: {answer.status_code} {answer.text}")
    return answer
