"""A silent stream is kept alive in the client's own format, and a ping never falls into an event."""

import re
import socket
import threading
from collections.abc import Callable, Iterator

import httpx2
import pytest
from tests.gateway.upstream import DONE, STREAM_HEAD, Conversation, ScriptedUpstream, chunk_event, message_event
from tests.services.stack import Process, Stack, User

INTERVAL = 0.05
MESSAGE = {"role": "assistant", "content": [], "usage": {"input_tokens": 1, "output_tokens": 1}}
START = message_event("message_start", message={"id": "m", "type": "message", "model": "m"} | MESSAGE)
STOP = message_event("message_stop")
OPENAI_PING, ANTHROPIC_PING = b": ping\n\n", b'event: ping\ndata: {"type":"ping"}\n\n'


@pytest.fixture(scope="module")
def user(sandbox: Process, upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    stack = Stack(
        tmp_path_factory.mktemp("pings"),
        sandbox,
        OWNKEY_ALLOW_PRIVATE_ENDPOINTS=upstream.address,
        OWNKEY_STREAM_PING_INTERVAL=str(INTERVAL),
    )
    user = stack.user("patient")
    user.add_key("custom", "sk-silent-openai", base_url=upstream.url + "/v1")
    user.add_key("anthropic", "sk-silent-claude", base_url=upstream.url)
    yield user
    stack.stop()


class Silence:
    """Makes a provider wait in the middle of its answer until `over`."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def between(self, before: bytes, after: bytes) -> Conversation:
        def converse(connection: socket.socket) -> None:
            connection.sendall(STREAM_HEAD)
            if before:
                connection.sendall(b"%x\r\n%b\r\n" % (len(before), before))
            assert self.over.wait(20)
            connection.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (len(after), after))

        return converse

    def read(self, answered: httpx2.Response, enough: Callable[[bytes], bool]) -> bytes:
        """The whole body; the silence ends once `enough` of it is here."""
        body = b""
        for piece in answered.iter_raw():
            body += piece
            if enough(body):
                self.over.set()
        return body


CLIENTS = {"/v1/chat/completions": OPENAI_PING, "/v1/messages": ANTHROPIC_PING, "/v1/completions": OPENAI_PING}
UPSTREAMS = {"custom/m": "sk-silent-openai", "anthropic/m": "sk-silent-claude"}


def request(path: str, model: str) -> dict[str, object]:
    asked = {"prompt": "x"} if path == "/v1/completions" else {"messages": [{"role": "user", "content": "x"}]}
    return {"model": model, "stream": True, "max_tokens": 9, **asked}


@pytest.mark.parametrize("model", UPSTREAMS)
@pytest.mark.parametrize("path", CLIENTS)
def test_a_silent_provider_does_not_make_a_silent_gateway(
    user: User, upstream: ScriptedUpstream, path: str, model: str
) -> None:
    silence, ping = Silence(), CLIENTS[path]
    if model == "custom/m":
        script = silence.between(chunk_event("hi"), chunk_event(" there") + DONE)
    else:
        script = silence.between(START, STOP)
    upstream.script(UPSTREAMS[model], script)
    with user.gateway.stream("POST", path, json=request(path, model)) as answered:
        body = silence.read(answered, lambda seen: seen.count(ping) >= 2)
    assert body.count(ping) >= 2
    assert re.search(rb"\[DONE\]|message_stop", body)
    assert user.receipt(answered)["status"] == "completed"
    for block in body.replace(ping, b"").split(b"\n\n"):
        assert b"ping" not in block


def test_a_ping_comes_before_the_first_event_too(user: User, upstream: ScriptedUpstream) -> None:
    silence = Silence()
    upstream.script("sk-silent-claude", silence.between(b"", START + STOP))
    with user.gateway.stream("POST", "/v1/messages", json=request("/v1/messages", "anthropic/m")) as answered:
        assert answered.status_code == 200
        body = silence.read(answered, lambda seen: ANTHROPIC_PING in seen)
    assert body.startswith(ANTHROPIC_PING)
    assert body.replace(ANTHROPIC_PING, b"") == START + STOP


def test_a_ping_waits_for_the_end_of_an_event(user: User, upstream: ScriptedUpstream) -> None:
    silence = Silence()
    event = chunk_event("hi")
    upstream.script("sk-silent-openai", silence.between(event + event[:20], event[20:] + DONE))
    path = "/v1/chat/completions"
    with user.gateway.stream("POST", path, json=request(path, "custom/m")) as answered:
        body = silence.read(answered, lambda seen: OPENAI_PING in seen)
    assert body.replace(OPENAI_PING, b"") == event + event + DONE
    assert body.startswith(event + OPENAI_PING)


@pytest.mark.parametrize("failure", [b'data: {"error":{"message":"no"}}\n\n', b'{"error":{"message":"no"}}'])
def test_after_a_ping_a_failure_is_an_event(user: User, upstream: ScriptedUpstream, failure: bytes) -> None:
    silence = Silence()
    upstream.script("sk-silent-openai", silence.between(b"", failure))
    path = "/v1/chat/completions"
    with user.gateway.stream("POST", path, json=request(path, "custom/m")) as answered:
        body = silence.read(answered, lambda seen: OPENAI_PING in seen)
    assert b'data: {"error":{"message":"no"' in body
    assert user.receipt(answered)["status"] == "failed"
