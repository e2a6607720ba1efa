"""Errors of any provider are read, and written so that the SDKs raise what they should."""

import json
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from anthropic.types.shared import ErrorResponse
from hypothesis import given
from hypothesis import strategies as st

from ownkey.domain import errors as own
from ownkey.domain.errors import OwnkeyError
from ownkey.domain.formats import WireFormat
from ownkey.wire import FORMATS, ErrorKind, WireError

CHAT = FORMATS[WireFormat.OPENAI_CHAT].errors
MESSAGES = FORMATS[WireFormat.ANTHROPIC_MESSAGES].errors
GEMINI = FORMATS[WireFormat.GEMINI].errors


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            401,
            {
                "error": {
                    "message": "Bad key",
                    "type": "invalid_request_error",
                    "param": None,
                    "code": "invalid_api_key",
                }
            },
            WireError(ErrorKind.AUTHENTICATION, "Bad key", 401, "invalid_request_error", "invalid_api_key"),
        ),
        (
            429,
            {"error": {"message": "Pay", "type": "insufficient_quota", "code": "insufficient_quota"}},
            WireError(ErrorKind.BILLING, "Pay", 429, "insufficient_quota", "insufficient_quota"),
        ),
        (
            529,
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"},
            WireError(ErrorKind.OVERLOADED, "Overloaded", 529, "overloaded_error"),
        ),
        (
            400,
            {
                "type": "error",
                "error": {"type": "invalid_request_error", "message": "m", "details": {"error_code": "c"}},
            },
            WireError(ErrorKind.INVALID_REQUEST, "m", 400, "invalid_request_error", "c"),
        ),
        (
            400,
            [{"error": {"code": 400, "message": "Gemini"}}],
            WireError(ErrorKind.INVALID_REQUEST, "Gemini", 400, code="400"),
        ),
        (403, {"error": "No scope"}, WireError(ErrorKind.PERMISSION, "No scope", 403)),
        (422, {"detail": [{"loc": ["body"], "msg": "extra"}]}, WireError(ErrorKind.INVALID_REQUEST, "extra", 422)),
        (404, {"detail": "Not Found"}, WireError(ErrorKind.NOT_FOUND, "Not Found", 404)),
        (500, {"message": "boom", "code": True}, WireError(ErrorKind.SERVER, "boom", 500)),
        (200, {"error": {"code": 503, "message": "late"}}, WireError(ErrorKind.SERVER, "late", 503, code="503")),
        (
            200,
            {"error": {"type": "rate_limit_error", "message": "x"}},
            WireError(ErrorKind.RATE_LIMIT, "x", 429, "rate_limit_error"),
        ),
        (200, {"error": {}}, WireError(ErrorKind.SERVER, "The provider answered with status 502 and no message.", 502)),
    ],
)
def test_shapes_of_providers(status: int, body: Any, expected: WireError) -> None:
    for errors in (CHAT, MESSAGES):
        assert errors.read(status, json.dumps(body).encode()) == expected


@given(
    st.integers(100, 599), st.binary(max_size=200) | st.sampled_from([b"<html>", b"[" * 100_000, b'"\xff"', b"[[]]"])
)
def test_any_body_is_read(status: int, body: bytes) -> None:
    error = CHAT.read(status, body)
    assert error.message
    assert 400 <= error.status <= 599
    json.loads(CHAT.write(error, "r"))
    json.loads(MESSAGES.write(error, "r"))
    told = GEMINI.read(status, body)
    assert told.message
    assert 400 <= told.status <= 599
    assert json.loads(GEMINI.write(told, "r"))["error"]["code"] == told.status


def test_a_long_message_is_cut() -> None:
    assert len(CHAT.read(500, json.dumps({"message": "x" * 100_000}).encode()).message) == 4000


def test_the_contracts_shapes() -> None:
    error = own.BudgetExceeded("Spent.", param="model")
    assert json.loads(CHAT.write_own(error, "req_1")) == {
        "error": {"message": "Spent.", "type": "rate_limit_error", "param": "model", "code": "budget_exceeded"}
    }
    assert json.loads(MESSAGES.write_own(error, "req_1")) == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "model: Spent."},
        "request_id": "req_1",
    }


def test_a_lone_surrogate_in_a_message_is_replaced() -> None:
    error = own.InvalidRequest("bad \ud800", param="x\udfff")
    assert json.loads(CHAT.write_own(error, "r"))["error"]["message"] == "bad ?"
    assert json.loads(MESSAGES.write_own(error, "r"))["error"]["message"] == "x?: bad ?"


