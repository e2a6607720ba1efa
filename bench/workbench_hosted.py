"""A run of the server: made over REST, carried out by the durable jobs, its results kept in the database."""

import json
import time
from collections.abc import Sequence
from typing import Any

import httpx2

from bench.processes import BenchFailed
from bench.questions import PROVIDER_KEY
from bench.workbench_added import Seen
from bench.workbench_client import question

_PAGE = 500


class HostedBench:
    """The workbench of one account; `key` is an API key that may manage."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"authorization": f"Bearer {key}"}
        self._api = httpx2.Client(base_url=url + "/api/v1/workbench", headers=headers, timeout=60.0, trust_env=False)

    def run(self, model: str, name: str, prompts: int, concurrency: int, seconds: float) -> str:
        """Ask the questions of `name` and follow the run to its end, as the page does; its id. Raises BenchFailed."""
        suite = self._suite([{"id": f"{number}", "prompt": question(name, number)} for number in range(prompts)])
        target = {"preset": "openai", "api_key": PROVIDER_KEY, "model": model}
        session = self._made("/sessions", json=target)["id"]
        body = {"suite_id": suite, "concurrency": concurrency}
        run = self._made(f"/sessions/{session}/runs", json=body)["id"]
        deadline = time.monotonic() + seconds
        with self._api.stream("GET", f"/runs/{run}/events") as events:
            for _ in events.iter_lines():
                if time.monotonic() > deadline:
                    raise BenchFailed(f"the run did not end within {seconds:.0f} s")
        found = self._got(f"/runs/{run}", results=0)
        if found["status"] != "completed" or found["metrics"]["targets"][0]["success"]["count"] != prompts:
            raise BenchFailed(f"the run did not go well: {found['status']}, {found.get('status_detail')}")
        return run

    def seen(self, run: str) -> dict[str, Seen]:
        """What the run's results say, by question."""
        found: dict[str, Seen] = {}
        params: dict[str, Any] = {"limit": _PAGE}
        while True:
            page = self._got(f"/runs/{run}/results", **params)
            for row in page["items"]:
                found[row["prompt"][-1]["content"]] = Seen(row["ttft_ms"], row["latency_ms"])
            if page["next_cursor"] is None:
                return found
            params["cursor"] = page["next_cursor"]

    def close(self) -> None:
        self._api.close()

    def _suite(self, lines: Sequence[dict[str, str]]) -> str:
        data = "\n".join(map(json.dumps, lines)).encode()
        return str(self._made("/suites", params={"filename": "questions.jsonl"}, content=data)["id"])

    def _made(self, path: str, **request: Any) -> dict[str, Any]:
        return _ok(self._api.post(path, **request))

    def _got(self, path: str, **params: Any) -> dict[str, Any]:
        return _ok(self._api.get(path, params=params))


def _ok(answer: httpx2.Response) -> dict[str, Any]:
    if answer.status_code >= 300:
        raise BenchFailed(f"{answer.request.url}: {answer.status_code} {answer.text}")
    return answer.json()
