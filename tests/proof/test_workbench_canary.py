"""A marked key, token and prompt go through the whole workbench, and are then looked for everywhere."""

import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
from tests.control.visitors import followed
from tests.proof.servers import ForkedStack, Launcher
from tests.proof.spellings import files_below, new_mark, occurrences
from tests.services.stack import Process

Sink = tuple[str, bytes]
_EXPORTS = ("csv", "json", "jsonl", "junit", "html")
_MODELS = ("echo", "error-echo-key", "stream-echo-key", "error-500", "garbage")


class Tour:
    """A visitor's session and a user's, from their first model to their erasure. `told` is everything that was
    answered, `held` the files while the sessions live, `left` those after their erasure, with the log."""

    def __init__(self, stack: ForkedStack, folder: Path) -> None:
        self.key, self.refused, self.prompt, self.talk = new_mark(), new_mark(), new_mark(), new_mark()
        self.tokens: list[str] = []
        self.told: list[Sink] = []
        self.held: list[Sink] = []
        self.left: list[Sink] = []
        self.log = b""
        self._stack = stack
        self._folder = folder
        self.sandbox_url = stack.sandbox.url

    def walk(self) -> None:
        user = self._stack.user("canary")
        with self._client() as visitor, self._client(authorization=f"Bearer {user.key}") as account:
            sessions = [(visitor, self._session(visitor)), (account, self._session(account))]
            for api, session in sessions:
                self._run_and_talk(api, session)
            self._promote(account)
            copied = self._folder / "held"
            shutil.copytree(self._stack.data_dir, copied)
            self.held = list(files_below(copied))
            for api, session in sessions:
                assert api.delete(f"/workbench/sessions/{session}").json()["scrubbed"] is True
            for kept in ("credentials", "routes"):
                for each in account.get(f"/{kept}").json()["items"]:
                    assert account.delete(f"/{kept}/{each['id']}").is_success
            for suite in account.get("/workbench/suites").json()["items"]:
                if not suite["curated"]:
                    assert account.delete(f"/workbench/suites/{suite['id']}").is_success
        self.left = list(files_below(self._stack.data_dir))
        assert self._stack.stop() == 0
        self.left += [(f"{name}, stopped", data) for name, data in files_below(self._stack.data_dir)]
        self.log = self._stack.server.log.encode()

    def own(self, mark: str) -> str:
        return f"sk-proj-{mark}-tail"

    def _client(self, **headers: str) -> httpx2.Client:
        return httpx2.Client(
            base_url=self._stack.url + "/api/v1",
            headers=headers,
            timeout=30.0,
            trust_env=False,
            event_hooks={"response": [self._keep]},
        )

    def _keep(self, answer: httpx2.Response) -> None:
        answer.read()
        head = b"\n".join(name + b": " + value for name, value in answer.headers.raw)
        data = head + b"\n\n" + answer.content
        if answer.request.url.path.endswith("/workbench/sessions") and answer.status_code == 201:
            # It is told here, once.
            token = answer.json()["token"]
            self.tokens.append(token)
            data = data.replace(token.encode(), b"")
        self.told.append((f"answer to {answer.request.method} {answer.request.url.path}", data))

    def _session(self, api: httpx2.Client) -> str:
        for body in (
            {"preset": "openai", "api_key": [self.own(self.key)], "model": "echo"},
            {"preset": self.own(self.key), "api_key": self.own(self.key), "model": "echo"},
            {"endpoint_url": f"https://{self.key}:x@llm.example.com/v1", "api_key": self.own(self.key), "model": "m"},
            {"endpoint_url": "http://127.0.0.1:1/v1", "api_key": self.own(self.key), "model": "m"},
        ):
            assert 400 <= api.post("/workbench/sessions", json=body).status_code < 500
        body = {"preset": "openai", "api_key": self.own(self.key), "model": "echo"}
        session = api.post("/workbench/sessions", json=body).json()
        if "authorization" not in api.headers:
            api.headers["authorization"] = f"Bearer {session['token']}"
        return session["id"]

    def _run_and_talk(self, api: httpx2.Client, session: str) -> None:
        path = f"/workbench/sessions/{session}"
        assert api.post(f"{path}/test").json()["success"]
        bad = {"preset": "openai", "api_key": self.own("invalid-" + self.refused), "model": "echo"}
        refused = api.post(f"{path}/targets", json=bad).json()["id"]
        assert not api.post(f"{path}/test", json={"target_id": refused}).json()["success"]
        data = f'{{"prompt": "{self.prompt} why?"}}\n'.encode()
        suite = api.post("/workbench/suites?filename=own.jsonl", content=data).json()["id"]
        api.post("/workbench/suites?filename=own.jsonl", content=b"{broken " + data)
        body = {"suite_id": suite, "retries": 0, "timeout_ms": 3000}
        for fields in ({"compare_with": list(_MODELS[1:])}, {"targets": [refused]}):
            made = api.post(f"{path}/runs", json=body | fields)
            assert made.status_code == 201, made.text
            run = followed(api, made.json()["id"], "/workbench")
            where = f"/workbench/runs/{run['id']}"
            for name in _EXPORTS:
                assert api.get(f"{where}/export", params={"format": name}).is_success
            for place in range(len(run["plan"]["targets"])):
                asked = {"messages": [{"role": "user", "content": f"{self.talk}?"}], "target": place}
                assert api.post(f"{where}/chat", json=asked).is_success
            assert api.post(f"{where}/retry-failed").status_code == 202
            followed(api, run["id"], "/workbench")
        self._last = run["id"]
        for look in (path, "/workbench/suites", f"/workbench/suites/{suite}"):
            assert api.get(look).is_success

    def _promote(self, account: httpx2.Client) -> None:
        answer = account.post(f"/workbench/runs/{self._last}/promote", json={"name": "canary"})
        assert answer.status_code == 201, answer.text