def google(status: str, *details: Any, code: int = 400) -> Any:
    return {"error": {"code": code, "message": "m", "status": status, "details": list(details)}}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, google("RESOURCE_EXHAUSTED"), WireError(ErrorKind.RATE_LIMIT, "m", 429, code="RESOURCE_EXHAUSTED")),
        (
            400,
            google("INVALID_ARGUMENT", {"@type": "x"}, {"reason": "API_KEY_INVALID"}),
            WireError(ErrorKind.AUTHENTICATION, "m", 400, code="API_KEY_INVALID"),
        ),
        (400, [google("INVALID_ARGUMENT")], WireError(ErrorKind.INVALID_REQUEST, "m", 400, code="INVALID_ARGUMENT")),
        (200, google("UNAVAILABLE", code=503), WireError(ErrorKind.SERVER, "m", 503, code="UNAVAILABLE")),
        (500, {"error": {"message": "m", "details": "odd", "status": 5}}, WireError(ErrorKind.SERVER, "m", 500)),
        (404, {"error": "m"}, WireError(ErrorKind.NOT_FOUND, "m", 404)),
    ],
)
def test_errors_of_google(status: int, body: Any, expected: WireError) -> None:
    assert GEMINI.read(status, json.dumps(body).encode()) == expected


def test_googles_shape_names_the_field_the_reason_and_the_request() -> None:
    error = own.UnsupportedField("tools.x cannot \ud800", param="tools.x")
    assert json.loads(GEMINI.write_own(error, "req_1")) == {
        "error": {
            "code": 400,
            "message": "tools.x cannot ?",
            "status": "INVALID_ARGUMENT",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "UNSUPPORTED_FIELD",
                    "domain": "ownkey",
                },
                {
                    "@type": "type.googleapis.com/google.rpc.BadRequest",
                    "fieldViolations": [{"field": "tools.x", "description": "tools.x cannot ?"}],
                },
                {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "req_1"},
            ],
        }
    }


OWN: list[tuple[type[OwnkeyError], type[Exception], type[Exception], str]] = [
    (own.InvalidRequest, openai.BadRequestError, anthropic.BadRequestError, "invalid_request_error"),
    (own.UnsupportedField, openai.BadRequestError, anthropic.BadRequestError, "invalid_request_error"),
    (own.Unauthenticated, openai.AuthenticationError, anthropic.AuthenticationError, "authentication_error"),
    (own.InsufficientCredits, openai.APIStatusError, anthropic.APIStatusError, "billing_error"),
    (own.NotAllowed, openai.PermissionDeniedError, anthropic.PermissionDeniedError, "permission_error"),
    (own.ModelNotFound, openai.NotFoundError, anthropic.NotFoundError, "not_found_error"),
    (own.MethodNotAllowed, openai.APIStatusError, anthropic.APIStatusError, "invalid_request_error"),
    (own.RequestTimeout, openai.APIStatusError, anthropic.APIStatusError, "timeout_error"),
    (own.Conflict, openai.ConflictError, anthropic.ConflictError, "conflict_error"),
    (own.RequestTooLarge, openai.APIStatusError, anthropic.APIStatusError, "request_too_large"),
    (own.UnsupportedMediaType, openai.APIStatusError, anthropic.APIStatusError, "invalid_request_error"),
    (own.RateLimited, openai.RateLimitError, anthropic.RateLimitError, "rate_limit_error"),
    (own.BudgetExceeded, openai.RateLimitError, anthropic.RateLimitError, "rate_limit_error"),
    (own.ResidencyNotSatisfied, openai.APIStatusError, anthropic.APIStatusError, "permission_error"),
    (own.UpstreamError, openai.InternalServerError, anthropic.InternalServerError, "api_error"),
    (own.UpstreamTimeout, openai.InternalServerError, anthropic.APIStatusError, "timeout_error"),
    (own.NoHealthyCredential, openai.InternalServerError, anthropic.APIStatusError, "api_error"),
    (OwnkeyError, openai.InternalServerError, anthropic.InternalServerError, "api_error"),
]


@pytest.mark.parametrize(("kind", "openai_class", "anthropic_class", "name"), OWN)
def test_own_errors_raise_the_sdks_classes(
    kind: type[OwnkeyError], openai_class: type[Exception], anthropic_class: type[Exception], name: str
) -> None:
    error = kind("Told.", param="field")
    body = CHAT.write_own(error, "req_1")
    response = httpx2.Response(kind.status, content=body, request=httpx2.Request("POST", "http://x"))
    raised = openai.OpenAI(api_key="k")._make_status_error_from_response(response)
    assert isinstance(raised, openai_class)
    assert (raised.code, raised.param, raised.status_code) == (kind.code, "field", kind.status)
    assert raised.type

    body = MESSAGES.write_own(error, "req_1")
    response = httpx2.Response(kind.status, content=body, request=httpx2.Request("POST", "http://x"))
    told = anthropic.Anthropic(api_key="k")._make_status_error_from_response(response)
    assert isinstance(told, anthropic_class)
    assert (told.type, told.status_code, told.api_message) == (name, kind.status, "field: Told.")
    if name not in ("request_too_large", "conflict_error"):  # documented, but not in this version's types
        ErrorResponse.model_validate_json(body)
