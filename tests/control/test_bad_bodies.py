"""Bodies are read strictly: each mistake a clear problem, the process alive, nothing stored half-way."""

from typing import Any

import httpx2
import pytest
from tests.control.people import is_problem
from tests.services.stack import Stack, User

JSON = {"content-type": "application/json"}
CALLS = [
    ("POST", "/credentials"),
    ("POST", "/credentials/test"),
    ("POST", "/api-keys"),
    ("PUT", "/preferences"),
    ("POST", "/route/explain"),
    ("POST", "/auth/login"),
    ("PATCH", "/me"),
    ("DELETE", "/me"),
]
BROKEN = {
    "duplicate keys": b'{"name":"a","name":"b"}',
    "duplicate keys, spelt differently": b'{"name":"a","n\\u0061me":"b"}',
    "nested duplicate keys": b'{"name":"a","limits":{"x":1,"x":2}}',
    "NaN": b'{"temperature":NaN}',
    "infinity": b'{"temperature":-Infinity}',
    "overflowing number": b'{"temperature":1e999}',
    "5,000 digits": b'{"max_tokens":' + b"9" * 5000 + b"}",
    "depth 100,000": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep arrays": b'{"a":' + b"[" * 100_000,
    "lone surrogate": b'{"name":"\\ud800"}',
    "lone low surrogate": b'{"name":"\\udc00"}',
    "surrogate as a key": b'{"\\ud83d":1}',
    "invalid UTF-8": b'{"name":"\xff\xfe"}',
    "encoded surrogate": b'{"name":"\xed\xa0\x80"}',
    "byte order mark": b'\xef\xbb\xbf{"name":"a"}',
    "UTF-16": '{"name":"a"}'.encode("utf-16"),
    "nothing": b"",
    "blanks": b"   ",
    "cut off": b'{"name":"a"',
    "two values": b'{"name":"a"} {"name":"b"}',
    "trailing comma": b'{"name":"a",}',
    "comment": b'{"name":"a"/* */}',
    "single quotes": b"{'name':'a'}",
    "an array": b"[]",
    "a string": b'"name"',
    "null": b"null",
    "a number": b"1",
    "a raw control character": b'{"name":"a\x00b"}',
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_body_is_told(user: User, body: bytes) -> None:
    for method, path in CALLS:
        is_problem(user.api.request(method, path, content=body, headers=JSON), 400, "invalid_request")


@pytest.mark.parametrize("method_path", CALLS)
@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx", ""],
)
def test_another_content_type_is_refused(user: User, method_path: tuple[str, str], kind: str) -> None:
    answer = user.api.request(*method_path, content=b'{"name":"a"}', headers={"content-type": kind})
    is_problem(answer, 415, "unsupported_media_type")


def test_json_may_come_with_parameters(user: User) -> None:
    headers = {"content-type": 'Application/JSON; charset="utf-8"'}
    assert user.api.put("/preferences", content=b"{}", headers=headers).status_code == 200


@pytest.mark.parametrize("method_path", CALLS)
def test_a_missing_body_is_told(user: User, method_path: tuple[str, str]) -> None:
    is_problem(user.api.request(*method_path), 400, "invalid_request")


def test_a_wide_body_is_refused_and_an_enormous_one_is_not_read(user: User) -> None:
    wide = b'{"models":[' + b'"m",' * 300_000 + b'"m"]}'
    is_problem(user.api.post("/api-keys", content=wide, headers=JSON), 422, "invalid_request")
    assert user.api.post("/api-keys", content=b" " * (40 * 1024 * 1024), headers=JSON).status_code == 413
    long = b'{"name":"' + b"x" * 1_000_000 + b'"}'
    is_problem(user.api.post("/api-keys", content=long, headers=JSON), 422, "invalid_request")


def test_nothing_was_stored(user: User, stack: Stack) -> None:
    assert [row["name"] for row in user.api.get("/api-keys").json()["items"]] == ["all"]
    assert user.api.get("/credentials").json()["items"] == []
    assert user.api.get("/me").json()["email"] == user.email
    assert "unexpected error" not in stack.ownkey.read_log()


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_another_method_is_refused_with_those_there_are(user: User, method: str) -> None:
    answer = user.api.request(method, "/usage")
    is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/credentials/", "/me/", "//me", "/../api/v1/me", "/%6de/x"])
def test_what_is_not_there_is_not_found_and_not_redirected_to(user: User, path: str) -> None:
    answer = httpx2.get(user.stack.url + "/api/v1" + path, headers=user.api.headers, trust_env=False, verify=False)
    assert answer.status_code in (400, 404)
    assert "location" not in answer.headers


def test_every_error_and_answer_is_hardened(user: User, stack: Stack) -> None:
    answers: list[Any] = [
        user.api.get("/me"),
        user.api.get("/nothing"),
        user.api.post("/api-keys", json={}),
        httpx2.get(stack.url + "/api/v1/me", trust_env=False, verify=False),
        httpx2.get(stack.url + "/docs", trust_env=False, verify=False),
        httpx2.get(stack.url + "/", trust_env=False, verify=False),
        user.api.get("/usage/export"),
    ]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
