"""What refusals mean. The bodies are those that the vendors send; docs/failover.md has the same table."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.domain.credential import CredentialStatus
from ownkey.providers import load_catalogue
from ownkey.providers.problem import read_problem
from ownkey.providers.verdict import FailureKind, Verdict, classify, unreachable
from ownkey.providers.waits import LONGEST_WAIT

NOW = 1_795_000_000.0
CATALOGUE = load_catalogue()


def judge(provider: str, status: int, body: Any = None, **headers: str) -> Verdict:
    row = CATALOGUE.provider(provider)
    assert row is not None
    sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return classify(
        row, status, sent, [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()], NOW
    )


def openai(message: str, type_: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}


def google(status: str, message: str, *details: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"error": {"code": 400, "message": message, "status": status, "details": list(details)}}]


RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"}

CASES: list[tuple[str, int, Any, FailureKind]] = [
    (case["provider"], case["status"], case["body"], FailureKind(case["kind"]))
    for case in map(json.loads, Path(__file__).with_name("refusals.jsonl").read_text(encoding="utf-8").splitlines())
]
"""One refusal a line: provider, status, what it means, and the body as the vendor sends it."""


@pytest.mark.parametrize(("provider", "status", "body", "kind"), CASES)
def test_vendors_words_are_understood(provider: str, status: int, body: Any, kind: FailureKind):
    assert judge(provider, status, body).kind is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("UnrecognizedClientException", FailureKind.INVALID_KEY),
        ("ExpiredTokenException:http://internal.amazon.com/coral/com.amazon.coral.service/", FailureKind.EXPIRED_KEY),
        ("AccessDeniedException", FailureKind.PERMISSION),
    ],
)
@pytest.mark.parametrize("body", [b"", b"{}", b'{"message":null}', b"[]"])
def test_amazon_tells_the_kind_in_a_header(name: str, kind: FailureKind, body: bytes):
    provider = CATALOGUE.provider("bedrock")
    assert provider is not None
    assert classify(provider, 403, body, [(b"x-amzn-errortype", name.encode())]).kind is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, FailureKind.UNEXPECTED),
        (307, FailureKind.UNEXPECTED),
        (400, FailureKind.REQUEST),
        (401, FailureKind.INVALID_KEY),
        (402, FailureKind.QUOTA),
        (403, FailureKind.PERMISSION),
        (404, FailureKind.MODEL_NOT_FOUND),
        (405, FailureKind.REQUEST),
        (408, FailureKind.TIMEOUT),
        (409, FailureKind.OVERLOADED),
        (410, FailureKind.MODEL_NOT_FOUND),
        (412, FailureKind.REQUEST),
        (413, FailureKind.REQUEST),
        (418, FailureKind.REQUEST),
        (422, FailureKind.REQUEST),
        (424, FailureKind.SERVER_ERROR),
        (425, FailureKind.OVERLOADED),
        (429, FailureKind.RATE_LIMIT),
        (498, FailureKind.OVERLOADED),
        (499, FailureKind.SERVER_ERROR),
        (500, FailureKind.SERVER_ERROR),
        (501, FailureKind.SERVER_ERROR),
        (502, FailureKind.SERVER_ERROR),
        (503, FailureKind.OVERLOADED),
        (504, FailureKind.TIMEOUT),
        (524, FailureKind.TIMEOUT),
        (529, FailureKind.OVERLOADED),
        (599, FailureKind.SERVER_ERROR),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>blocked</html>", b"[]", b"null", b'"text"', b"{}", b'{"error":null}'])
def test_a_body_that_says_nothing_leaves_the_status_to_speak(status: int, kind: FailureKind, body: bytes):
    assert judge("custom", status, body).kind is kind


STATES = {
    FailureKind.INVALID_KEY: CredentialStatus.INVALID,
    FailureKind.REVOKED_KEY: CredentialStatus.REVOKED,
    FailureKind.EXPIRED_KEY: CredentialStatus.EXPIRED,
    FailureKind.QUOTA: CredentialStatus.QUOTA_EXHAUSTED,
}


@pytest.mark.parametrize(("provider", "status", "body", "kind"), CASES)
def test_only_words_about_the_key_change_its_state_and_only_the_requests_own_fault_stops(
    provider: str, status: int, body: Any, kind: FailureKind
):
    verdict = judge(provider, status, body)
    assert verdict.credential_status is STATES.get(kind)
    assert verdict.failover is (kind is not FailureKind.REQUEST)
    assert (verdict.rest_seconds > 0) is verdict.failover


def test_a_forbidden_answer_does_not_revoke_a_key_unless_it_says_so():
    assert judge("custom", 403, {"message": "Forbidden"}).credential_status is None


def test_a_request_too_dear_for_the_account_goes_on_without_blaming_the_key():
    message = "This request requires more credits, or fewer max_tokens. You requested up to 32000 tokens."
    verdict = judge("openrouter", 402, {"error": {"code": 402, "message": message}})
    assert (verdict.kind, verdict.credential_status, verdict.rest_seconds) == (FailureKind.QUOTA, None, 0)
    assert verdict.failover


def test_a_wait_that_the_provider_names_is_told():
    verdict = judge("openai", 429, openai("slow down"), retry_after="17")
    assert (verdict.rest_seconds, verdict.stated) == (17, True)


def test_a_wait_may_stand_in_the_body():
    verdict = judge("gemini", 429, google("RESOURCE_EXHAUSTED", "Quota exceeded", RETRY_INFO))
    assert (verdict.rest_seconds, verdict.stated) == (34.07, True)
    metadata = {"headers": {"X-RateLimit-Reset": str(int((NOW + 40) * 1000))}}
    verdict = judge("openrouter", 429, {"error": {"code": 429, "message": "Rate limit", "metadata": metadata}})
    assert (verdict.rest_seconds, verdict.stated) == (40, True)


def test_a_wait_is_cut_to_an_hour():
    assert judge("openai", 429, None, retry_after="999999").rest_seconds == LONGEST_WAIT
    body = google("RESOURCE_EXHAUSTED", "Quota exceeded", {"retryDelay": "80000s"})
    assert judge("gemini", 429, body).rest_seconds == LONGEST_WAIT


def test_a_limit_without_a_wait_rests_shortly_and_is_not_told():
    verdict = judge("openai", 429, openai("slow down"))
    assert 0 < verdict.rest_seconds <= 15
    assert not verdict.stated


@pytest.mark.parametrize("status", [503, 529, 500, 408])
def test_faults_may_name_a_wait_too(status: int):
    assert judge("openrouter", status, None, retry_after="4").stated


def test_a_wrong_key_is_not_told_to_wait():
    verdict = judge("openai", 401, None, retry_after="30")
    assert not verdict.stated
    assert verdict.credential_status is CredentialStatus.INVALID


def test_a_budget_under_way_passes_like_a_limit():
    body = {"error": {"code": 402, "message": "busy", "metadata": {"limit_source": "openrouter_in_flight_budget"}}}
    verdict = judge("openrouter", 402, body, retry_after="3")
    assert (verdict.kind, verdict.stated, verdict.credential_status) == (FailureKind.RATE_LIMIT, True, None)


ECHO = "Invalid value for 'user': '%s'"


@pytest.mark.parametrize(
    "planted",
    [
        "Your credit balance is too low",
        "Incorrect API key provided",
        "This API key has been revoked",
        "insufficient_quota",
        "Key limit exceeded",
        "API key expired",
    ],
)
def test_a_client_cannot_talk_a_key_into_a_bad_state(planted: str):
    verdict = judge("openai", 400, openai(ECHO % planted, "invalid_request_error", "invalid_value"))
    assert (verdict.kind, verdict.credential_status) == (FailureKind.REQUEST, None)


def test_a_content_filter_is_not_a_blocked_account():
    body = openai("The user message was blocked by the content policy", "invalid_request_error", "content_filter")
    assert judge("azure", 400, body).kind is FailureKind.REQUEST


CANARY = "sk-canary-0123456789"


@pytest.mark.parametrize("status", [301, 400, 401, 402, 403, 404, 429, 500])
def test_the_message_holds_nothing_that_the_provider_sent(status: int):
    verdict = judge("openai", status, openai(f"Incorrect API key provided: {CANARY}"))
    assert CANARY not in verdict.message
    assert "OpenAI" in verdict.message
    assert str(status) in verdict.message


def test_no_answer_lets_the_next_key_try():
    verdict = unreachable("The address cannot be reached.")
    assert (verdict.kind, verdict.failover, verdict.credential_status) == (FailureKind.UNREACHABLE, True, None)
    assert 0 < verdict.rest_seconds <= 10


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "errors", "message", "detail", "details", "code", "type", "metadata", "headers"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.integers(300, 599), JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200))
def test_no_body_breaks_the_judgement(status: int, body: bytes):
    verdict = judge("openai", status, body)
    assert verdict.failover is (verdict.kind is not FailureKind.REQUEST)


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":' * 20_000 + b"1" + b"}" * 20_000,
        b"[" * 100_000,
        b'{"message":"' + b"a" * 1_000_000 + b'"}',
        b'{"error":{"message":"\xff"}}',
    ],
)
def test_hostile_bodies_are_survived(body: bytes):
    assert read_problem(body).message == ""
    assert judge("custom", 500, body).kind is FailureKind.SERVER_ERROR
