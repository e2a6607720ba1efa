"""A key in the wrong field, of the wrong type or as a field's name is never repeated to whoever sent it."""

import json
from typing import Any

import httpx2
import pytest
from tests.control.people import unique
from tests.services.stack import Stack, User

CANARY = "sk-canary-4f9a81c7-do-not-repeat"
TYPES: list[Any] = [CANARY, [CANARY], {"value": CANARY}, {CANARY: CANARY}, [[{CANARY: [CANARY]}]]]
FIELDS = {
    "/credentials": (
        "provider", "api_key", "label", "scope", "team_id", "model", "base_url", "config", "priority", "weight",
        "is_default", "allowed_models", "allowed_ips", "expires_at", "monthly_limit_usd", "enabled", "test",
    ),
    "/credentials/test": ("provider", "api_key", "base_url", "config"),
    "/api-keys": ("name", "scopes", "models", "allowed_ips", "expires_at", "limits"),
    "/preferences": (
        "mode", "model", "temperature", "max_tokens", "require_eu", "key_order", "paid_fallback",
    ),
    "/route/explain": ("model", "format", "credential"),
    "/auth/login": ("email", "password"),
    "/me": ("email", "password", "current_password"),
    "/admin/users": ("email", "password", "role", "tier"),
}  # fmt: skip
METHODS = {"/preferences": "PUT", "/me": "PATCH"}
VALID: dict[str, dict[str, Any]] = {
    "/credentials": {"provider": "nobody", "api_key": "k", "test": False},
    "/credentials/test": {"provider": "nobody", "api_key": "k"},
    "/api-keys": {},
    "/route/explain": {"model": "openai/echo"},
    "/auth/login": {"email": "nobody@example.com", "password": "x"},
    "/me": {"email": "no address"},
    "/admin/users": {"email": "no address"},
}


def sites() -> list[tuple[str, str]]:
    return [(path, field) for path, fields in FIELDS.items() for field in fields]


def send(user: User, operator: httpx2.Client, path: str, body: object) -> httpx2.Response:
    client = operator if path.startswith("/admin") else user.api
    return client.request(METHODS.get(path, "POST"), path, json=body)


@pytest.mark.parametrize(("path", "field"), sites())
def test_a_key_in_the_wrong_field_is_not_repeated(user: User, operator: httpx2.Client, path: str, field: str) -> None:
    for value in TYPES:
        answer = send(user, operator, path, VALID.get(path, {}) | {field: value})
        assert answer.status_code < 500
        # Only an answer that says yes shows what was stored: a label, a model's name.
        assert answer.status_code < 400 or CANARY not in answer.text


@pytest.mark.parametrize("path", FIELDS)
def test_a_key_as_a_fields_name_is_not_repeated(user: User, operator: httpx2.Client, path: str) -> None:
    for body in ({CANARY: ""}, VALID.get(path, {}) | {CANARY: 1}, VALID.get(path, {}) | {"config": {CANARY: 1}}):
        answer = send(user, operator, path, body)
        assert answer.status_code in (400, 422)
        assert CANARY not in answer.text


@pytest.mark.parametrize(
    "body", [f'"{CANARY}"', f'["{CANARY}"]', CANARY, f'{{"api_key": "{CANARY}"', f'{{"api_key": {CANARY}}}']
)
@pytest.mark.parametrize("path", FIELDS)
def test_a_key_in_a_broken_body_is_not_repeated(user: User, path: str, body: str) -> None:
    headers = {"content-type": "application/json"}
    answer = user.api.request(METHODS.get(path, "POST"), path, content=body, headers=headers)
    assert answer.status_code in (400, 403)
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/credentials/{}", "/api-keys/{}", "/requests/{}", "/{}", "/credentials?limit={}", "/credentials?cursor={}",
        "/models?filter={}", "/models?filter=provider:{}", "/models?tier={}", "/usage?range={}", "/usage?group_by={}",
        "/requests?credential_id={}", "/usage/export?format={}", "/credentials?api_key={}",
    ],
)  # fmt: skip
def test_a_key_in_an_address_is_not_repeated(user: User, path: str) -> None:
    answer = user.api.get(path.format(CANARY))
    assert CANARY not in answer.text
    assert CANARY not in str(answer.headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {CANARY}"},
        {"authorization": CANARY},
        {"x-api-key": CANARY},
        {"cookie": f"ownkey={CANARY}"},
        {"content-type": CANARY},
        {"origin": CANARY},
    ],
)
def test_a_key_in_a_header_is_not_repeated(stack: Stack, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/me"), ("POST", "/auth/login"), ("DELETE", "/credentials/x")):
        url = f"{stack.url}/api/v1{path}"
        answer = httpx2.request(
            method, url, headers=headers, content=b"{}" if method == "POST" else None, trust_env=False, verify=False
        )
        assert CANARY not in answer.text
        assert CANARY not in str(answer.headers)


def test_the_canary_is_in_no_log(stack: Stack, user: User) -> None:
    secret = f"sk-canary-{unique('log')}-abcdefgh"
    for body in ({"provider": "openai", "api_key": secret}, {"provider": secret, "api_key": secret}, {secret: secret}):
        user.api.post("/credentials", json=body)
    user.api.post(
        "/credentials", content=json.dumps({"api_key": secret})[:-1], headers={"content-type": "application/json"}
    )
    user.chat("openai/echo", headers={"authorization": f"Bearer {secret}"})
    assert secret not in stack.ownkey.read_log()
    assert CANARY not in stack.ownkey.log
