"""Marked secrets go through everything that touches secrets, and are then looked for everywhere."""

import base64
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
from tests.proof.servers import Command, ForkedStack, Launcher
from tests.proof.spellings import files_below, new_mark, occurrences, spellings
from tests.services.stack import OPERATOR, Process

Sink = tuple[str, bytes]
_OPENAI = ("echo", "error-echo-key", "stream-echo-key", "error-500", "cut", "garbage")
_ANTHROPIC = ("echo", "error-echo-key", "stream-echo-key")
_CLOUDS = ("echo", "error-echo-key", "stream-echo-key", "garbage")
_MODELS = (
    *(f"openai/{name}" for name in _OPENAI),
    *(f"anthropic/{name}" for name in _ANTHROPIC),
    *(f"{provider}/{name}" for provider in ("bedrock", "azure") for name in _CLOUDS),
)
_LABELS = {"openai": ("good", "bad"), "anthropic": ("claude",), "bedrock": ("aws",), "azure": ("entra",)}
_USAGE = ("/usage", "/requests", "/usage/export?format=csv", "/usage/export?format=json")
_PAGES = ("/credentials", "/api-keys", "/me", "/preferences", "/providers", "/models", *_USAGE)


class Tour:
    """One walk of marked secrets through a server. `sinks` is everything that came out or was left behind.

    `marks` are the parts of the secrets that are looked for: a mask may show a key's first and last characters.
    """

    def __init__(self, stack: ForkedStack, folder: Path) -> None:
        self.sinks: list[Sink] = []
        self.marks = {
            "provider key": new_mark(),
            "refused provider key": new_mark(),
            "replaced provider key": new_mark(),
            "deleted provider key": new_mark(),
            "AWS secret access key": new_mark(),
            "AWS session token": new_mark(),
            "Entra client secret": new_mark(),
            "user's password": new_mark(),
            "user's new password": new_mark(),
        }
        self.sandbox_url = stack.sandbox.url
        self.exempt: frozenset[str] = frozenset()
        self._stack = stack
        self._folder = folder
        self._client = httpx2.Client(
            base_url=stack.url, timeout=30.0, trust_env=False, event_hooks={"response": [self._keep]}
        )

    def _keep(self, answer: httpx2.Response) -> None:
        answer.read()
        name = f"answer to {answer.request.method} {answer.request.url.path}"
        if name in self.exempt:
            return
        head = b"\n".join(name + b": " + value for name, value in answer.headers.raw)
        self.sinks.append((name, head + b"\n\n" + answer.content))

    def key(self, name: str, infix: str = "") -> str:
        """A provider key around a mark."""
        return f"sk-proj-{infix}{self.marks[name]}-tail"

    def walk(self) -> None:
        self._sign_up()
        self._store()
        self._call()
        self._make_mistakes()
        self._look_around()
        self._by_command_line()
        self._crash()
        self._leave_and_read_what_is_left()

    def close(self) -> None:
        self._client.close()

    def _sign_up(self) -> None:
        client, password = self._client, self.marks["user's password"]
        with self._stack.session() as operator:
            body = {"email": "canary@example.com", "password": password}
            assert operator.post("/admin/users", json=body).status_code == 201
        body = {"email": "canary@example.com", "password": "wrong " + password}
        assert client.post("/api/v1/auth/login", json=body).status_code == 401
        # A session token and an API key are told once each, in these two answers and nowhere else.
        self.exempt = frozenset({"answer to POST /api/v1/auth/login", "answer to POST /api/v1/api-keys"})
        body["password"] = password
        assert client.post("/api/v1/auth/login", json=body).status_code == 200
        made = client.post("/api/v1/api-keys", json={"name": "canary", "scopes": ["gateway", "manage"]}).json()
        self.exempt = frozenset()
        self.marks["session token"] = client.cookies["ownkey"]
        # Its head may be shown, to recognise it.
        self.marks["API key"] = made["key"][12:-4]
        self.api_key: str = made["key"]
        new = {"password": self.marks["user's new password"], "current_password": password}
        assert client.patch("/api/v1/me", json=new).is_success
        assert client.get("/api/v1/me/sessions").is_success
        client.cookies.clear()
        client.headers["authorization"] = f"Bearer {self.api_key}"

    def _store(self) -> None:
        client = self._client
        tried = {"provider": "openai", "api_key": self.key("provider key")}
        assert client.post("/api/v1/credentials/test", json=tried).json()["success"]
        stored = client.post("/api/v1/credentials", json=tried | {"label": "good"})
        assert stored.status_code == 201, stored.text
        assert client.post("/api/v1/credentials", json=tried | {"label": "again"}).status_code == 409
        self.good: str = stored.json()["id"]
        assert client.post(f"/api/v1/credentials/{self.good}/test").json()["success"]
        bad = {"provider": "openai", "api_key": self.key("refused provider key", "invalid-"), "label": "bad"}
        self.bad: str = client.post("/api/v1/credentials", json=bad).json()["id"]
        assert not client.post(f"/api/v1/credentials/{self.bad}/test").json()["success"]
        old = {"provider": "anthropic", "api_key": self.key("replaced provider key"), "label": "claude", "test": False}
        replaced: str = client.post("/api/v1/credentials", json=old).json()["id"]
        new = {"api_key": self.key("provider key", "ant-")}
        assert client.patch(f"/api/v1/credentials/{replaced}", json=new).is_success
        gone = {"provider": "groq", "api_key": self.key("deleted provider key"), "label": "gone", "test": False}
        deleted: str = client.post("/api/v1/credentials", json=gone).json()["id"]
        assert client.delete(f"/api/v1/credentials/{deleted}").is_success
        self._store_keys_of_several_parts()

    def _store_keys_of_several_parts(self) -> None:
        """An AWS key, which is signed with and never sent, and a secret that is exchanged for a token."""
        secret, session = self.marks["AWS secret access key"], self.marks["AWS session token"]
        aws = {"provider": "bedrock", "label": "aws", "config": {"region": "eu-central-1"}}
        aws["api_key"] = f"AKIACANARY0000000001:head/{secret}/tail:head/{session}/tail"
        entra = {"provider": "azure", "label": "entra", "config": {"tenant_id": "t", "client_id": "c"}}
        entra["api_key"] = f"head~{self.marks['Entra client secret']}~tail"
        for body in (aws, entra):
            stored = self._client.post("/api/v1/credentials", json=body)
            assert stored.status_code == 201, stored.text
            wrong = body | {"api_key": str(body["api_key"]) + ":more:and:more", "label": "wrong"}
            self._client.post(
                "/api/v1/credentials", json=wrong | {"config": {"region": "!", "tenant_id": "!", "client_id": "c"}}
            )

    def _call(self) -> None:
        for model in _MODELS:
            for path in ("chat/completions", "messages"):
                for stream in (False, True):
                    for label in _LABELS[model.partition("/")[0]]:
                        self._ask(model, path, stream, label)
        self._client.post("/v1/embeddings", json={"model": "openai/text-embedding-3-small", "input": "x"})
        self._client.get("/v1/models")

    def _ask(self, model: str, path: str, stream: bool, label: str) -> None:
        body = {"model": model, "max_tokens": 50, "stream": stream, "messages": [{"role": "user", "content": "hello"}]}
        try:
            self._client.post(f"/v1/{path}", json=body, headers={"x-ownkey-credential": label})
        except httpx2.RemoteProtocolError:
            assert model == "openai/cut"

    def _make_mistakes(self) -> None:
        client, key = self._client, self.key("provider key")
        wrong: list[tuple[str, dict[str, object]]] = [
            ("/api/v1/credentials", {"provider": key, "api_key": "x"}),
            ("/api/v1/credentials", {"provider": "nobody", "api_key": key}),
            ("/api/v1/credentials", {"provider": "openai", "api_key": [key]}),
            ("/api/v1/credentials", {"provider": "openai", "api_key": key + "\n"}),
            ("/api/v1/credentials", {"provider": "openai", "api_key": key + "\ud800"}),
            ("/api/v1/credentials", {"provider": "openai", "api_key": key * 400}),
            ("/api/v1/credentials", {"provider": "openai", "api_key": key, "base_url": "http://169.254.169.254/v1"}),
            ("/api/v1/credentials", {"provider": "openai", "api_key": key, "base_url": f"https://{key}@example.com"}),
            ("/api/v1/credentials", {"provider": "openai", "api_key": key, "nonsense": key}),
            ("/api/v1/credentials/test", {"provider": "openai", "key": key}),
            ("/api/v1/auth/login", {"email": key, "password": key}),
            ("/v1/chat/completions", {"model": "openai/echo", "api_key": key}),
        ]
        as_json = {"content-type": "application/json"}
        for path, body in wrong:
            answer = client.post(path, content=json.dumps(body).encode(), headers=as_json)
            assert 400 <= answer.status_code < 500, (path, answer.text)
        broken = f'{{"provider": "openai", "api_key": "{key}"'.encode()
        for path in ("/api/v1/credentials", "/v1/chat/completions", "/v1/messages"):
            assert client.post(path, content=broken, headers=as_json).status_code == 400
        for carrier in ("authorization", "x-api-key", "api-key"):
            # A provider's key where Ownkey's belongs.
            value = f"Bearer {key}" if carrier == "authorization" else key
            answer = httpx2.post(f"{self._stack.url}/v1/messages", json={}, headers={carrier: value}, trust_env=False)
            self.sinks.append(
                (f"refusal of a provider key in {carrier}", answer.content + str(answer.headers).encode())
            )
            assert answer.status_code == 401

    def _look_around(self) -> None:
        for path in (*_PAGES, f"/credentials/{self.good}", f"/credentials/{self.bad}"):
            answer = self._client.get("/api/v1" + path)
            assert answer.is_success, path
        for row in self._client.get("/api/v1/requests?limit=200").json()["items"]:
            assert self._client.get(f"/api/v1/requests/{row['id']}").is_success
        self._client.post("/api/v1/route/explain", json={"model": "openai/echo"})
        for path in ("/metrics", "/openapi.json", "/docs", "/readyz", "/"):
            assert self._client.get(path).is_success, path

    def _by_command_line(self) -> None:
        marks = {"by command line": new_mark(), "by command line, refused": new_mark()}
        self.marks |= marks
        client = {"OWNKEY_URL": self._stack.url, "OWNKEY_API_KEY": self.api_key}
        for name, infix in (("by command line", ""), ("by command line, refused", "invalid-")):
            command = Command("keys", "add", "mistral", "--label", name, **client)
            command.tell(self.key(name, infix) + "\n")
            # What any user of the machine may read while it runs, and what its owner may.
            while command.popen.poll() is None:
                self._read_process(command.pid, f"ownkey keys add ({name})")
            assert command.wait() == 0, command.output.text
            self.sinks.append((f"output of keys add ({name})", command.output.text.encode()))
            self._ask("mistral/echo", "chat/completions", False, name)
        command = Command("keys", "list", "--json", **client)
        assert command.wait() == 0
        self.sinks.append(("output of keys list", command.output.text.encode()))
        self._read_process(self._stack.server.pid, "server")
        backup = self._folder / "backup.db"
        command = Command("admin", "backup", str(backup), "--data-dir", str(self._stack.data_dir))
        assert command.wait() == 0, command.output.text
        self.sinks += [("output of backup", command.output.text.encode()), ("backup", backup.read_bytes())]

    def _read_process(self, pid: int, name: str) -> None:
        for file in ("cmdline", "environ"):
            try:
                data = Path(f"/proc/{pid}/{file}").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            # The client's API key comes in the environment, as the contract has it.
            self.sinks.append((f"{file} of {name}", data.replace(self.api_key.encode(), b"")))

    def _crash(self) -> None:
        """Damage rows, so that unforeseen exceptions arise with the secrets at hand, in both planes."""
        with closing(sqlite3.connect(self._stack.data_dir / "ownkey.db")) as database, database:
            database.execute("UPDATE credentials SET status = 'nonsense'")
            database.execute("UPDATE change_counter SET seq = seq + 100")
        stored = {"provider": "openai", "api_key": self.key("provider key", "crash-")}
        assert self._client.post("/api/v1/credentials", json=stored).status_code == 500
        assert self._client.get("/api/v1/credentials").status_code == 500
        self._stack.server.output.wait_for(r'"exception":')
        body = {"model": "openai/echo", "messages": [{"role": "user", "content": "x"}]}
        while (answer := self._client.post("/v1/chat/completions", json=body)).status_code == 200:
            # Until the change feed has told the data plane to read the row again.
            continue
        assert answer.status_code == 500
        self._stack.server.output.wait_for("A data-plane handler raised")

    def _leave_and_read_what_is_left(self) -> None:
        self.sinks += [(f"file {name}, in use", data) for name, data in files_below(self._stack.data_dir)]
        # As a crash would leave them: the write-ahead log and the journal are still there.
        left = self._folder / "left"
        shutil.copytree(self._stack.data_dir, left)
        assert (left / "ownkey.db-wal").stat().st_size > 0
        assert self._stack.stop() == 0
        self.sinks += [(f"file {name}, stopped", data) for name, data in files_below(self._stack.data_dir)]
        self.sinks.append(("log", self._stack.server.log.encode()))


