"""Bad input: each a clear error in the client's own format, the process alive, nothing stored half-way."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from tests.gateway.conftest import until
from tests.services.stack import Stack, User

from ownkey.domain.api_key import mint_api_key

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
PATHS = [CHAT, MESSAGES]
JSON = {"content-type": "application/json"}
TALK = b'"messages":[{"role":"user","content":"hi"}]'


@pytest.fixture(scope="module")
def user(stack: Stack) -> User:
    return stack.user("bad-input", openai="sk-bad-input-0001", anthropic="sk-ant-bad-input-0001")


@pytest.fixture
def unharmed(user: User) -> Iterator[None]:
    """Afterwards the process answers and no request was recorded: refused before anything was accepted."""
    before = records(user)
    yield
    assert httpx2.get(user.stack.url + "/healthz", trust_env=False).status_code == 200
    assert records(user) == before
    assert user.chat("openai/echo").status_code == 200


def records(user: User) -> int:
    return user.api.get("/usage", params={"range": "all", "group_by": "provider"}).json()["total"]["requests"]


def told(answered: httpx2.Response, path: str, status: int, code: str) -> str:
    """The message of an error, whose shape must be that of the format spoken at `path`."""
    assert answered.status_code == status, answered.text
    assert answered.headers["content-type"] == "application/json"
    number = answered.headers["x-ownkey-request-id"]
    body = answered.json()
    if path.startswith("/v1/messages"):
        assert set(body) == {"type", "error", "request_id"}
        assert set(body["error"]) == {"type", "message"}
        assert body["type"] == "error"
        assert body["request_id"] == answered.headers["request-id"] == number
    else:
        assert set(body) == {"error"}
        assert set(body["error"]) == {"message", "type", "param", "code"}
        assert body["error"]["code"] == code
        assert answered.headers["x-request-id"] == number
    assert body["error"]["message"]
    return body["error"]["message"]


BODIES = {
    "no body": b"",
    "duplicate keys": b'{"model":"openai/echo","model":"openai/other",' + TALK + b"}",
    "duplicate keys deep inside": b'{"model":"openai/echo","messages":[{"role":"user","content":"a","content":"b"}]}',
    "depth 100,000": b'{"model":"openai/echo","messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "depth 100,000 of objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "5,000 digits": b'{"model":"openai/echo","seed":' + b"9" * 5000 + b"," + TALK + b"}",
    "5,000 digits, negative": b'{"model":"openai/echo","seed":-' + b"9" * 5000 + b"," + TALK + b"}",
    "an exponent out of range": b'{"model":"openai/echo","temperature":1e400,' + TALK + b"}",
    "NaN": b'{"model":"openai/echo","temperature":NaN,' + TALK + b"}",
    "Infinity": b'{"model":"openai/echo","temperature":-Infinity,' + TALK + b"}",
    "a lone surrogate": b'{"model":"openai/echo","messages":[{"role":"user","content":"\\ud800"}]}',
    "a lone surrogate in a key": b'{"model":"openai/echo","\\udfff":1,' + TALK + b"}",
    "invalid UTF-8": b'{"model":"openai/echo","messages":[{"role":"user","content":"\xff\xfe"}]}',
    "overlong UTF-8": b'{"model":"openai/echo","messages":[{"role":"user","content":"\xc0\xaf"}]}',
    "a byte order mark": b'\xef\xbb\xbf{"model":"openai/echo",' + TALK + b"}",
    "no JSON": b"model=openai/echo",
    "half a JSON": b'{"model":"openai/echo","messages":[',
    "JSON and more": b'{"model":"openai/echo",' + TALK + b"} {}",
    "an array": b'["openai/echo"]',
    "a string": b'"openai/echo"',
    "null": b"null",
    "no model": b"{" + TALK + b"}",
    "an empty model": b'{"model":"",' + TALK + b"}",
    "a number as model": b'{"model":5,' + TALK + b"}",
    "null as model": b'{"model":null,' + TALK + b"}",
    "a very long model": b'{"model":"openai/' + b"x" * 5000 + b'",' + TALK + b"}",
    "a header injected by the model": b'{"model":"openai/echo\\r\\nx-evil: 1",' + TALK + b"}",
    "a null byte in the model": b'{"model":"openai/e\\u0000cho",' + TALK + b"}",
    "no messages": b'{"model":"openai/echo"}',
    "messages of another type": b'{"model":"openai/echo","messages":"hi"}',
    "negative max_tokens": b'{"model":"openai/echo","max_tokens":-1,' + TALK + b"}",
    "enormous max_tokens": b'{"model":"openai/echo","max_tokens":99999999999999999999999,' + TALK + b"}",
    "max_tokens as a text": b'{"model":"openai/echo","max_tokens":"many",' + TALK + b"}",
    "fractional max_tokens": b'{"model":"openai/echo","max_tokens":1.5,' + TALK + b"}",
    "stream as a text": b'{"model":"openai/echo","stream":"yes",' + TALK + b"}",
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.usefixtures("unharmed")
def test_a_bad_body(user: User, path: str, body: bytes) -> None:
    answered = user.gateway.post(path, content=body, headers=JSON)
    message = told(answered, path, 400, "invalid_request")
    assert len(message) < 600
    assert "Traceback" not in message
    assert "msgspec" not in message


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.usefixtures("unharmed")
def test_a_wrong_content_type(user: User, path: str, kind: str | None) -> None:
    body = b'{"model":"openai/echo",' + TALK + b"}"
    answered = user.gateway.post(path, content=body, headers={"content-type": kind} if kind else {})
    told(answered, path, 415, "unsupported_media_type")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.usefixtures("unharmed")
def test_a_compressed_body(user: User, path: str) -> None:
    answered = user.gateway.post(path, content=b"\x1f\x8b", headers=JSON | {"content-encoding": "gzip"})
    told(answered, path, 415, "unsupported_media_type")


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.usefixtures("unharmed")
def test_forty_megabytes(user: User, path: str, announced: bool) -> None:
    size = 40 * 1024 * 1024
    piece = b"x" * (1024 * 1024)

    def pieces() -> Iterator[bytes]:
        yield b'{"model":"openai/echo","messages":[{"role":"user","content":"'
        for _ in range(40):
            yield piece

    answered = send_head(user, path, size) if announced else user.gateway.post(path, content=pieces(), headers=JSON)
    told(answered, path, 413, "request_too_large")


def send_head(user: User, path: str, size: int) -> httpx2.Response:
    """Announce a body and send none of it: the answer comes all the same."""
    host, port = user.stack.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        lines = [
            f"POST {path} HTTP/1.1",
            f"host: {host}:{port}",
            f"authorization: Bearer {user.key}",
            "content-type: application/json",
            f"content-length: {size}",
        ]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        received = b""
        while more := connection.recv(65536):
            received += more
    head, _, body = received.partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    pairs = [(name, value) for name, _, value in (field.partition(": ") for field in fields)]
    return httpx2.Response(int(status.split(" ")[1]), headers=pairs, content=body)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("nonsense-model", 404, "model_not_found"),
        ("no-such-provider/model", 404, "model_not_found"),
        ("default", 404, "model_not_found"),
        ("mistral/mistral-large-latest", 503, "no_healthy_credential"),
        ("ümläut", 404, "model_not_found"),
        ("💥/💥", 404, "model_not_found"),
    ],
)
def test_a_model_that_nobody_serves(user: User, path: str, model: str, status: int, code: str) -> None:
    body = {"model": model, "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    answered = user.gateway.post(path, json=body)
    told(answered, path, status, code)
    assert user.receipt(answered)["status"] == "failed"


@pytest.mark.parametrize(
    "value", [b"no such label", b"x" * 3000, "schlüssel".encode(), b"%0d%0ax-evil: 1", b"' OR 1=1 --"]
)
@pytest.mark.parametrize("path", PATHS)
def test_a_label_that_no_key_has(user: User, path: str, value: bytes) -> None:
    body = b'{"model":"openai/echo","max_tokens":5,' + TALK + b"}"
    headers = [(b"content-type", b"application/json"), (b"x-ownkey-credential", value)]
    answered = user.gateway.post(path, content=body, headers=headers)
    told(answered, path, 503, "no_healthy_credential")
    assert "x-evil" not in answered.headers


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.usefixtures("unharmed")
def test_a_label_that_is_no_text(user: User, path: str) -> None:
    body = b'{"model":"openai/echo","max_tokens":5,' + TALK + b"}"
    headers = [(b"content-type", b"application/json"), (b"x-ownkey-credential", b"\xff\xfe")]
    told(user.gateway.post(path, content=body, headers=headers), path, 400, "invalid_request")


def test_a_models_name_is_quoted_where_a_header_cannot_carry_it(user: User) -> None:
    answered = user.chat("openai/écho-ü%20\\")
    assert answered.status_code == 200
    assert answered.headers["x-ownkey-model"] == "%C3%A9cho-%C3%BC%2520%5C"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", CHAT), ("PUT", MESSAGES), ("DELETE", CHAT), ("POST", "/v1/models")]
)
@pytest.mark.usefixtures("unharmed")
def test_a_wrong_method(user: User, method: str, path: str) -> None:
    told(user.gateway.request(method, path), path, 405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/chat", "/v1/messages/nothing", "/v1/models/"])
@pytest.mark.usefixtures("unharmed")
def test_an_unknown_path(user: User, path: str) -> None:
    told(user.gateway.post(path, json={}), path, 404, "not_found")


CARRIERS = ["authorization", "x-api-key", "x-goog-api-key", "api-key"]


def carried(carrier: str, key: str) -> dict[str, str]:
    return {carrier: f"Bearer {key}" if carrier == "authorization" else key}


def knock(stack: Stack, path: str, headers: Any) -> httpx2.Response:
    body = {"model": "openai/echo", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    return httpx2.post(stack.url + path, json=body, headers=headers, trust_env=False)


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("path", PATHS)
def test_every_carrier_opens_every_door(user: User, path: str, carrier: str) -> None:
    assert knock(user.stack, path, carried(carrier, user.key)).status_code == 200


BAD_KEYS = {
    "of a provider": "sk-proj-0123456789",
    "a bare prefix": "ok_",
    "too short": "ok_abc",
    "unknown, well formed": mint_api_key(b"\0" * 32),
    "with a flipped character": mint_api_key(b"\0" * 32)[:-1] + "z",
    "very long": "ok_" + "a" * 10_000,
    "SQL": "ok_' OR '1'='1",
    "beyond ASCII": "ok_ümläut",
}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=BAD_KEYS.keys())
@pytest.mark.usefixtures("unharmed")
def test_a_bad_api_key(user: User, carrier: str, key: str) -> None:
    for path in PATHS:
        headers = {name: value.encode() for name, value in carried(carrier, key).items()}
        message = told(knock(user.stack, path, headers), path, 401, "invalid_api_key")
        assert key[3:] not in message or len(key) < 6


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.usefixtures("unharmed")
def test_no_key_at_all(user: User, path: str) -> None:
    for headers in ({}, {"authorization": "Bearer"}, {"authorization": "Basic b2s6b2s="}, {"x-api-key": ""}):
        told(knock(user.stack, path, headers), path, 401, "invalid_api_key")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.usefixtures("unharmed")
def test_two_different_keys(user: User, path: str) -> None:
    headers = carried("authorization", user.key) | {"x-api-key": mint_api_key(b"\1" * 32)}
    assert "two different" in told(knock(user.stack, path, headers), path, 401, "invalid_api_key")
    repeated = [("x-api-key", user.key), ("x-api-key", mint_api_key(b"\1" * 32))]
    told(knock(user.stack, path, repeated), path, 401, "invalid_api_key")


@pytest.mark.parametrize("path", PATHS)
def test_the_same_key_twice_and_a_placeholder_beside_it(user: User, path: str) -> None:
    for other in (user.key, "sk-placeholder", "none"):
        headers = carried("authorization", user.key) | {"x-api-key": other}
        assert knock(user.stack, path, headers).status_code == 200


def new_api_key(user: User, **rights: Any) -> tuple[str, str]:
    made = user.api.post("/api-keys", json={"name": "limited"} | rights)
    assert made.status_code == 201, made.text
    return made.json()["id"], made.json()["key"]


@pytest.mark.parametrize(
    "rights", [{"scopes": ["manage"]}, {"allowed_ips": ["192.0.2.0/24"]}], ids=["scope", "address"]
)
@pytest.mark.usefixtures("unharmed")
def test_a_key_without_the_right_is_refused_in_every_carrier(user: User, rights: dict[str, Any]) -> None:
    _, key = new_api_key(user, **rights)
    for path in PATHS:
        for carrier in CARRIERS:
            told(knock(user.stack, path, carried(carrier, key)), path, 403, "not_allowed")


def test_an_expired_key_is_refused_in_every_carrier(user: User) -> None:
    # Far enough away to be in the future still when a busy server reads it.
    soon = datetime.now(UTC) + timedelta(seconds=4)
    _, key = new_api_key(user, expires_at=soon.isoformat())
    until(lambda: knock(user.stack, CHAT, carried("x-api-key", key)).status_code == 401, "the expiry")
    for carrier in CARRIERS:
        assert "expired" in told(knock(user.stack, MESSAGES, carried(carrier, key)), MESSAGES, 401, "invalid_api_key")


def test_a_key_for_some_models_is_held_to_them(user: User) -> None:
    _, key = new_api_key(user, models=["openai/gpt-*"])
    refused = knock(user.stack, CHAT, carried("x-api-key", key))
    told(refused, CHAT, 403, "not_allowed")
    listed = httpx2.get(user.stack.url + "/v1/models", headers=carried("api-key", key), trust_env=False).json()
    assert listed["data"]
    assert all(row["id"].startswith("openai/gpt-") for row in listed["data"])


def test_the_carriers_share_one_limit(user: User) -> None:
    _, key = new_api_key(user, limits={"requests_per_minute": 3})
    answers = [knock(user.stack, PATHS[number % 2], carried(CARRIERS[number % 4], key)) for number in range(4)]
    assert [answered.status_code for answered in answers] == [200, 200, 200, 429]
    told(answers[-1], PATHS[1], 429, "rate_limited")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60


def test_a_deleted_key_and_a_disabled_one_end_at_once(user: User) -> None:
    id_, key = new_api_key(user)
    assert knock(user.stack, CHAT, carried("x-api-key", key)).status_code == 200
    assert user.api.delete(f"/api-keys/{id_}").status_code == 204
    told(knock(user.stack, CHAT, carried("x-api-key", key)), CHAT, 401, "invalid_api_key")


def test_a_hundred_bad_requests_at_once_harm_nobody(user: User) -> None:
    with httpx2.Client(base_url=user.stack.url, headers=carried("authorization", user.key), trust_env=False) as client:
        for number in range(100):
            body = [b"{", b'{"model":', b"\xff", b"[]", b'{"model":"openai/echo","messages":[1]}'][number % 5]
            assert client.post(PATHS[number % 2], content=body, headers=JSON).status_code == 400
    assert json.loads(user.chat("openai/echo").content)["choices"]
