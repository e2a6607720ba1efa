"""What the proofs about workbench runs share: making runs, waiting for them, and counting what was asked."""

import asyncio
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import httpx2
from tests.services.stack import User

OPEN = ("pending", "running")


class Bench:
    """A user's session at one model of the sandbox. `key` tells its calls from others."""

    def __init__(self, user: User, key: str, model: str, sandbox_url: str) -> None:
        self.user = user
        self.api = user.api
        self._key = key
        self._sandbox_url = sandbox_url
        self.session = self._post(
            "/workbench/sessions",
            {"preset": "openai", "api_key": key, "model": model},
        )["id"]

    def start(self, **fields: Any) -> str:
        """Begin a run of the ten prompts of a curated suite; the path of the run."""
        body = {"suite_id": "qa-easy"} | fields
        return f"/workbench/runs/{self._post(f'/workbench/sessions/{self.session}/runs', body)['id']}"

    def look(self, path: str) -> dict[str, Any]:
        return self.api.get(path, params={"results": 0}).json()

    async def until(self, path: str, enough: Callable[[dict[str, Any]], bool], seconds: float = 60) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while True:
                run = await asyncio.to_thread(self.look, path)
                if enough(run):
                    return run
                await asyncio.sleep(0.05)

    async def begun(self, path: str, count: int = 2) -> dict[str, Any]:
        return await self.until(path, lambda run: run["progress"]["done"] >= count)

    async def ended(self, path: str, seconds: float = 60) -> dict[str, Any]:
        return await self.until(path, lambda run: run["status"] not in OPEN, seconds)

    def results(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self.api.get(
                f"{path}/results", params={"limit": 500} | ({"cursor": cursor} if cursor else {})
            ).json()
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    def once_each(self, path: str, repeats: int = 1) -> list[dict[str, Any]]:
        """The results, checked to be one of each call, and all of them answers."""
        results = self.results(path)
        slots = Counter((result["position"], result["repeat"]) for result in results)
        assert slots == {(position, repeat): 1 for position in range(10) for repeat in range(repeats)}
        assert {result["status"] for result in results} == {"ok"}
        return results

    def asked(self) -> int:
        """How many requests the sandbox received with the key."""
        counts = httpx2.get(self._sandbox_url + "/__sandbox/stats", trust_env=False).json()["by_key"]
        return counts.get(sha256(self._key.encode()).hexdigest()[:16], 0)

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.api.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()
