"""Visitors of the workbench without an account, each from an address of their own (all of 127.0.0.0/8 is this host)."""

from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from typing import Any

import httpx2
from tests.services.stack import Stack

KEY = "sk-visitor-1234567890"


class Visitor:
    """One address. `api` carries no token until `begin` has made a session."""

    def __init__(self, stack: Stack, address: str) -> None:
        self.address = address
        transport = httpx2.HTTPTransport(local_address=address)
        self.api = httpx2.Client(
            base_url=stack.url + "/api/v1/workbench", transport=transport, timeout=30.0, trust_env=False
        )
        self.session: dict[str, Any] = {}

    def begin(self, model: str = "echo", **fields: Any) -> dict[str, Any]:
        body = {"preset": "openai", "api_key": KEY, "model": model} | fields
        answer = self.api.post("/sessions", json=body)
        assert answer.status_code == 201, answer.text
        self.session = answer.json()
        self.api.headers["authorization"] = f"Bearer {self.session['token']}"
        return self.session

    def run(self, suite_id: str = "qa-easy", **fields: Any) -> dict[str, Any]:
        answer = self.api.post(f"/sessions/{self.session['id']}/runs", json={"suite_id": suite_id} | fields)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def finished(self, run_id: str) -> dict[str, Any]:
        """Follow a run to its end; the run then."""
        return followed(self.api, run_id)


def followed(api: httpx2.Client, run_id: str, prefix: str = "") -> dict[str, Any]:
    """Follow a run's events to their end; the run then, with its results."""
    with api.stream("GET", f"{prefix}/runs/{run_id}/events") as events:
        assert events.status_code == 200, events.read()
        for _ in events.iter_lines():
            pass
    return api.get(f"{prefix}/runs/{run_id}").json()


_addresses = count(2)


@contextmanager
def visitor(stack: Stack) -> Generator[Visitor]:
    """A visitor from an address that nobody had before; their session is erased at the end."""
    number = next(_addresses)
    guest = Visitor(stack, f"127.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}")
    try:
        yield guest
    finally:
        if guest.session:
            guest.api.delete(f"/sessions/{guest.session['id']}")
        guest.api.close()