@pytest.fixture(scope="module")
def tour(launcher: Launcher, sandbox: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    folder = tmp_path_factory.mktemp("workbench-canary")
    stack = ForkedStack(launcher, folder / "data", sandbox, OWNKEY_LOG_FORMAT="json", OWNKEY_LOG_LEVEL="debug")
    tour = Tour(stack, folder)
    try:
        tour.walk()
        yield tour
    finally:
        stack.close()


def test_a_key_is_in_no_answer_no_file_and_no_log(tour: Tour) -> None:
    for mark in (tour.key, tour.refused):
        assert occurrences(mark, [*tour.told, *tour.held, *tour.left, ("log", tour.log)]) == []


def test_the_keys_did_go_where_they_belong(tour: Tour) -> None:
    """Otherwise the test before proves nothing."""
    seen = httpx2.get(tour.sandbox_url + "/__sandbox/stats", trust_env=False).json()["by_key"]
    for key in (tour.own(tour.key), tour.own("invalid-" + tour.refused)):
        assert seen.get(sha256(key.encode()).hexdigest()[:16], 0) > 0


def test_a_sessions_token_is_told_once_and_kept_nowhere(tour: Tour) -> None:
    assert len(tour.tokens) == 2
    for token in tour.tokens:
        assert occurrences(token, [*tour.told, *tour.held, *tour.left, ("log", tour.log)]) == []


def test_prompts_are_in_no_log(tour: Tour) -> None:
    for mark in (tour.prompt, tour.talk):
        assert occurrences(mark, [("log", tour.log)]) == []


def test_nothing_of_an_erased_session_is_left(tour: Tour) -> None:
    assert occurrences(tour.prompt, tour.held) != []
    for mark in (tour.prompt, tour.talk):
        assert occurrences(mark, tour.left) == []


def test_nothing_that_happened_was_unforeseen(tour: Tour) -> None:
    assert b"Traceback" not in tour.log
    assert b'"exception"' not in tour.log
