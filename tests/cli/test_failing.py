"""Commands fail in one line, with 1 for an error and 2 for wrong usage."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.cli.running import asking, is_told, ownkey
from tests.services.stack import User

COMMANDS = [
    ["keys", "add", "openai"],
    ["keys", "rotate", "x"],
    ["api-keys", "create", "--name", "x"],
    ["models"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_without_a_key_a_command_says_how_to_get_one(user: User, command: list[str]) -> None:
    is_told(ownkey(*command, stdin="k", url=user.stack.url), 1, "OWNKEY_API_KEY")


@pytest.mark.parametrize("command", [COMMANDS[0], COMMANDS[3]], ids=" ".join)
def test_a_wrong_key_is_told_and_not_repeated(user: User, command: list[str]) -> None:
    ran = ownkey(
        *command,
        stdin="sk-secret",
        url=user.stack.url,
        api_key=user.key[:-1] + ("1" if user.key.endswith("0") else "0"),
    )
    is_told(ran, 1, "401 invalid_api_key")
    assert user.key[:20] not in ran.err
    assert "sk-secret" not in ran.err


def test_a_key_without_the_right_is_told(user: User) -> None:
    key = user.api.post("/api-keys", json={"name": "gateway only"}).json()["key"]
    is_told(ownkey("keys", "list", url=user.stack.url, api_key=key), 1, "manage", "403 not_allowed")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:9", "is the server running"),
        ("http://[::1", "--url"),
        ("127.0.0.1:8080", "--url"),
        ("ftp://127.0.0.1", "--url"),
        ("http://no-such-host.invalid", "is the server running"),
    ],
)
def test_a_wrong_address_is_told(url: str, told: str) -> None:
    is_told(ownkey("keys", "list", "--url", url, api_key="ok_x"), 1, told)


@pytest.mark.parametrize("key", ["schlüssel", "a\nb"])
def test_what_no_header_can_carry_is_told(user: User, key: str) -> None:
    is_told(ownkey("keys", "list", url=user.stack.url, api_key=key), 1, "OWNKEY_API_KEY")


class Foreign(BaseHTTPRequestHandler):
    """A server that is not Ownkey."""

    def do_GET(self) -> None:
        status, kind, body = {
            "/page/api/v1/credentials": (200, "text/html", b"<h1>hello</h1>"),
            "/list/api/v1/credentials": (200, "application/json", b"[1]"),
            "/other/api/v1/credentials": (200, "application/json", b'{"data":[]}'),
            "/moved/api/v1/credentials": (302, "text/html", b""),
            "/angry/api/v1/credentials": (500, "application/json", b'["no"]'),
        }.get(self.path.partition("?")[0], (404, "text/plain", b"nothing"))
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the base class)
        """Silence."""


@pytest.fixture(scope="module")
def foreign() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Foreign) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("path", ["page", "list", "other", "moved", "angry", "nothing"])
def test_a_server_of_another_kind_is_told(foreign: str, path: str) -> None:
    is_told(ownkey("keys", "list", url=f"{foreign}/{path}", api_key="ok_x"), 1, "is this an Ownkey server?")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["keys", "nothing"],
        ["keys", "add"],
        ["keys", "add", "openai", "--priority", "high"],
        ["requests", "--limit", "0"],
    ],
)
def test_wrong_usage_exits_with_two(user: User, arguments: list[str]) -> None:
    ran = ownkey(*arguments, **asking(user))
    assert ran.code == 2
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"prot": "1"}, "OWNKEY_PORT"),
        ({"port": "high"}, "port"),
        ({"config": "/nowhere.toml"}, "/nowhere.toml"),
        ({"sandbox_url": "localhost"}, "sandbox_url"),
    ],
)
def test_wrong_settings_exit_with_two(variables: dict[str, str], told: str) -> None:
    is_told(ownkey("doctor", **variables), 2, told)


@pytest.mark.parametrize("arguments", [["serve"], ["admin", "create-user", "--email", "a@example.com"]])
def test_every_command_on_this_machine_reads_the_settings_so(arguments: list[str]) -> None:
    is_told(ownkey(*arguments, stdin="a fine long password", prot="1"), 2, "OWNKEY_PORT")


def test_help_names_every_command() -> None:
    text = ownkey("--help").out
    for name in ("serve", "sandbox", "admin", "keys", "api-keys", "models", "usage", "requests", "explain", "doctor"):
        assert name in text
