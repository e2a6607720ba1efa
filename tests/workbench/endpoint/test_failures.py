"""Refusals in the words of many endpoints, and what each comes to."""

from pathlib import Path

import msgspec
import pytest

from ownkey.domain.errors import (
    InsufficientCredits,
    ModelNotFound,
    NotAllowed,
    OwnkeyError,
    RateLimited,
    RequestTooLarge,
    Unauthenticated,
    Unavailable,
    UpstreamError,
)
from ownkey.workbench.endpoint.failures import advice, failure_of_error, failure_of_status
from ownkey.workbench.records import Failure, FailureKind

K = FailureKind
DOCS = Path(__file__).parents[3] / "docs" / "endpoints.md"


def refused(status: int, body: object, *headers: tuple[bytes, bytes]) -> Failure:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return failure_of_status(status, raw, headers, 0.0, str)


def error(message: str, code: str | None = None, type_: str = "invalid_request_error") -> dict[str, object]:
    return {"error": {"message": message, "type": type_, "param": None, "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, error("Incorrect API key provided.", "invalid_api_key"), K.AUTH),
        (401, b"", K.AUTH),
        (403, error("Forbidden."), K.AUTH),
        (400, error("API key not valid. Please pass a valid API key."), K.AUTH),
        (402, error("Insufficient credits"), K.AUTH),
        (429, error("You exceeded your current quota, please check your plan.", "insufficient_quota"), K.AUTH),
        (429, error("Rate limit reached for gpt-5", "rate_limit_exceeded"), K.RATE_LIMIT),
        (429, error("Request too large for model, maximum context length"), K.RATE_LIMIT),
        (429, b"", K.RATE_LIMIT),
        (404, error("The model `gpt-9` does not exist or you lack access.", "model_not_found"), K.MODEL_NOT_FOUND),
        (404, {"object": "error", "message": "The model `x` does not exist.", "code": 404}, K.MODEL_NOT_FOUND),
        (404, {"error": 'model "llama9" not found, try pulling it first'}, K.MODEL_NOT_FOUND),
        (403, error("Project does not have access to model `gpt-5`", "model_not_found"), K.MODEL_NOT_FOUND),
        (400, error("vendor/nothing is not a valid model ID"), K.MODEL_NOT_FOUND),
        (400, error("Invalid model: nothing", "invalid_model"), K.MODEL_NOT_FOUND),
        (404, {"detail": "Not Found"}, K.MALFORMED_RESPONSE),
        (404, b"<html>nginx</html>", K.MALFORMED_RESPONSE),
        (404, error("Invalid URL (POST /v1/v1/chat/completions)"), K.MALFORMED_RESPONSE),
        (405, {"detail": "Method Not Allowed"}, K.MALFORMED_RESPONSE),
        (308, b"", K.MALFORMED_RESPONSE),
        (
            400,
            error("This model's maximum context length is 8192 tokens.", "context_length_exceeded"),
            K.CONTEXT_LENGTH,
        ),
        (400, {"object": "error", "message": "This model's maximum context length is 4096 tokens."}, K.CONTEXT_LENGTH),
        (
            400,
            error("the request exceeds the available context size", type_="exceed_context_size_error"),
            K.CONTEXT_LENGTH,
        ),
        (413, b"Payload Too Large", K.CONTEXT_LENGTH),
        (400, error("The prompt triggered Azure's content management policy.", "content_filter"), K.CONTENT_FILTER),
        (400, error("Your request was rejected by our safety system.", "content_policy_violation"), K.CONTENT_FILTER),
        (408, b"", K.TIMEOUT),
        (500, error("Internal error", type_="server_error"), K.SERVER_ERROR),
        (503, b"no healthy upstream", K.SERVER_ERROR),
        (529, error("Overloaded", type_="overloaded_error"), K.SERVER_ERROR),
        (400, error("Unsupported parameter: 'max_tokens' is not supported with this model."), K.UNKNOWN),
        (
            400,
            error("'temperature' does not support 0.0 with this model. Only the default (1) is supported."),
            K.UNKNOWN,
        ),
        (400, {"error": "registry.ollama.ai/library/gemma does not support tools"}, K.UNKNOWN),
        (422, {"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]}, K.UNKNOWN),
        (418, b"teapot", K.UNKNOWN),
    ],
)
def test_a_refusal_is_known_by_its_words(status: int, body: object, kind: FailureKind) -> None:
    failure = refused(status, body)
    assert failure.kind is kind
    assert failure.status == status
    assert str(status) in failure.message


def test_an_empty_account_is_told_from_a_wrong_key() -> None:
    assert refused(402, b"").message == "The account behind the key has no credit or quota left (402)."
    assert "does not accept the key (401): Bad." in refused(401, error("Bad.")).message


def test_a_message_is_one_line_of_bounded_length() -> None:
    failure = refused(400, error("first\nsecond\x00\x1b[31m" + "x" * 5000))
    assert len(failure.message) == 300
    assert failure.message.isprintable()
    assert len(refused(400, b"y" * 1_000_000).message) <= 300


def test_a_wait_is_kept_only_where_waiting_helps() -> None:
    retry = (b"retry-after", b"2")
    assert refused(429, b"", retry).retry_after_ms == 2000
    assert refused(503, b"", retry).retry_after_ms == 2000
    assert refused(401, b"", retry).retry_after_ms is None
    assert refused(402, b"", retry).kind is K.RATE_LIMIT


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (Unauthenticated("x"), K.AUTH),
        (InsufficientCredits("x"), K.AUTH),
        (NotAllowed("x"), K.AUTH),
        (ModelNotFound("x"), K.MODEL_NOT_FOUND),
        (RateLimited("x", retry_after=3), K.RATE_LIMIT),
        (RequestTooLarge("x"), K.CONTEXT_LENGTH),
        (Unavailable("x"), K.SERVER_ERROR),
        (UpstreamError("x"), K.UNKNOWN),
    ],
)
def test_an_error_of_the_gateways_has_a_kind_too(raised: OwnkeyError, kind: FailureKind) -> None:
    failure = failure_of_error(raised, str)
    assert (failure.kind, failure.message) == (kind, "x")
    assert failure.retry_after_ms == (None if raised.retry_after is None else 3000)


def test_every_kind_has_advice_and_the_documentation_says_the_same() -> None:
    rows = [line.split("|") for line in DOCS.read_text().splitlines() if line.startswith("| `")]
    told = {row[1].strip().strip("`"): row[-2].strip() for row in rows}
    for kind in FailureKind:
        assert advice(kind).endswith(".")
        assert told.get(kind.value) == advice(kind), kind
