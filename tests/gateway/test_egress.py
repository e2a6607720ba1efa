"""A server in a network whose only way out is a proxy, and whose providers have certificates of its own authority."""

import asyncio
import json
import ssl
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme
from tests.net.connect_proxy import ConnectProxy
from tests.services.stack import Process, Stack, User

from ownkey.config import ConfigurationError, load_settings
from ownkey.main.network import network_lines

NAME = "groq.test"
PASSWORD = "hunter2secret"
_ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "llama-3.3-70b-versatile",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "through"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


class _Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._send({"object": "list", "data": []})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._send(_ANSWER)

    def _send(self, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@contextmanager
def provider_of(authority: trustme.CA) -> Generator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(context)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def running(proxy: ConnectProxy) -> Generator[None]:
    """The proxy on a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(proxy.__aenter__(), loop).result(30)
    yield
    asyncio.run_coroutine_threadsafe(proxy.__aexit__(None, None, None), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def enclosed(sandbox: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[User, ConnectProxy, int]]:
    """A user of the server, the proxy and the provider's port."""
    authority = trustme.CA()
    folder = tmp_path_factory.mktemp("enclosed")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    with provider_of(authority) as port:
        proxy = ConnectProxy({f"{NAME}:{port}": port}, user=f"egress:{PASSWORD}")
        with running(proxy):
            stack = Stack(
                folder / "data",
                sandbox,
                OWNKEY_PROVIDER_GROQ_BASE_URL=f"https://{NAME}:{port}/openai/v1",
                OWNKEY_PROVIDER_XAI_BASE_URL="https://absent.test/v1",
                OWNKEY_EGRESS_PROXY=f"http://egress:{PASSWORD}@127.0.0.1:{proxy.port}",
                OWNKEY_EGRESS_PROXY_EXCEPT="127.0.0.1",
                OWNKEY_UPSTREAM_CA_FILE=str(folder / "ca.pem"),
            )
            yield stack.user("enclosed"), proxy, port
            assert stack.stop() == 0
            assert f"through the egress proxy 127.0.0.1:{proxy.port}" in stack.ownkey.log
            assert PASSWORD not in stack.ownkey.log


def test_chats_and_key_tests_go_through_the_proxy(enclosed: tuple[User, ConnectProxy, int]) -> None:
    user, proxy, port = enclosed
    stored = user.add_key("groq", "gsk_enclosed0123456789", test=True)
    assert stored["status"] == "valid", stored["test"]
    answer = user.chat("groq/llama-3.3-70b-versatile")
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "through"
    assert set(proxy.asked) >= {f"{NAME}:{port}"}


def test_the_workbench_goes_through_the_proxy(enclosed: tuple[User, ConnectProxy, int]) -> None:
    user, proxy, port = enclosed
    target = {"preset": "groq", "model": "llama-3.3-70b-versatile", "api_key": "xai-enclosed0123456789"}
    session = user.api.post("/workbench/sessions", json=target).json()
    before = len(proxy.asked)
    added = user.api.post(f"/workbench/sessions/{session['id']}/targets", json=target | {"label": "second"}).json()
    assert "like a key of xAI" in added["key_hint"]
    check = user.api.post(f"/workbench/sessions/{session['id']}/test", json={"target_id": added["id"]}).json()
    assert check["success"], check
    assert set(proxy.asked[before:]) <= {f"{NAME}:{port}"}


def test_what_the_proxy_refuses_is_told_with_its_name_and_without_its_password(
    enclosed: tuple[User, ConnectProxy, int],
) -> None:
    user, proxy, _ = enclosed
    stored = user.add_key("xai", "xai-enclosed0123456789", test=True)
    told = f"The egress proxy 127.0.0.1:{proxy.port} could not connect to absent.test:443 (502)."
    assert told in stored["test"]["message"]
    answer = user.chat("xai/grok-4")
    assert answer.status_code == 502
    assert told in answer.text
    assert PASSWORD not in answer.text


def test_variables_of_the_environment_are_not_used_and_the_start_says_so() -> None:
    settings = load_settings({})
    environment = {"https_proxy": "http://me:canary@proxy:1", "ALL_PROXY": "socks5://proxy:1", "NO_PROXY": "localhost"}
    lines = network_lines(settings, environment)
    assert len(lines) == 1
    assert lines[0].startswith("HTTPS_PROXY, ALL_PROXY of the environment is not used: set OWNKEY_EGRESS_PROXY")
    assert "canary" not in lines[0]
    assert network_lines(settings, {"NO_PROXY": "*"}) == []
    proxied = load_settings({"OWNKEY_EGRESS_PROXY": "http://me:canary@proxy:3128"})
    assert network_lines(proxied, environment) == ["Providers are reached through the egress proxy proxy:3128."]
    assert "canary" not in repr(proxied)


def test_exceptions_without_a_proxy_are_rejected() -> None:
    with pytest.raises(ConfigurationError, match="egress_proxy_except"):
        network_lines(load_settings({"OWNKEY_EGRESS_PROXY_EXCEPT": "10.0.0.0/8"}), {})
