"""What the answers to key checks say about keys."""

import json
from typing import Any

import pytest

from ownkey.domain.credential import CredentialStatus
from ownkey.providers import load_catalogue
from ownkey.providers.checks import CheckResult, read_check
from ownkey.providers.verdict import FailureKind

CATALOGUE = load_catalogue()
MODELS = {"object": "list", "data": [{"id": "m"}]}


def read(provider: str, status: int, body: Any, **headers: str) -> CheckResult:
    row = CATALOGUE.provider(provider)
    assert row is not None
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_check(row, status, sent, [(name.encode(), value.encode()) for name, value in headers.items()])


@pytest.mark.parametrize(
    ("provider", "body", "status"),
    [
        ("openai", MODELS, CredentialStatus.VALID),
        ("openai", {"object": "list", "data": []}, CredentialStatus.VALID),
        ("together", [{"id": "m"}], CredentialStatus.VALID),
        ("anthropic", {"data": [], "has_more": False}, CredentialStatus.VALID),
        ("ollama", {"models": []}, CredentialStatus.VALID),
        ("perplexity", {"object": "list", "data": [{"embedding": ""}]}, CredentialStatus.VALID),
        ("bedrock", {"choices": [{"message": {}}]}, CredentialStatus.VALID),
        ("openrouter", {"data": {"usage": 1, "limit": None, "limit_remaining": None}}, CredentialStatus.VALID),
        ("openrouter", {"data": {"usage": 1, "limit": 5, "limit_remaining": 4.5}}, CredentialStatus.VALID),
        ("openrouter", {"data": {"usage": 5, "limit": 5, "limit_remaining": 0}}, CredentialStatus.QUOTA_EXHAUSTED),
        ("openrouter", {"data": {"usage": 9, "limit": 5, "limit_remaining": -4}}, CredentialStatus.QUOTA_EXHAUSTED),
        ("deepseek", {"is_available": True, "balance_infos": []}, CredentialStatus.VALID),
        ("deepseek", {"is_available": False, "balance_infos": []}, CredentialStatus.QUOTA_EXHAUSTED),
        (
            "xai",
            {"api_key_disabled": False, "api_key_blocked": False, "team_blocked": False},
            CredentialStatus.VALID,
        ),
        (
            "xai",
            {"api_key_disabled": True, "api_key_blocked": False, "team_blocked": False},
            CredentialStatus.REVOKED,
        ),
        (
            "xai",
            {"api_key_disabled": False, "api_key_blocked": False, "team_blocked": True},
            CredentialStatus.REVOKED,
        ),
        ("cohere", {"valid": True}, CredentialStatus.VALID),
        ("cohere", {"valid": False}, CredentialStatus.INVALID),
        ("huggingface", {"name": "me", "auth": {"accessToken": {"role": "read"}}}, CredentialStatus.VALID),
    ],
)
def test_a_good_answer_is_read_for_all_that_it_says(provider: str, body: Any, status: CredentialStatus):
    assert read(provider, 200, body).status is status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Please log in</html>",
        b"OK",
        {},
        {"error": {"message": "no"}},
        {"status": "ok"},
        {"data": "x"},
        "text",
        1,
        None,
    ],
)
@pytest.mark.parametrize("provider", ["openai", "custom", "openrouter", "deepseek", "xai", "cohere", "huggingface"])
def test_a_success_that_looks_like_something_else_proves_nothing(provider: str, body: Any):
    result = read(provider, 200, body)
    assert result.status is CredentialStatus.UNTESTED
    assert result.kind is FailureKind.UNEXPECTED
    assert "is the address right?" in result.message


@pytest.mark.parametrize("status", [204, 301, 302, 307, 400, 404, 405, 418, 422, 500, 502, 503])
def test_no_unexpected_status_makes_a_key_valid_or_invalid(status: int):
    assert read("openai", status, b"<html></html>", location="https://evil.example/").status is (
        CredentialStatus.UNTESTED
    )


def test_a_missing_scope_is_no_wrong_key():
    scope = "You have insufficient permissions for this operation. Missing scopes: api.model.read."
    for status in (401, 403):
        result = read("openai", status, {"error": {"message": scope}})
        assert (result.status, result.kind) == (CredentialStatus.VALID, FailureKind.PERMISSION)
        assert "api.model.read" in result.message


def test_any_other_forbidden_answer_leaves_the_key_untested():
    for body in ({"message": "Forbidden"}, b"<html>Cloudflare</html>", {"error": {"message": "Access denied"}}):
        result = read("custom", 403, body)
        assert (result.status, result.kind) == (CredentialStatus.UNTESTED, FailureKind.PERMISSION)


def test_a_fine_grained_token_without_the_permission_is_told():
    token = {"role": "fineGrained", "fineGrained": {"scoped": [{"permissions": ["repo.content.read"]}]}}
    result = read("huggingface", 200, {"name": "me", "auth": {"accessToken": token}})
    assert result.status is CredentialStatus.VALID
    assert "lacks the permission" in result.message
    token["fineGrained"] = {"scoped": [{"permissions": ["inference.serverless.write"]}]}
    assert "lacks" not in read("huggingface", 200, {"name": "me", "auth": {"accessToken": token}}).message


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, "invalid"),
        (401, b"", "invalid"),
        (403, {"error": {"message": "This API key has been revoked"}}, "revoked"),
        (402, {"error": {"message": "Insufficient Balance"}}, "quota-exhausted"),
        (429, {"error": {"message": "quota", "code": "insufficient_quota"}}, "quota-exhausted"),
        (429, {"error": {"message": "Rate limit reached"}}, "rate-limited"),
        (400, {"error": {"message": "API key expired. Please renew the API key."}}, "expired"),
        (500, {"error": {"message": "oops"}}, "untested"),
    ],
)
def test_refusals_become_states(status: int, body: Any, expected: str):
    assert read("openai", status, body).status.value == expected


def test_the_providers_own_words_are_quoted_in_one_short_line():
    result = read("openai", 500, {"error": {"message": "line one\r\nline\x1b[31m two " + "x" * 500}})
    assert "line one line [31m two" in result.message
    assert len(result.message) < 320
    assert result.message.isprintable()


def test_a_wrong_address_is_called_that():
    assert "at this address (404)" in read("openai", 404, b"not found").message


def test_a_local_server_is_not_said_to_have_checked_the_key():
    assert "may not ask for a key" in read("ollama", 200, {"models": []}).message