@pytest.fixture(scope="module")
def tour(launcher: Launcher, sandbox: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    folder = tmp_path_factory.mktemp("canary")
    stack = ForkedStack(launcher, folder / "data", sandbox, OWNKEY_LOG_FORMAT="json", OWNKEY_LOG_LEVEL="debug")
    tour = Tour(stack, folder)
    try:
        tour.walk()
        yield tour
    finally:
        tour.close()
        stack.close()


@pytest.mark.parametrize(
    "secret",
    [
        "provider key",
        "refused provider key",
        "replaced provider key",
        "deleted provider key",
        "AWS secret access key",
        "AWS session token",
        "Entra client secret",
        "by command line",
        "by command line, refused",
        "API key",
        "session token",
        "user's password",
        "user's new password",
    ],
)
def test_a_marked_secret_is_in_no_sink(tour: Tour, secret: str) -> None:
    assert occurrences(tour.marks[secret], tour.sinks) == []


def test_the_master_key_is_nowhere_but_in_its_file(tour: Tour) -> None:
    name = next(name for name, _ in tour.sinks if name.endswith("master.key, stopped"))
    text = dict(tour.sinks)[name].decode()
    encoded = next(line.split()[2] for line in text.splitlines() if line.startswith("primary"))
    others = [(name, data) for name, data in tour.sinks if "master.key," not in name]
    assert occurrences(base64.b64decode(encoded), others) == []
    assert occurrences(encoded, others) == []


def test_the_operators_password_is_only_where_the_operator_put_it(tour: Tour) -> None:
    # The variables of a server started with OWNKEY_ADMIN_PASSWORD; a forked one does not even have those.
    assert occurrences(OPERATOR[1], tour.sinks) == []


def test_the_secrets_did_go_where_they_belong(tour: Tour) -> None:
    """Otherwise the others prove nothing."""
    url = tour.sandbox_url + "/__sandbox/stats"
    seen = httpx2.get(url, trust_env=False).json()["by_key"]
    for key in (tour.key("provider key"), tour.key("refused provider key", "invalid-"), tour.key("by command line")):
        assert seen.get(sha256(key.encode()).hexdigest()[:16], 0) > 0


def test_the_search_finds_what_is_there() -> None:
    mark = new_mark()
    for spelling, text in spellings(mark).items():
        assert occurrences(mark, [("sink", b"before" + text + b"after")]), spelling
    for lead in range(4):
        secret = b"x" * lead + mark.encode() + os.urandom(5)
        assert occurrences(mark, [("sink", base64.b64encode(secret))]), lead
        assert occurrences(mark, [("sink", base64.encodebytes(secret * 5))]), lead
    assert occurrences(mark, [("sink", os.urandom(100_000))]) == []
