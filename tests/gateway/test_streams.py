"""Streams: what breaks off never looks complete, who leaves stops the work, and the books know what was used."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from tests.gateway.conftest import Requests, Workshop, until
from tests.gateway.upstream import DONE, answer, chunk_event, message_event, stream
from tests.services.stack import Process, Stack, User

PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
END_MARKS = (b"[DONE]", b"message_stop")

CHUNKS = [chunk_event("one "), chunk_event("two "), chunk_event("three")]
FINISH = chunk_event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
USAGE = chunk_event(choices=[], usage={"prompt_tokens": 30, "completion_tokens": 20, "total_tokens": 50})
CHAT_STREAM = [*CHUNKS, FINISH, USAGE, DONE]
MESSAGE_STREAM = [
    message_event("message_start", message={"id": "m", "usage": {"input_tokens": 30, "output_tokens": 1}}),
    message_event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    *[
        message_event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})
        for text in ("one ", "two ", "three")
    ],
    message_event("content_block_stop", index=0),
    message_event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 20}),
    message_event("message_stop"),
]


def asking(model: str, text: str = "one two three four five six", **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": text}]
    return {"model": model, "max_tokens": 1_000_000, "stream": True, "messages": messages} | more


def latest(user: User) -> dict[str, Any]:
    return user.api.get("/requests").json()["items"][0]


@pytest.fixture(scope="module")
def sandboxed(stack: Stack) -> User:
    return stack.user("streams", openai="sk-streams-0001", anthropic="sk-ant-streams-0001")


@pytest.fixture
def add(workshop: Workshop, user: User, new_key: str) -> Callable[[str], str]:
    """Store a key of the scripted provider that speaks the given format; the model to ask for."""

    def add(format_: str) -> str:
        if format_ == "anthropic":
            user.add_key("anthropic", new_key, base_url=workshop.upstream.url)
            return "anthropic/claude-x"
        user.add_key("custom", new_key, base_url=workshop.upstream.url + "/v1")
        return "custom/m"

    return add


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("provider", PATHS)
@pytest.mark.parametrize("fault", ["cut", "garbage", "stream-error"])
def test_a_spoilt_stream_ends_in_an_error_and_is_recorded_as_failed(
    sandboxed: User, client: str, provider: str, fault: str
) -> None:
    with sandboxed.gateway.stream("POST", PATHS[client], json=asking(f"{provider}/{fault}")) as answered:
        received = answered.read()
    assert answered.status_code == 200
    assert not any(mark in received for mark in END_MARKS)
    assert ends_in_error(received, client)
    row = latest(sandboxed)
    assert (row["status"], row["error"], row["http_status"]) == ("failed", "upstream_error", 200)
    assert row["streamed"] is True
    assert 1 <= row["output_tokens"] <= 8
    assert row["usage_reported"] is False
    assert row["ttft_ms"] is not None


def ends_in_error(received: bytes, client: str) -> bool:
    assert received.endswith(b"\n\n")
    last = received.rstrip().rsplit(b"\n\n", 1)[-1]
    data = json.loads(last[last.index(b"data: ") + 6 :])
    if client == "anthropic":
        return last.startswith(b"event: error\n") and data["type"] == "error"
    return set(data) == {"error"}


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("provider", PATHS)
@pytest.mark.parametrize("end", [b"", b"0\r\n\r\n"], ids=["lost", "ended"])
def test_a_stream_cut_anywhere_never_looks_complete(
    workshop: Workshop, user: User, add: Callable[[str], str], new_key: str, client: str, provider: str, end: bytes
) -> None:
    model = add(provider)
    whole = b"".join(CHAT_STREAM if provider == "openai" else MESSAGE_STREAM)
    marks = (FINISH, DONE) if provider == "openai" else (b"event: message_delta", b"event: message_stop")
    # A clean end after the reason why the answer stopped is complete.
    complete = whole.index(marks[0 if end else 1])
    for cut in range(1, complete, max(1, complete // 12)):
        workshop.upstream.script(new_key, stream([whole[:cut]], end))
        received = user.gateway.post(PATHS[client], json=asking(model))
        assert not any(mark in received.content for mark in END_MARKS)
        if received.status_code == 200:
            assert ends_in_error(received.content, client)
        else:
            assert received.status_code == 502
            assert received.json()["error"]
        assert latest(user)["status"] == "failed"


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("provider", PATHS)
def test_a_stream_whose_end_mark_lacks_its_blank_line_is_complete(
    workshop: Workshop, user: User, add: Callable[[str], str], new_key: str, client: str, provider: str
) -> None:
    model = add(provider)
    whole = b"".join(CHAT_STREAM if provider == "openai" else MESSAGE_STREAM)
    workshop.upstream.script(new_key, stream([whole.rstrip(b"\n")]))
    received = user.gateway.post(PATHS[client], json=asking(model)).content
    assert received.rstrip().endswith(b"[DONE]" if client == "openai" else b'"message_stop"}')
    assert (latest(user)["status"], latest(user)["output_tokens"]) == ("completed", 20)


ENDINGS = {
    "/v1/chat/completions": b"data: [DONE]\n\n",
    "/v1/messages": b'data: {"type":"message_stop"}\n\n',
    "/v1/responses": b"response.completed",
    "/v1/completions": b"data: [DONE]\n\n",
    "/v1beta/models/{model}:streamGenerateContent?alt=sse": b'"finishReason":"STOP"',
}


def asked_by(path: str, model: str, streamed: bool = True) -> tuple[str, dict[str, Any]]:
    """The path and the body of a request in the format of a path."""
    text = "Which shelf?"
    if "{model}" in path:
        path = path if streamed else path.replace(":streamGenerateContent?alt=sse", ":generateContent")
        return path.format(model=model), {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    body: dict[str, Any] = {"model": model, "stream": streamed}
    if path == "/v1/completions":
        return path, body | {"prompt": text}
    if path == "/v1/responses":
        return path, body | {"input": text, "store": False}
    return path, body | {"max_tokens": 40, "messages": [{"role": "user", "content": text}]}


@pytest.mark.parametrize("path", ENDINGS)
@pytest.mark.parametrize("provider", PATHS)
def test_a_stream_without_its_end_mark_is_complete_for_every_client(
    workshop: Workshop, user: User, add: Callable[[str], str], new_key: str, path: str, provider: str
) -> None:
    """As official SDKs see it: the reason for the end and a clean end of the body say enough."""
    model = add(provider)
    workshop.upstream.script(new_key, stream((CHAT_STREAM if provider == "openai" else MESSAGE_STREAM)[:-1]))
    address, body = asked_by(path, model)
    received = user.gateway.post(address, json=body)
    assert received.status_code == 200
    assert b"three" in received.content
    assert ENDINGS[path] in received.content
    assert b'"error":{' not in received.content
    row = latest(user)
    assert (row["status"], row["usage_reported"]) == ("completed", True)
    assert (row["input_tokens"], row["output_tokens"]) == (30, 20)


@pytest.mark.parametrize("path", [path for path in ENDINGS if path != "/v1/completions"])
@pytest.mark.parametrize("streamed", [True, False])
def test_a_bare_reason_of_error_fails(
    workshop: Workshop, user: User, add: Callable[[str], str], new_key: str, path: str, streamed: bool
) -> None:
    model = add("openai")
    broken = {"index": 0, "delta": {}, "message": {"role": "assistant", "content": "par"}, "finish_reason": "error"}
    usage = {"prompt_tokens": 30, "completion_tokens": 20, "total_tokens": 50}
    whole = answer(200, {"id": "c", "object": "chat.completion", "choices": [broken], "usage": usage})
    workshop.upstream.script(new_key, stream([CHUNKS[0], chunk_event(choices=[broken]), DONE]) if streamed else whole)
    address, body = asked_by(path, model, streamed)
    received = user.gateway.post(address, json=body)
    assert received.status_code == (200 if streamed else 502)
    row = latest(user)
    assert (row["status"], row["error"]) == ("failed", "upstream_error")


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize(
    ("provider", "event", "status"),
    [
        (
            "openai",
            b'data: {"error":{"message":"busy","type":"rate_limit_error","code":"rate_limit_exceeded"}}\n\n',
            429,
        ),
        ("anthropic", message_event("error", error={"type": "overloaded_error", "message": "busy"}), 529),
    ],
    ids=["openai", "anthropic"],
)
def test_an_error_before_the_first_event_is_a_plain_http_error(
    workshop: Workshop,
    user: User,
    add: Callable[[str], str],
    new_key: str,
    client: str,
    provider: str,
    event: bytes,
    status: int,
) -> None:
    model = add(provider)
    workshop.upstream.script(new_key, stream([event]))
    answered = user.gateway.post(PATHS[client], json=asking(model))
    assert answered.status_code == status
    assert answered.json()["error"]["message"] == "busy"
    row = latest(user)
    assert (row["status"], row["http_status"], row["output_tokens"]) == ("failed", status, 0)


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("provider", PATHS)
def test_a_key_echoed_inside_a_stream_is_taken_out_wherever_the_packets_were_cut(
    workshop: Workshop, user: User, add: Callable[[str], str], new_key: str, client: str, provider: str
) -> None:
    model = add(provider)
    if provider == "openai":
        begin, error = CHUNKS[0], b'data: {"error":{"message":"wrong key %b","code":"x"}}\n\n' % new_key.encode()
    else:
        begin = b"".join(MESSAGE_STREAM[:3])
        error = message_event("error", error={"type": "api_error", "message": f"wrong key {new_key}"})
    for cut in range(1, len(error), 5):
        workshop.upstream.script(new_key, stream([begin, error[:cut], error[cut:]]))
        received = user.gateway.post(PATHS[client], json=asking(model)).content
        assert b"wrong key [redacted]" in received
        assert new_key.encode()[:12] not in received


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("provider", PATHS)
def test_usage_and_time_to_first_token_of_streams_are_recorded(sandboxed: User, client: str, provider: str) -> None:
    answered = sandboxed.gateway.post(PATHS[client], json=asking(f"{provider}/lorem-30"))
    assert answered.headers["x-ownkey-attempts"] == "1"
    assert answered.headers["x-ownkey-provider"] == provider
    row = latest(sandboxed)
    assert (row["status"], row["output_tokens"], row["usage_reported"]) == ("completed", 30, True)
    assert row["input_tokens"] > 0
    assert 0 < row["ttft_ms"] <= row["latency_ms"]


@pytest.mark.parametrize("client", PATHS)
@pytest.mark.parametrize("provider", PATHS)
def test_a_client_that_leaves_stops_the_provider_and_is_recorded(
    sandboxed: User, sandbox_requests: Requests, client: str, provider: str
) -> None:
    with sandboxed.gateway.stream("POST", PATHS[client], json=asking(f"{provider}/lorem-900000")) as answered:
        chunks = answered.iter_bytes()
        for _ in range(3):
            next(chunks)
        number = answered.headers["x-ownkey-request-id"]
    suffix = "streams-0001"

    def stopped() -> bool:
        return sandbox_requests(suffix)[-1]["outcome"] == "abandoned"

    until(stopped, "the provider to stop")
    assert sandbox_requests(suffix)[-1]["tokens_sent"] < 900_000
    receipt = sandboxed.api.get(f"/requests/{number}").json()
    assert (receipt["status"], receipt["error"]) == ("cancelled", "cancelled")
    assert 0 < receipt["output_tokens"] < 900_000
    assert receipt["input_tokens"] > 0
    assert receipt["usage_reported"] is False
    assert receipt["ttft_ms"] is not None


def test_a_client_that_leaves_before_the_first_byte_is_recorded_too(
    sandboxed: User, sandbox_requests: Requests
) -> None:
    def asked() -> bool:
        requests = sandbox_requests("streams-0001")
        return bool(requests) and requests[-1]["body"]["model"] == "slow-60000"

    body = json.dumps(asking("openai/slow-60000", stream=False))
    host = urlsplit(sandboxed.stack.url)
    with socket.create_connection((host.hostname, host.port)) as connection:
        connection.sendall(
            f"POST {PATHS['openai']} HTTP/1.1\r\nhost: {host.netloc}\r\nauthorization: Bearer {sandboxed.key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
        )
        until(asked, "the request to be with the provider")
    until(lambda: latest(sandboxed)["model"] == "openai/slow-60000", "the record")
    row = latest(sandboxed)
    assert (row["status"], row["output_tokens"]) == ("cancelled", 0)
    until(lambda: sandbox_requests("streams-0001")[-1]["outcome"] == "abandoned", "the provider to stop")


@pytest.mark.parametrize("client", PATHS)
def test_a_client_that_leaves_after_the_end_mark_got_its_whole_answer(
    workshop: Workshop, user: User, add: Callable[[str], str], new_key: str, client: str
) -> None:
    model = add(client)
    events = CHAT_STREAM if client == "openai" else MESSAGE_STREAM
    left = threading.Event()

    def linger(connection: Any) -> None:
        stream(events, end=b"")(connection)
        left.wait(60)

    workshop.upstream.script(new_key, linger)
    mark = b"[DONE]" if client == "openai" else b'"message_stop"'
    received = b""
    with user.gateway.stream("POST", PATHS[client], json=asking(model)) as answered:
        number = answered.headers["x-ownkey-request-id"]
        for chunk in answered.iter_bytes():
            received += chunk
            if mark in received:
                break
    until(lambda: user.api.get(f"/requests/{number}").status_code == 200, "the record")
    left.set()
    receipt = user.api.get(f"/requests/{number}").json()
    assert (receipt["status"], receipt["output_tokens"], receipt["usage_reported"]) == ("completed", 20, True)


def test_a_slow_reader_slows_the_provider_and_gets_everything(sandboxed: User, sandbox_requests: Requests) -> None:
    tokens = 60_000
    with sandboxed.gateway.stream("POST", PATHS["anthropic"], json=asking(f"openai/lorem-{tokens}")) as answered:
        chunks = answered.iter_bytes()
        first = next(chunks)
        before = -1
        while (sent := sandbox_requests("streams-0001")[-1]["tokens_sent"]) != before:
            before = sent
            asyncio.run(asyncio.sleep(0.3))
        assert 0 < sent < tokens
        received = first + b"".join(chunks)
    assert received.count(b"text_delta") == tokens
    assert latest(sandboxed)["output_tokens"] == tokens


async def test_fifty_streams_at_once(sandboxed: User, sandbox: Process) -> None:
    headers = {"authorization": f"Bearer {sandboxed.key}"}
    limits = httpx2.Limits(max_connections=60)
    async with httpx2.AsyncClient(
        base_url=sandboxed.stack.url, headers=headers, timeout=60, limits=limits, trust_env=False
    ) as client:

        async def one(number: int) -> str:
            path = PATHS["openai" if number % 2 else "anthropic"]
            model = f"{'openai' if number % 4 < 2 else 'anthropic'}/lorem-{100 + number}"
            async with client.stream("POST", path, json=asking(model)) as answered:
                received = await answered.aread()
            assert sum(received.count(mark) for mark in (b"text_delta", b'"delta":{"content":')) >= 100 + number
            return answered.headers["x-ownkey-request-id"]

        numbers = await asyncio.gather(*(one(number) for number in range(50)))
    rows = {row["id"]: row for row in sandboxed.api.get("/requests", params={"limit": 200}).json()["items"]}
    for number, request in enumerate(numbers):
        assert (rows[request]["status"], rows[request]["output_tokens"]) == ("completed", 100 + number)
