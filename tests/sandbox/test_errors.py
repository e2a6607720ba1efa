"""Every error in its vendor's shape, and every error class of the SDKs."""

from typing import Any

import anthropic
import openai
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import ErrorResponse
from openai import AsyncOpenAI
from tests.sandbox.raw import call, chat, message
from tests.sandbox.strict import strictly

from ownkey.sandbox import SandboxServer

OPENAI_CLASSES = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    409: openai.ConflictError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
    418: openai.APIStatusError,
}
ANTHROPIC_CLASSES = {
    400: (anthropic.BadRequestError, "invalid_request_error"),
    401: (anthropic.AuthenticationError, "authentication_error"),
    402: (anthropic.PaymentRequiredError, "billing_error"),
    403: (anthropic.PermissionDeniedError, "permission_error"),
    404: (anthropic.NotFoundError, "not_found_error"),
    408: (anthropic.RequestTimeoutError, "invalid_request_error"),
    409: (anthropic.ConflictError, "conflict_error"),
    413: (anthropic.ContentTooLargeError, "request_too_large"),
    422: (anthropic.UnprocessableEntityError, "invalid_request_error"),
    429: (anthropic.RateLimitError, "rate_limit_error"),
    500: (anthropic.InternalServerError, "api_error"),
    501: (anthropic.HTTPNotImplementedError, "api_error"),
    503: (anthropic.ServiceUnavailableError, "api_error"),
    504: (anthropic.GatewayTimeoutError, "timeout_error"),
    529: (anthropic.OverloadedError, "overloaded_error"),
}


@pytest.mark.parametrize("status", OPENAI_CLASSES)
@pytest.mark.parametrize("stream", [False, True])
async def test_each_openai_error_class_arises(openai_client: AsyncOpenAI, status: int, stream: bool):
    with pytest.raises(openai.APIStatusError) as caught:
        await openai_client.chat.completions.create(
            model=f"error-{status}", messages=[{"role": "user", "content": "x"}], stream=stream
        )
    assert type(caught.value) is OPENAI_CLASSES[status]
    assert caught.value.status_code == status
    assert caught.value.request_id is not None
    assert isinstance(caught.value.type, str)
    assert "retry-after" not in caught.value.response.headers


@pytest.mark.parametrize("status", ANTHROPIC_CLASSES)
async def test_each_anthropic_error_class_arises(anthropic_client: AsyncAnthropic, status: int):
    kind, name = ANTHROPIC_CLASSES[status]
    with pytest.raises(anthropic.APIStatusError) as caught:
        await anthropic_client.messages.create(
            model=f"error-{status}", max_tokens=9, messages=[{"role": "user", "content": "x"}]
        )
    assert type(caught.value) is kind
    assert caught.value.type == name
    assert caught.value.request_id is not None


async def test_anthropic_error_bodies_hold_exactly_what_the_sdk_type_knows(sandbox: SandboxServer):
    headers = {"anthropic-version": "2023-06-01"}
    for status in (400, 401, 402, 403, 404, 429, 500, 504, 529):
        answer = await call(sandbox.url, "/anthropic/v1/messages", message(f"error-{status}"), headers=headers)
        assert answer.status == status
        assert strictly(ErrorResponse, answer.body).request_id == answer.headers["request-id"]


async def test_every_status_from_400_to_599_is_answered(sandbox: SandboxServer):
    for status in range(400, 600, 7):
        answer = await call(sandbox.url, "/openai/v1/chat/completions", chat(f"error-{status}"))
        assert answer.status == status
        assert set(answer.json["error"]) == {"message", "type", "param", "code"}
    for beyond in ("error-399", "error-600", "error-0"):
        assert (await call(sandbox.url, "/openai/v1/chat/completions", chat(beyond))).status == 200


SHAPES: dict[str, Any] = {
    "/openrouter/api/v1/chat/completions": {"error": {"message": "x", "code": 404}},
    "/xai/v1/chat/completions": {"code": "x", "error": "x"},
    "/huggingface/v1/chat/completions": {"error": "x"},
    "/mistral/v1/chat/completions": {"object": "error", "message": "x", "type": "x", "param": None, "code": "x"},
    "/cohere/compatibility/v1/chat/completions": {"id": "x", "message": "x"},
    "/gemini/v1beta/openai/chat/completions": [{"error": {"code": 404, "message": "x", "status": "NOT_FOUND"}}],
    "/azure/openai/v1/chat/completions": {"error": {"code": "x", "message": "x"}},
    "/fireworks/inference/v1/chat/completions": {
        "error": {"object": "error", "type": "x", "code": "x", "message": "x"}
    },
    "/together/v1/chat/completions": {
        "id": "x",
        "error": {"message": "x", "type": "x", "param": None, "code": "x"},
    },
    "/qwen/compatible-mode/v1/chat/completions": {
        "error": {"message": "x", "type": "x", "param": None, "code": "x"},
        "request_id": "x",
    },
    "/perplexity/v1/chat/completions": {"error": {"message": "x", "type": "x", "code": 404}},
    "/anthropic/v1/chat/completions": {"error": {"message": "x", "type": "x", "param": None, "code": "x"}},
    "/unheard-of/v9/chat/completions": {"error": {"message": "x", "type": "x", "param": None, "code": "x"}},
}


def _outline(value: Any, like: Any) -> Any:
    """`value` with each string that stands where `like` has an x replaced by x."""
    if isinstance(like, dict):
        return {name: _outline(part, like.get(name)) for name, part in value.items()}
    if isinstance(like, list):
        return [_outline(part, like[0]) for part in value]
    return "x" if like == "x" and isinstance(value, str) else value


@pytest.mark.parametrize("path", SHAPES)
async def test_each_vendor_has_its_own_error_shape(sandbox: SandboxServer, path: str):
    answer = await call(sandbox.url, path, chat("error-404"))
    assert answer.status == 404
    assert _outline(answer.json, SHAPES[path]) == SHAPES[path]


async def test_unknown_paths_and_methods_are_refused_in_the_vendors_shape(sandbox: SandboxServer):
    answer = await call(sandbox.url, "/openai/v1/nonsense", {})
    assert (answer.status, answer.json["error"]["message"]) == (404, "Invalid URL (POST /v1/nonsense)")
    answer = await call(sandbox.url, "/anthropic/v1/nonsense", {})
    assert (answer.status, answer.json["error"]["type"]) == (404, "not_found_error")
    answer = await call(sandbox.url, "/openai/v1/chat/completions", method="DELETE")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_error_echo_key_repeats_the_whole_key(sandbox: SandboxServer):
    key = "sk-canary-9f8e7d6c5b4a"
    answer = await call(sandbox.url, "/openai/v1/chat/completions", chat("error-echo-key"), key=key)
    assert answer.status == 401
    assert key in answer.json["error"]["message"]
    assert answer.headers["x-sandbox-echoed-key"] == key


async def test_stream_echo_key_repeats_the_whole_key_in_mid_stream(sandbox: SandboxServer):
    key = "sk-canary-9f8e7d6c5b4a"
    body = chat("stream-echo-key", stream=True)
    answer = await call(sandbox.url, "/openai/v1/chat/completions", body, key=key)
    assert answer.status == 200
    assert key.encode() in answer.body
